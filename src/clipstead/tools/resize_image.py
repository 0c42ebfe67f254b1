"""Resize image: exactly the size asked for, in the format it had."""

from typing import Annotated, ClassVar

from pydantic import Field

from clipstead.media.images import Image, ImagePlan, kept_format
from clipstead.tools.base import ImageTool


class ResizeImage(ImageTool):
    """Change the size of an image, in pixels."""

    name: ClassVar[str] = "resize-image"

    width: Annotated[int, Field(ge=1, le=7680)]
    height: Annotated[int, Field(ge=1, le=4320)]

    def plan(self, probe: Image, source: str, result: str) -> ImagePlan:
        return ImagePlan(kept_format(probe), 88, self.width, self.height)
