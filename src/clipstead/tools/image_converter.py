"""Image converter: the same image in another format; an animation stays one in WebP."""

from typing import ClassVar, Literal

from clipstead.media.images import Image, ImagePlan
from clipstead.tools.base import ImageTool

_QUALITY = {"jpg": 88, "png": 100, "webp": 82}


class ImageConverter(ImageTool):
    """Convert an image to another format."""

    name: ClassVar[str] = "image-converter"

    output_format: Literal["jpg", "png", "webp"]

    def plan(self, probe: Image, source: str, result: str) -> ImagePlan:
        return ImagePlan(self.output_format, _QUALITY[self.output_format])
