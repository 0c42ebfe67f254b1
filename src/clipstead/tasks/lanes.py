"""Which lane a tool belongs to: encodes keep a machine busy and are few at a time, copies, images and sound are not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from clipstead.tools import Tool

ENCODES, LIGHT, DOWNLOADS = "video", "light", "download"
_PICTURE_CODEC = "-c:v"


def lane_of(tool: Tool, commands: Sequence[Sequence[str]] | None = None) -> str:
    """The lane for a tool; `commands` are its plan for the very file, which may turn out to only copy. Pure."""
    if tool.lane == "light" or (commands is not None and not any(map(_encodes, commands))):
        return LIGHT
    return ENCODES


def _encodes(command: Sequence[str]) -> bool:
    return "-filter_complex" in command or any(
        pair[0] == _PICTURE_CODEC and pair[1] != "copy" for pair in pairwise(command)
    )
