"""One tool on one file to one result: look, check, plan, run, look again, and only then move it into place."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

from clipstead.errors import BadMedia, ToolFailed
from clipstead.media import ffmpeg, images
from clipstead.media.containers import extension
from clipstead.media.images import Image
from clipstead.media.inspect import Caps, inspect
from clipstead.media.inspection import Inspection
from clipstead.media.progress import Progress, Report, part_of, silent
from clipstead.media.sandbox import real
from clipstead.tools.base import Expected, ImageTool, MediaTool, Tool
from clipstead.tools.check import check_image, check_result, unreadable
from clipstead.tools.receipt import Receipt
from clipstead.tools.workbench import Workbench, bring, check_readable, copy, digest, hand_over, job_folder, take

Name = Callable[[str], Path]
_STILLS = ("jpg", "png", "webp")
_RESULT_CAPS = Caps(pixels=1 << 26, seconds=1 << 20, frames=1 << 30)  # ours: 8K is asked for, 4x slower is longer


@dataclass(frozen=True, slots=True)
class Done:
    """A finished job: where the result is, and what was done."""

    path: Path
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Made:
    """What lies in the job's folder when the work is done, and its SHA-256."""

    file: Path
    output: str
    commands: tuple[tuple[str, ...], ...]
    program: str
    unchanged: bool = False


async def run(
    bench: Workbench,
    tool: Tool,
    source: Path,
    name: Name,
    report: Report | None = None,
    *,
    sha256: str | None = None,
    looked: Inspection | Image | None = None,
) -> Done:
    """Apply `tool` to the file `source`. `name` gives the final path for an extension; what is there is replaced.

    A tool that never makes a file larger gives back the very input, under its own extension, where it would.

    `sha256` is the source's, and `looked` what it was found to be, where these are known already. Cancelling ends the
    work at once; neither that nor a failure leaves a file. Raises InvalidParams (parameters against the file), BadMedia
    (the file), StorageError, ToolFailed.
    """
    check_readable(source)
    hashed = asyncio.ensure_future(_known(sha256) if sha256 else digest(source))
    try:
        if isinstance(tool, MediaTool):
            probe = looked if isinstance(looked, Inspection) else await inspect(bench.sandbox, source, bench.caps)
            return await _on_media(_Job(bench, tool, probe, source, report or silent), name, hashed)
        assert isinstance(tool, ImageTool), "there is no third kind"
        image = looked if isinstance(looked, Image) else await images.look(bench.sandbox, source)
        return await _on_image(bench, tool, image, source, name, report or silent, hashed)
    finally:
        hashed.cancel()


@dataclass(frozen=True, slots=True)
class _Job:
    """One media job under way."""

    bench: Workbench
    tool: MediaTool
    probe: Inspection
    source: Path
    report: Report


async def _on_media(job: _Job, name: Name, hashed: asyncio.Future[str]) -> Done:
    tool, probe = job.tool, job.probe
    tool.check(probe)
    target = name(tool.suffix(probe))
    async with job_folder(target) as folder:
        made = await _made_by_ffmpeg(job, folder)
        return await _finish(tool, made, name(extension(probe)) if made.unchanged else target, await hashed, job.report)


async def _on_image(
    bench: Workbench,
    tool: ImageTool,
    probe: Image,
    source: Path,
    name: Name,
    report: Report,
    hashed: asyncio.Future[str],
) -> Done:
    tool.check(probe)
    target = name(tool.suffix(probe))
    async with job_folder(target) as folder:
        made = await _made_by_vips(bench, tool, probe, source, folder)
        return await _finish(tool, made, name(probe.format) if made.unchanged else target, await hashed, report)


async def _finish(tool: Tool, made: _Made, target: Path, sha256: str, report: Report) -> Done:
    inputs, size = (sha256,), take(made.file) or 0
    receipt = Receipt(
        tool.name, tool.params(), inputs, made.commands, made.program, made.output, size, unchanged=made.unchanged
    )
    await hand_over(made.file, target)
    report(Progress(100.0))
    return Done(target, receipt)


async def _made_by_ffmpeg(job: _Job, folder: Path) -> _Made:
    tool, suffix = job.tool, job.tool.suffix(job.probe)
    made, expected = folder / f"out.{suffix}", tool.expected(job.probe)
    brought = bring(job.source, folder)
    commands = tool.plan(job.probe, brought, made.name)
    await _commands(job, folder, commands, expected)
    if not _will_do(tool, job.probe.size, made):
        commands = tool.fallback(job.probe, brought, made.name)
        expected = replace(expected, size=None if tool.never_larger else expected.size)
        await _commands(job, folder, commands, expected)
    program = f"ffmpeg {job.bench.ffmpeg.version}"
    if tool.never_larger and not _will_do(tool, job.probe.size, made):
        return await _unchanged(job.source, made, program)
    if take(made) is None:
        raise unreadable(expected)
    output, _ = await asyncio.gather(digest(made), _check_media(job, made, expected, commands[-1]))
    return _Made(made, output, tuple(("ffmpeg", *ffmpeg.FIRST, *command) for command in commands), program)


async def _commands(job: _Job, folder: Path, commands: Sequence[Sequence[str]], expected: Expected) -> None:
    limits = replace(job.bench.limits, nice=0) if job.tool.brief else job.bench.limits
    for index, command in enumerate(commands):
        await ffmpeg.run(
            job.bench.ffmpeg,
            job.bench.sandbox,
            command,
            folder=folder,
            read=[real(job.source)],
            limits=limits,
            seconds=expected.seconds,
            report=part_of(job.report, index, len(commands)),
        )
        if index + 1 < len(commands) and take(folder / command[-1].removeprefix("file:")) is None:
            raise unreadable(expected)  # what the next one would open


def _will_do(tool: Tool, before: int, made: Path) -> bool:
    size = take(made)
    return size is not None and (not tool.never_larger or size < before)


async def _check_media(job: _Job, made: Path, expected: Expected, command: Sequence[str]) -> None:
    if made.suffix[1:] in _STILLS:
        image = await images.look(job.bench.sandbox, made)
        return check_image(expected.size, image)
    try:
        found = await inspect(job.bench.sandbox, made, _RESULT_CAPS, whose="copy" if _copies(job, command) else "ours")
    except BadMedia:
        raise unreadable(expected) from None
    check_result(expected, found)


def _copies(job: _Job, command: Sequence[str]) -> bool:
    """Whether the picture of the result is that of the source, which needs no turning to be shown."""
    picture = job.probe.picture
    return picture is not None and not picture.rotation and ("-c:v", "copy") in pairwise(command)


async def _made_by_vips(bench: Workbench, tool: ImageTool, probe: Image, source: Path, folder: Path) -> _Made:
    plan = tool.plan(probe, "in", "out")
    made = folder / f"out.{plan.suffix}"
    program = await images.make(bench.sandbox, source, made, plan)
    if not _will_do(tool, probe.size, made):
        if not tool.never_larger:
            raise ToolFailed("Nothing came out")
        return await _unchanged(source, made, program)
    found = await images.look(bench.sandbox, made)
    check_image((plan.width or probe.width, plan.height or probe.height), found)
    return _Made(made, await digest(made), (("libvips", "make", json.dumps(asdict(plan))),), program)


async def _unchanged(source: Path, made: Path, program: str) -> _Made:
    await copy(source, made)
    return _Made(made, await digest(made), (), program, unchanged=True)


async def _known(sha256: str) -> str:
    return sha256
