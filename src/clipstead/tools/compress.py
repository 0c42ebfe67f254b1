"""Compress: fewer bytes by a smaller picture, a coarser one and a lower ceiling; never more bytes than there were."""

from typing import ClassVar, Literal, NamedTuple

from clipstead.media.commands import SOUND, encoded_sound, encoder, even
from clipstead.media.containers import copies_picture, home
from clipstead.media.inspection import Inspection, Picture
from clipstead.media.recipes import encoded, remuxed, sound_beside
from clipstead.tools.base import Commands, Expected, Lane, MediaTool, video_expected

Quality = Literal["low", "medium", "high"]


class _Level(NamedTuple):
    x264: int
    vp9: int
    short_side: int


_LEVELS: dict[Quality, _Level] = {
    "low": _Level(32, 44, 720),
    "medium": _Level(28, 40, 1080),
    "high": _Level(23, 36, 2160),
}
_SHARE = 0.85
_LEAST_RATE = 32_000
_SOUND_RATE = 160_000


class Compress(MediaTool):
    """Make a video smaller."""

    name: ClassVar[str] = "compress"
    lane: ClassVar[Lane] = "encode"
    never_larger: ClassVar[bool] = True

    quality: Quality = "medium"

    def check(self, probe: Inspection) -> None:
        probe.need_picture()

    def suffix(self, source: Inspection) -> str:
        return home(source)

    def plan(self, probe: Inspection, source: str, result: str) -> Commands:
        suffix, picture = self.suffix(probe), probe.need_picture()
        size, beside, video = self._size(picture), self._sound(probe, suffix), self._encoder(probe, suffix)
        return [encoded(probe, source, result, suffix, size=size, sound=beside, video=video)]

    def fallback(self, probe: Inspection, source: str, result: str) -> Commands:
        suffix = self.suffix(probe)
        copied = copies_picture(probe, probe.need_picture(), suffix)
        return [remuxed(probe, source, result, suffix)] if copied else []

    def expected(self, probe: Inspection) -> Expected:
        return video_expected(probe, size=self._size(probe.need_picture()))

    def _size(self, picture: Picture) -> tuple[int, int]:
        width, height = picture.shown
        factor = min(1.0, _LEVELS[self.quality].short_side / min(width, height))
        return even((round(width * factor), round(height * factor)))

    def _encoder(self, probe: Inspection, suffix: str) -> list[str]:
        level = _LEVELS[self.quality]
        crf = level.vp9 if suffix == "webm" else level.x264
        return encoder(suffix, self._size(probe.need_picture()), crf=crf, rate=self._rate(probe))

    def _rate(self, probe: Inspection) -> int:
        """Bits a second the picture may take: a share of what it takes now."""
        picture, sound = probe.need_picture(), probe.sound
        whole = probe.size * 8 / max(probe.duration, 0.1)
        now = picture.bitrate or whole - (sound.bitrate or 128_000 if sound else 0)
        return max(_LEAST_RATE, int(_SHARE * now))

    def _sound(self, probe: Inspection, suffix: str) -> list[str]:
        if probe.sound and (probe.sound.bitrate or 0) > _SOUND_RATE:
            return [*SOUND, *encoded_sound(probe.sound, suffix), "-b:a", "128k"]
        return sound_beside(probe, suffix)
