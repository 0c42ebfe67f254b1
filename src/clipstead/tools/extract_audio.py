"""Extract audio: the sound of a video in a file of its own, copied where it fits."""

from typing import ClassVar, Literal

from clipstead.media.inspection import Inspection
from clipstead.media.recipes import only_sound
from clipstead.tools.base import Commands, Expected, MediaTool, sound_expected


class ExtractAudio(MediaTool):
    """Take the sound out of a video."""

    name: ClassVar[str] = "extract-audio"

    audio_format: Literal["mp3", "m4a", "wav", "ogg", "flac"] = "mp3"

    def check(self, probe: Inspection) -> None:
        probe.need_sound()

    def suffix(self, source: Inspection) -> str:
        return self.audio_format

    def plan(self, probe: Inspection, source: str, result: str) -> Commands:
        return [only_sound(probe, source, result, self.audio_format)]

    def expected(self, probe: Inspection) -> Expected:
        return sound_expected(probe)
