"""Convert: the same picture and sound in another file; what that file can hold as it is, is copied."""

from typing import ClassVar, Literal

from clipstead.media.containers import AUDIO_FILES, copies_picture
from clipstead.media.inspection import Inspection
from clipstead.media.recipes import encoded, only_sound, remuxed
from clipstead.tools.base import Commands, Expected, Lane, MediaTool, sound_expected, video_expected


class Convert(MediaTool):
    """Convert a video or a sound to another format."""

    name: ClassVar[str] = "convert"
    lane: ClassVar[Lane] = "encode"

    output_format: Literal["mp4", "webm", "mkv", "mp3", "m4a", "wav", "ogg", "flac"]

    def check(self, probe: Inspection) -> None:
        probe.need_sound() if self.output_format in AUDIO_FILES else probe.need_picture()

    def suffix(self, source: Inspection) -> str:
        return self.output_format

    def plan(self, probe: Inspection, source: str, result: str) -> Commands:
        suffix = self.output_format
        if suffix in AUDIO_FILES:
            return [only_sound(probe, source, result, suffix)]
        copied = copies_picture(probe, probe.need_picture(), suffix)
        return [(remuxed if copied else encoded)(probe, source, result, suffix)]

    def expected(self, probe: Inspection) -> Expected:
        return sound_expected(probe) if self.output_format in AUDIO_FILES else video_expected(probe)
