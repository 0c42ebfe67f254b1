"""What a media file is, as a decoder sees it: its container, its pictures and its sounds."""

from dataclasses import dataclass
from typing import Literal

from clipstead.errors import BadMedia
from clipstead.media.answers import NO_AUDIO, NO_VIDEO

Container = Literal[
    "mp4", "mkv", "webm", "avi", "flv", "asf", "ts", "ps", "gif",
    "mp3", "aac", "wav", "flac", "ogg", "ac3", "amr", "aiff", "caf",
]  # fmt: skip
Hdr = Literal["", "pq", "hlg"]


@dataclass(frozen=True, slots=True)
class Picture:
    """One video track. Sizes in pixels as coded, times in seconds after the container's start, rates per second.

    `rotation` is clockwise, as a player must turn it; `sar` the shape of a pixel; `variable` says that frames are not
    evenly spaced; `hidden` that the container keeps frames before its start to decode, not to show.
    """

    index: int
    codec: str
    width: int
    height: int
    pixel_format: str
    depth: int
    fps: float
    tag: str = ""
    profile: str = ""
    sar: tuple[int, int] = (1, 1)
    rotation: int = 0
    alpha: bool = False
    interlaced: bool = False
    hidden: bool = False
    variable: bool = False
    hdr: Hdr = ""
    start: float = 0.0
    duration: float | None = None
    frames: int | None = None
    bitrate: int | None = None

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of the stored pixels once they are turned."""
        return (self.height, self.width) if self.rotation in (90, 270) else (self.width, self.height)

    @property
    def pixel_shape(self) -> tuple[int, int]:
        """`sar` once the picture is turned."""
        return (self.sar[1], self.sar[0]) if self.rotation in (90, 270) else self.sar

    @property
    def square(self) -> bool:
        """Whether its pixels are."""
        return self.sar[0] == self.sar[1]

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height as a viewer sees them: turned, with square pixels."""
        width, height = self.upright
        across, down = self.pixel_shape
        return max(1, round(width * across / down)), height


@dataclass(frozen=True, slots=True)
class Sound:
    """One audio track: samples and bits per second, times in seconds after the container's start."""

    index: int
    codec: str
    rate: int
    channels: int
    profile: str = ""
    layout: str = ""
    sample_format: str = ""
    start: float = 0.0
    duration: float | None = None
    bitrate: int | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """A whole file: `picture` and `sound` are the first video and audio track, the ones that tools work on.

    `size` in bytes, `duration` in seconds until the last of the two ends; `covers` counts attached pictures,
    `others` every further track.
    """

    container: Container
    size: int
    duration: float
    picture: Picture | None = None
    sound: Sound | None = None
    covers: int = 0
    others: int = 0

    def need_picture(self) -> Picture:
        """The picture. Raises BadMedia where there is none."""
        if self.picture is None:
            raise BadMedia(NO_VIDEO)
        return self.picture

    def need_sound(self) -> Sound:
        """The sound. Raises BadMedia where there is none."""
        if self.sound is None:
            raise BadMedia(NO_AUDIO)
        return self.sound

    def end(self, track: Picture | Sound) -> float:
        """When a track ends, in seconds after the file's start; the file's own end where the track does not say."""
        return self.duration if track.duration is None else track.start + track.duration
