"""Rotate video: the pixels themselves are turned, clockwise, so that every player shows it so."""

from typing import Annotated, ClassVar, Literal

from clipstead.media.commands import even
from clipstead.media.containers import home
from clipstead.media.inspection import Inspection
from clipstead.media.recipes import encoded
from clipstead.tools.base import Commands, Expected, Lane, MediaTool, Whole, video_expected

_TURNS = {90: ("transpose=clock",), 180: ("hflip", "vflip"), 270: ("transpose=cclock",)}


class RotateVideo(MediaTool):
    """Turn a video clockwise, in degrees."""

    name: ClassVar[str] = "rotate-video"
    lane: ClassVar[Lane] = "encode"

    rotation: Annotated[Literal[90, 180, 270], Whole]

    def check(self, probe: Inspection) -> None:
        probe.need_picture()

    def suffix(self, source: Inspection) -> str:
        return home(source)

    def plan(self, probe: Inspection, source: str, result: str) -> Commands:
        return [encoded(probe, source, result, self.suffix(probe), then=_TURNS[self.rotation])]

    def expected(self, probe: Inspection) -> Expected:
        width, height = even(probe.need_picture().shown)
        return video_expected(probe, size=(width, height) if self.rotation == 180 else (height, width))
