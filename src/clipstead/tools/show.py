"""A slideshow made: photos brought to one size inside the fence, then one run of ffmpeg, then looked at again."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from clipstead.errors import ClipsteadError, InvalidParams
from clipstead.media import ffmpeg, images
from clipstead.media.images import Frame
from clipstead.media.inspect import inspect
from clipstead.media.progress import Progress, Report, part_of, silent
from clipstead.media.sandbox import real
from clipstead.tools.check import check_result
from clipstead.tools.receipt import Receipt
from clipstead.tools.run import Done
from clipstead.tools.slideshow import MOST_PHOTOS, PHOTOS, Slideshow
from clipstead.tools.workbench import Workbench, bring, check_readable, digest, hand_over, job_folder, take

_AT_A_TIME = 2


async def show(
    bench: Workbench,
    tool: Slideshow,
    photos: Sequence[Path],
    sound: Path | None,
    result: Path,
    report: Report | None = None,
) -> Done:
    """Make the video `result` (mp4) of `photos`, in their order, with `sound` repeated until the last of them ends.

    Cancelling ends the work at once; neither that nor a failure leaves a file. Raises InvalidParams, BadMedia,
    StorageError, ToolFailed.
    """
    if not 0 < len(photos) <= MOST_PHOTOS:
        raise InvalidParams({"photos": f"must be from 1 to {MOST_PHOTOS}"})
    for path in (*photos, *([sound] if sound else [])):
        check_readable(path)
    heard = await inspect(bench.sandbox, sound, bench.caps) if sound else None
    size = tool.size(await images.look(bench.sandbox, photos[0]))
    async with job_folder(result) as folder:
        await _frames(bench, photos, size, folder, part_of(report or silent, 0, 2))
        made = folder / "out.mp4"
        command = tool.plan(len(photos), heard, bring(sound, folder) if sound else "", made.name)[0]
        expected = tool.expected(len(photos), size, sound=heard is not None)
        await ffmpeg.run(
            bench.ffmpeg,
            bench.sandbox,
            command,
            folder=folder,
            read=[real(sound)] if sound else [],
            limits=bench.limits,
            seconds=expected.seconds,
            report=part_of(report or silent, 1, 2),
        )
        check_result(expected, await inspect(bench.sandbox, made))
        receipt = await _receipt(bench, tool, [*photos, *([sound] if sound else [])], command, made)
        await hand_over(made, result)
    (report or silent)(Progress(100.0))
    return Done(result, receipt)


async def _frames(
    bench: Workbench, photos: Sequence[Path], size: tuple[int, int], folder: Path, report: Report
) -> None:
    slots, done = asyncio.Semaphore(_AT_A_TIME), 0

    async def one(number: int, photo: Path) -> None:
        nonlocal done
        async with slots:
            await images.make(bench.sandbox, photo, folder / (PHOTOS % number), Frame(*size))
        done += 1
        report(Progress(100 * done / len(photos)))

    try:
        async with asyncio.TaskGroup() as group:
            for number, photo in enumerate(photos, 1):
                group.create_task(one(number, photo))
    except* ClipsteadError as several:
        raise several.exceptions[0] from None


async def _receipt(
    bench: Workbench, tool: Slideshow, sources: Sequence[Path], command: Sequence[str], made: Path
) -> Receipt:
    hashes = [await digest(source) for source in sources]
    program = f"ffmpeg {bench.ffmpeg.version}"
    commands = (("ffmpeg", *ffmpeg.FIRST, *command),)
    return Receipt(tool.name, tool.params(), tuple(hashes), commands, program, await digest(made), take(made) or 0)
