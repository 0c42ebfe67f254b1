"""Trim audio: from one second to another; MP3 and AAC are copied packet by packet, the rest is encoded as it was."""

from typing import ClassVar

from clipstead.media.commands import IN_TIME, NO_CHAPTERS, SOUND, cut_at, encoded_sound, ended, read, write
from clipstead.media.containers import copies_sound
from clipstead.media.inspection import Inspection
from clipstead.tools.base import (
    Commands,
    Expected,
    Trim,
    check_length,
    check_start,
    sound_expected,
)

_FILES = {"mp3": "mp3", "vorbis": "ogg", "opus": "ogg", "flac": "flac"}
_SHORTEST = 0.05


class TrimAudio(Trim):
    """Cut a piece out of a sound. Times in seconds."""

    name: ClassVar[str] = "trim-audio"

    def check(self, probe: Inspection) -> None:
        check_start("startTime", self.start_time, probe.end(probe.need_sound()))
        check_length(self._length(probe), _SHORTEST)

    def suffix(self, source: Inspection) -> str:
        codec = source.need_sound().codec
        return "wav" if codec.startswith("pcm_") else _FILES.get(codec, "m4a")

    def plan(self, probe: Inspection, source: str, result: str) -> Commands:
        sound, suffix, length = probe.need_sound(), self.suffix(probe), self._length(probe)
        # A bare stream of AAC has no index: seeking in it is guessing.
        copied = sound.codec in ("mp3", "aac") and probe.container != "aac" and copies_sound(probe, sound, suffix)
        track = ["-c:a", "copy"] if copied else encoded_sound(sound, suffix, (IN_TIME,) if probe.picture else ())
        cut = cut_at(probe, self.start_time, length)
        end = cut.after() if copied else ended(length, cut)
        return [[*read(source, cut=cut, only_sound=True), *SOUND, *track, *NO_CHAPTERS, *end, *write(result, suffix)]]

    def expected(self, probe: Inspection) -> Expected:
        return sound_expected(probe, seconds=self._length(probe))

    def _length(self, probe: Inspection) -> float:
        return min(self.end_time, probe.end(probe.need_sound())) - self.start_time
