"""Compress image: fewer bytes at the same size, in the format it had; never more bytes than there were."""

from typing import Annotated, ClassVar

from pydantic import Field

from clipstead.media.images import Image, ImagePlan, kept_format
from clipstead.tools.base import ImageTool


class CompressImage(ImageTool):
    """Make an image file smaller."""

    name: ClassVar[str] = "compress-image"
    never_larger: ClassVar[bool] = True

    quality: Annotated[int, Field(ge=1, le=100)] = 75

    def plan(self, probe: Image, source: str, result: str) -> ImagePlan:
        return ImagePlan(kept_format(probe), self.quality, palette=self.quality < 100)
