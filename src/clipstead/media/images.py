"""Images by libvips, inside the fence: look at one, make one into another; nothing is decoded before its caps hold."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from clipstead.media.inspect import ask, opened
from clipstead.media.sandbox import Limits, Sandbox

MODULE = "clipstead.media.images_child"
# No bound on address space: libvips may crash under one, so pixels are what is bounded.
LOOK = Limits(memory=0, cpu=10, file_size=0, open_files=32, wall=15.0, nice=0)
MAKE = Limits(memory=0, cpu=120, file_size=1 << 30, open_files=64, wall=120.0, nice=5)

Format = Literal["jpg", "png", "webp", "gif", "avif", "tiff"]
Saved = Literal["jpg", "png", "webp", "gif"]


@dataclass(frozen=True, slots=True)
class Image:
    """An image file: width and height in pixels as a viewer sees it (EXIF orientation applied), frames, file size."""

    format: Format
    width: int
    height: int
    size: int
    pages: int = 1
    alpha: bool = False


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """What to make of an image: its new format, exact size (None keeps it), quality 1 to 100, palette for PNG.

    An animation stays one where the new format is gif or webp; any other format gets its first frame. Colours become
    sRGB in 8 bits, metadata goes, transparency becomes white in jpg.
    """

    suffix: Saved
    quality: int
    width: int | None = None
    height: int | None = None
    palette: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """A photo on a canvas of exactly this size, whole, before its own blurred likeness, as jpg."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ImageCaps:
    """The most an image may hold: pixels over all its frames."""

    pixels: int = 1 << 27


async def look(sandbox: Sandbox, path: Path, caps: ImageCaps | None = None) -> Image:
    """What the image at `path` is. Raises BadMedia (not an image, damaged, too large), StorageError, ToolFailed."""
    with opened(path) as file:
        facts = await ask(sandbox, MODULE, _payload("look", caps), files=[file], limits=LOOK)
    return msgspec.convert(facts, Image)  # the program's name is passed over


async def make(
    sandbox: Sandbox, source: Path, result: Path, plan: ImagePlan | Frame, *, caps: ImageCaps | None = None
) -> str:
    """Write the new file `result` from `source`; gives what did it, with its version.

    Raises BadMedia (damaged, too large), StorageError, ToolFailed.
    """
    payload = _payload("frame" if isinstance(plan, Frame) else "make", caps) | {"plan": asdict(plan)}
    with opened(source) as read, opened(result, os.O_RDWR | os.O_CREAT | os.O_EXCL) as written:
        facts = await ask(sandbox, MODULE, payload, files=[read, written], limits=MAKE)
    return str(facts["program"])


def _payload(do: str, caps: ImageCaps | None) -> dict[str, Any]:
    return {"do": do, "pixels": (caps or ImageCaps()).pixels}


def kept_format(image: Image) -> Saved:
    """The format a changed image is written in: its own; what browsers or we do not write becomes jpg, or png."""
    if image.format in ("avif", "tiff"):
        return "png" if image.alpha else "jpg"
    return cast(Saved, image.format)
