"""The moving parts of a fragmented MP4: how long each track lasts, summed from its `moof` boxes."""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from clipstead.errors import BadMedia
from clipstead.media.boxes import Box, child, field, inside, numbers
from clipstead.media.source import Source

_MAX_MOOF = 1 << 20
_DURATION_IN_RUN, _SIZE_IN_RUN, _FLAGS_IN_RUN, _OFFSET_IN_RUN = 0x100, 0x200, 0x400, 0x800


@dataclass(slots=True)
class Fragments:
    """`ends` maps track ids to the tick at which their last known sample ends, for tracks that have any sample."""

    defaults: dict[int, int]
    ends: dict[int, int] = dataclass_field(default_factory=dict)

    def add(self, source: Source, moof: Box) -> None:
        """Take in one `moof`. Raises BadMedia."""
        if moof.end - moof.body > _MAX_MOOF:
            raise BadMedia("damaged: its index is too large")
        data = source.at(moof.body, moof.end - moof.body)
        for traf in inside(data, 0, len(data)):
            if traf.kind == b"traf":
                self._add_track(data, traf)

    def _add_track(self, data: bytes, traf: Box) -> None:
        head = child(data, traf, b"tfhd")
        if head is None:
            raise BadMedia("damaged: its index is incomplete")
        track = field(data, head, 4, 4)
        each = _default_duration(data, head) or self.defaults.get(track, 0)
        runs = [box for box in inside(data, traf.body, traf.end) if box.kind == b"trun"]
        lengths = [_run_length(data, run, each) for run in runs]
        if not sum(samples for samples, _ in lengths):
            return
        time = child(data, traf, b"tfdt")
        begin = self.ends.get(track, 0) if time is None else field(data, time, 4, 8 if field(data, time, 0, 1) else 4)
        self.ends[track] = max(self.ends.get(track, 0), begin + sum(ticks for _, ticks in lengths))


def default_durations(data: bytes, extends: Box) -> dict[int, int]:
    """Ticks of a sample where its fragment does not say, by track id, from `mvex`."""
    boxes: Iterable[Box] = (box for box in inside(data, extends.body, extends.end) if box.kind == b"trex")
    return {field(data, box, 4, 4): field(data, box, 12, 4) for box in boxes}


def _flags(data: bytes, box: Box) -> int:
    return field(data, box, 1, 3)


def _default_duration(data: bytes, head: Box) -> int:
    flags = _flags(data, head)
    if not flags & 0x8:
        return 0
    return field(data, head, 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0), 4)


def _run_length(data: bytes, run: Box, each: int) -> tuple[int, int]:
    """(samples, ticks) of a `trun`."""
    flags, samples = _flags(data, run), field(data, run, 4, 4)
    if not flags & _DURATION_IN_RUN:
        return samples, samples * each
    begin = 8 + (4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0)
    each_field = (_DURATION_IN_RUN, _SIZE_IN_RUN, _FLAGS_IN_RUN, _OFFSET_IN_RUN)
    width = sum(1 for bit in each_field if flags & bit)
    return samples, sum(numbers(data, run, begin, samples * width, 4)[::width])
