"""Resize video: exactly the size asked for, in square pixels; an odd side loses a line."""

from typing import Annotated, ClassVar

from pydantic import Field

from clipstead.media.commands import even
from clipstead.media.containers import home
from clipstead.media.inspection import Inspection
from clipstead.media.recipes import encoded
from clipstead.tools.base import Commands, Expected, Lane, MediaTool, video_expected


class ResizeVideo(MediaTool):
    """Change the size of a video, in pixels."""

    name: ClassVar[str] = "resize-video"
    lane: ClassVar[Lane] = "encode"

    width: Annotated[int, Field(ge=16, le=7680)]
    height: Annotated[int, Field(ge=16, le=4320)]

    def check(self, probe: Inspection) -> None:
        probe.need_picture()

    def suffix(self, source: Inspection) -> str:
        return home(source)

    def plan(self, probe: Inspection, source: str, result: str) -> Commands:
        return [encoded(probe, source, result, self.suffix(probe), size=(self.width, self.height))]

    def expected(self, probe: Inspection) -> Expected:
        return video_expected(probe, size=even((self.width, self.height)))
