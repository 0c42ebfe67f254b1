"""Trim video: from one second to another, exact to the frame; a copied cut would show the frames before it."""

from typing import ClassVar

from clipstead.media.commands import cut_at
from clipstead.media.containers import copies_picture, home
from clipstead.media.inspection import Inspection
from clipstead.media.recipes import encoded, frame_of, remuxed
from clipstead.tools.base import (
    Commands,
    Expected,
    Lane,
    Trim,
    check_length,
    check_start,
    video_expected,
)


class TrimVideo(Trim):
    """Cut a piece out of a video. Times in seconds."""

    name: ClassVar[str] = "trim-video"
    lane: ClassVar[Lane] = "encode"

    def check(self, probe: Inspection) -> None:
        picture = probe.need_picture()
        check_start("startTime", self.start_time, probe.end(picture))
        check_length(self._length(probe), frame_of(picture))

    def suffix(self, source: Inspection) -> str:
        return home(source)

    def plan(self, probe: Inspection, source: str, result: str) -> Commands:
        suffix = self.suffix(probe)
        if self._whole(probe) and copies_picture(probe, probe.need_picture(), suffix):
            return [remuxed(probe, source, result, suffix)]
        return [encoded(probe, source, result, suffix, cut=cut_at(probe, self.start_time, self._length(probe)))]

    def expected(self, probe: Inspection) -> Expected:
        return video_expected(probe, piece=(self.start_time, min(self.end_time, probe.end(probe.need_picture()))))

    def _length(self, probe: Inspection) -> float:
        return min(self.end_time, probe.duration) - self.start_time

    def _whole(self, probe: Inspection) -> bool:
        return self.start_time == 0 and self.end_time >= probe.duration
