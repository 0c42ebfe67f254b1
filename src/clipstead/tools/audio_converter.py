"""Audio converter: a sound in another format; the same codec in another file is copied."""

from typing import ClassVar, Literal

from clipstead.media.inspection import Inspection
from clipstead.media.recipes import only_sound
from clipstead.tools.base import Commands, Expected, MediaTool, sound_expected


class AudioConverter(MediaTool):
    """Convert a sound to another format."""

    name: ClassVar[str] = "audio-converter"

    output_format: Literal["mp3", "m4a", "wav", "ogg", "flac"]

    def check(self, probe: Inspection) -> None:
        probe.need_sound()

    def suffix(self, source: Inspection) -> str:
        return self.output_format

    def plan(self, probe: Inspection, source: str, result: str) -> Commands:
        return [only_sound(probe, source, result, self.output_format)]

    def expected(self, probe: Inspection) -> Expected:
        return sound_expected(probe)
