"""Video speed: faster or slower with its sound at its own pitch; the picture is copied where only its clock changes."""

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from clipstead.media.commands import (
    IN_TIME,
    NO_CHAPTERS,
    PICTURE,
    encoded_sound,
    encoder,
    ended,
    own_times,
    pixels,
    read,
    tempo,
    write,
)
from clipstead.media.containers import copies_picture, copy_options, home
from clipstead.media.inspection import Inspection, Picture
from clipstead.tools.base import Commands, Expected, Lane, MediaTool, video_expected

_FASTEST = 60.0
_COPIED = ("h264", "hevc", "av1")


class VideoSpeed(MediaTool):
    """Play a video faster or slower."""

    name: ClassVar[str] = "video-speed"
    lane: ClassVar[Lane] = "encode"

    speed: Annotated[float, Field(ge=0.25, le=4, allow_inf_nan=False)]

    def check(self, probe: Inspection) -> None:
        probe.need_picture()

    def suffix(self, source: Inspection) -> str:
        return home(source)

    def plan(self, probe: Inspection, source: str, result: str) -> Commands:
        return [self._copied(probe, source, result) if self._copies(probe) else self._encoded(probe, source, result)]

    def expected(self, probe: Inspection) -> Expected:
        expected = video_expected(probe)
        frame = max(expected.frame, expected.frame / self.speed)
        return replace(
            expected, seconds=(expected.seconds or 0.0) / self.speed, frame=frame, late=expected.late / self.speed
        )

    def _copies(self, probe: Inspection) -> bool:
        picture = probe.need_picture()
        fits = probe.container == "mp4" and picture.codec in _COPIED and copies_picture(probe, picture, "mp4")
        return fits and picture.fps * self.speed <= _FASTEST

    def _copied(self, probe: Inspection, source: str, result: str) -> list[str]:
        # The same file is opened twice: one clock for the packets that are copied, one for the sound that is not.
        picture = [*read(source, scale=1 / self.speed), *(read(source) if probe.sound else ())]
        tracks = [*PICTURE, *self._sound(probe, "1", "mp4"), *copy_options(probe.need_picture(), "mp4")]
        return [*picture, *tracks, *NO_CHAPTERS, *write(result, "mp4")]

    def _encoded(self, probe: Inspection, source: str, result: str) -> list[str]:
        picture, suffix = probe.need_picture(), self.suffix(probe)
        tracks = [*PICTURE, *self._sound(probe, "0", suffix), *pixels(picture, then=self._clock(picture))]
        longest = probe.duration / self.speed
        return [
            *read(source, picture),
            *tracks,
            *encoder(suffix, picture.shown),
            *own_times(picture, "filter"),
            *NO_CHAPTERS,
            *ended(longest),
            *write(result, suffix),
        ]

    def _clock(self, picture: Picture) -> list[str]:
        rate, clock = picture.fps * self.speed, [f"setpts=PTS/{self.speed:.9g}"]
        if rate > _FASTEST:
            # Down, not to the nearest: atempo lets a sound begin up to 20 ms early, the picture must not be late, too.
            return [*clock, f"fps={_FASTEST:g}:round=down"]
        return clock if picture.variable else [*clock, f"fps={rate:.6g}"]

    def _sound(self, probe: Inspection, number: str, suffix: str) -> list[str]:
        if probe.sound is None:
            return []
        return ["-map", f"{number}:a:0", *encoded_sound(probe.sound, suffix, (IN_TIME, *tempo(self.speed)))]
