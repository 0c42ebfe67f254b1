"""What the readers find out about a file."""

from dataclasses import dataclass

from clipstead.model import MediaKind


@dataclass(frozen=True, slots=True)
class Probe:
    """A file, judged by its content: `ext` (no dot) and `mime` come from the bytes, never from a name.

    `size` in bytes, `duration` in seconds, `width` and `height` in pixels as shown (rotation applied), `video` and
    `audio` the codec names ("h264", "aac", ...) of the first track of each sort; None = there is none, or not told.
    """

    kind: MediaKind
    ext: str
    mime: str
    size: int
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    video: str | None = None
    audio: str | None = None
