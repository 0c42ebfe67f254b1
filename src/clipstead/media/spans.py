"""When each track begins and ends: from the container where its word is good, else from the packets themselves."""

from collections.abc import Callable, Iterable
from contextlib import suppress

import av
from av.container import InputContainer
from av.stream import Stream

from clipstead.errors import BadMedia
from clipstead.media.answers import DAMAGED

_TAIL_SECONDS = 5.0
_XING = (b"Xing", b"Info", b"VBRI")
# Their tracks carry no length of their own, or one that is only guessed: the last packets tell.
_READ_THE_END = {"matroska,webm", "flv", "mpegts", "mpeg"}
# Good for sound, where it knows samples to cut; for pictures an edit or a reordered frame makes it a frame or two off.
_REORDERS = {"mov,mp4,m4a,3gp,3g2,mj2"}
# No index and no header: the length is a guess from the bit rate until every packet was seen.
_READ_ALL = {"aac", "ac3", "eac3", "amr"}

Ends = dict[int, float]


class Spans:
    """Seconds on the container's clock, less its start. `reopen` opens the same file once more."""

    def __init__(
        self, container: InputContainer, tracks: Iterable[Stream], head: bytes, reopen: Callable[[], InputContainer]
    ) -> None:
        self._origin = (container.start_time or 0) / 1e6
        self._tracks = list(tracks)
        self._declared = None if container.duration is None else container.duration / 1e6
        self._ends = self._known(container, head, reopen)

    @property
    def duration(self) -> float:
        """Until the last track ends."""
        return max(self._ends.values(), default=self._declared or 0.0)

    def start(self, track: Stream) -> float:
        """When a track begins."""
        if track.start_time is None or track.time_base is None:
            return 0.0
        return max(0.0, float(track.start_time * track.time_base) - self._origin)

    def length(self, track: Stream) -> float | None:
        """How long it lasts; None where nothing tells."""
        end = self._ends.get(track.index)
        return None if end is None else max(0.0, end - self.start(track))

    def _known(self, container: InputContainer, head: bytes, reopen: Callable[[], InputContainer]) -> Ends:
        name = container.format.name
        if self._declared is None or name in _READ_ALL or (name == "mp3" and not any(x in head for x in _XING)):
            return self._read_all(reopen)
        if name in _READ_THE_END:
            return self._read_the_end(container, reopen)
        return self._as_declared() | (self._last_frames(container) if name in _REORDERS else {})

    def _as_declared(self) -> Ends:
        ends = {}
        for track in self._tracks:
            if track.duration is not None and track.time_base is not None:
                ends[track.index] = self.start(track) + float(track.duration * track.time_base)
        return ends

    def _last_frames(self, container: InputContainer) -> Ends:
        self._seek_near_end(container)
        return self._scan(container, [track for track in self._tracks if track.type == "video"])

    def _seek_near_end(self, container: InputContainer) -> None:
        with suppress(av.FFmpegError):
            container.seek(int((self._origin + max(0.0, (self._declared or 0.0) - _TAIL_SECONDS)) * 1e6))

    def _read_the_end(self, container: InputContainer, reopen: Callable[[], InputContainer]) -> Ends:
        declared = self._declared or 0.0
        self._seek_near_end(container)
        ends = self._scan(container, self._tracks)
        if len(ends) < len(self._tracks):
            ends = self._read_all(reopen)
        # Subtitles may outlast the picture a little, and a broken-off file promises far more than it holds.
        if container.format.name == "matroska,webm" and max(ends.values(), default=0.0) < 0.9 * declared - 1.0:
            raise BadMedia(DAMAGED)
        return ends

    def _read_all(self, reopen: Callable[[], InputContainer]) -> Ends:
        with reopen() as again:
            return self._scan(again, self._tracks)

    def _scan(self, container: InputContainer, tracks: Iterable[Stream]) -> Ends:
        ends: Ends = {}
        wanted = [container.streams[track.index] for track in tracks]
        with suppress(av.FFmpegError):  # what was read until then counts
            for packet in container.demux(wanted):
                if packet.pts is not None and packet.time_base is not None and not packet.is_discard:
                    end = float((packet.pts + (packet.duration or 0)) * packet.time_base) - self._origin
                    ends[packet.stream_index] = max(ends.get(packet.stream_index, 0.0), end)
        return ends


def broken_off(tracks: Iterable[Stream], size: int) -> bool:
    """Whether an index (that of MP4 above all) points at bytes beyond the end of the file."""
    for track in tracks:
        entries = track.index_entries
        if len(entries) and (last := entries[len(entries) - 1]).pos + last.size > size:
            return True
    return False
