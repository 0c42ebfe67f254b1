"""Remove audio: the picture alone, copied."""

from typing import ClassVar

from clipstead.media.containers import copies_picture, home
from clipstead.media.inspection import Inspection
from clipstead.media.recipes import encoded, remuxed
from clipstead.tools.base import Commands, Expected, MediaTool, video_expected


class RemoveAudio(MediaTool):
    """Take the sound away from a video."""

    name: ClassVar[str] = "remove-audio"

    def check(self, probe: Inspection) -> None:
        probe.need_picture()

    def suffix(self, source: Inspection) -> str:
        return home(source)

    def plan(self, probe: Inspection, source: str, result: str) -> Commands:
        suffix = self.suffix(probe)
        copied = copies_picture(probe, probe.need_picture(), suffix)
        return [(remuxed if copied else encoded)(probe, source, result, suffix, sound=("-an",))]

    def expected(self, probe: Inspection) -> Expected:
        return video_expected(probe, sound=False)
