"""The last step of a download: the file cut and converted to what was asked for, in one go, or left as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from clipstead.capture.pick import AUDIO_FILES
from clipstead.errors import InvalidParams
from clipstead.media.containers import extension
from clipstead.media.inspect import inspect
from clipstead.media.inspection import Inspection
from clipstead.media.progress import Report
from clipstead.tasks.lanes import ENCODES, lane_of
from clipstead.tools import MediaTool
from clipstead.tools.convert import Convert
from clipstead.tools.run import run
from clipstead.tools.trim_audio import TrimAudio
from clipstead.tools.trim_video import TrimVideo
from clipstead.tools.workbench import Workbench

_TO_THE_END = 1e6
# What a file of sound alone becomes where one for a picture was asked for: the same sort of file, without it.
_FOR_SOUND_ALONE = {"mp4": "m4a", "mkv": "m4a", "webm": "ogg"}
_WORDS = {"startTime": "trimStart", "endTime": "trimEnd"}


class _CutVideo(TrimVideo):
    """The trim tool, with a say in what file it makes."""

    suffix_asked: str = ""
    name: ClassVar[str] = "trim-video"

    def suffix(self, source: Inspection) -> str:
        return self.suffix_asked or super().suffix(source)


class _CutAudio(TrimAudio):
    """The same for sound."""

    suffix_asked: str = ""
    name: ClassVar[str] = "trim-audio"

    def suffix(self, source: Inspection) -> str:
        return self.suffix_asked or super().suffix(source)


@dataclass(frozen=True, slots=True)
class Shape:
    """`container` "" keeps the sort of file; `piece` is from when to when in seconds, None for the end; `raw` says

    that the file is a stream strung together, which no player should have to deal with.
    """

    container: str = ""
    piece: tuple[float, float | None] = (0.0, None)
    raw: bool = False


async def shape(
    bench: Workbench, encodes: asyncio.Semaphore, file: Path, wanted: Shape, folder: Path, report: Report
) -> Path:
    """`file` itself where nothing need be done, else another in `folder`; what encodes waits for one of `encodes`.

    Raises InvalidParams in the words of a download, BadMedia, StorageError, ToolFailed.
    """
    probe = await inspect(bench.sandbox, file, bench.caps)
    tool = plan(probe, wanted)
    if tool is None:
        return file
    try:
        tool.check(probe)
        heavy = lane_of(tool, tool.plan(probe, "in", "out")) == ENCODES
        async with encodes if heavy else nullcontext():
            return (await run(bench, tool, file, lambda suffix: folder / f"shaped.{suffix}", report)).path
    except InvalidParams as error:
        raise InvalidParams(_reworded(error.fields)) from None


def plan(probe: Inspection, shape: Shape) -> MediaTool | None:
    """The tool that makes of the file what is asked, None where it is that already. Pure."""
    wanted = shape.container if probe.picture else _FOR_SOUND_ALONE.get(shape.container, shape.container)
    start, end = shape.piece
    whole = start == 0 and (end is None or end >= probe.duration)
    if whole and shape.raw:
        return Convert.parse({"outputFormat": wanted or ("mp4" if probe.picture else "m4a")})
    if whole:
        same = not wanted or wanted == extension_of(probe)
        return None if same else Convert.parse({"outputFormat": wanted})
    cut = _CutAudio if wanted in AUDIO_FILES or probe.picture is None else _CutVideo
    last = _TO_THE_END if end is None else end
    return cut.parse({"startTime": start, "endTime": last, "suffixAsked": wanted})


def extension_of(probe: Inspection) -> str:
    """What the file is called; MP4 without a picture goes by another name."""
    name = extension(probe)
    return "m4a" if name == "mp4" and probe.picture is None else name


def _reworded(fields: Mapping[str, str]) -> dict[str, str]:
    named = {_WORDS.get(name, name): rule for name, rule in fields.items()}
    return {name: rule.replace("startTime", "trimStart") for name, rule in named.items()}
