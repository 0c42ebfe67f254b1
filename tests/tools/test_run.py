"""One job from end to end: its progress, its receipt, its folder, and what is left when it fails or is cancelled."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clipstead.errors import InvalidParams, StorageError, ToolFailed
from clipstead.media.ffmpeg import FIRST, Ffmpeg
from clipstead.media.progress import Progress
from clipstead.tools import BY_NAME
from clipstead.tools.run import run
from clipstead.tools.workbench import Workbench

pytestmark = pytest.mark.asyncio(loop_scope="session")

Clip = Callable[[str], Path]
LeftOver = Callable[[], list[str]]


@pytest.fixture(scope="module")
def long_clip(program: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that takes a few seconds to encode again."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=20", "-c:v", "libx264", "-preset", "ultrafast"]
    subprocess.run([program.path, "-v", "error", *source, "-pix_fmt", "yuv420p", path], check=True)
    return path


async def test_the_receipt_lets_anybody_do_it_again(clip: Clip, apply: Any, program: Ffmpeg, tmp_path: Path) -> None:
    """Its command, run in a folder where the input is called `in`, gives the very same bytes."""
    source = clip("plain.mp4")
    done = await apply("trim-video", source, startTime="0.5", endTime="1.5")
    receipt = done.receipt
    assert (receipt.tool, receipt.params) == ("trim-video", {"startTime": 0.5, "endTime": 1.5})
    assert receipt.inputs == (hashlib.sha256(source.read_bytes()).hexdigest(),)
    assert receipt.output == hashlib.sha256(done.path.read_bytes()).hexdigest()
    assert (receipt.size, receipt.program) == (done.path.stat().st_size, f"ffmpeg {program.version}")
    (command,) = receipt.commands
    assert command[: len(FIRST) + 1] == ("ffmpeg", *FIRST)
    assert "/" not in " ".join(command).replace("file:", "")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "in").write_bytes(source.read_bytes())
    subprocess.run([program.path, *command[1:]], cwd=tmp_path / "again", check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "again" / "out.mp4").read_bytes() == done.path.read_bytes()
    assert receipt.as_dict()["output"] == receipt.output


async def test_a_hash_that_is_known_is_not_made_again(clip: Clip, bench: Workbench, results: Path) -> None:
    tool = BY_NAME["remove-audio"].parse({})
    done = await run(bench, tool, clip("plain.mp4"), lambda suffix: results / f"x.{suffix}", sha256="known")
    assert done.receipt.inputs == ("known",)


async def test_progress_rises_to_a_hundred_and_reaches_it_only_when_all_is_done(
    long_clip: Path, apply: Any, results: Path
) -> None:
    told: list[tuple[Progress, bool]] = []

    def report(progress: Progress) -> None:
        told.append((progress, (results / "result.mp4").exists()))

    await apply("resize-video", long_clip, report=report, width=320, height=180)
    percents = [progress.percent for progress, _ in told]
    assert len(percents) > 2
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert [there for _, there in told] == [False] * (len(told) - 1) + [True]
    assert any(progress.speed and progress.eta is not None for progress, _ in told)


async def test_cancelling_ends_ffmpeg_and_leaves_no_file(long_clip: Path, apply: Any, left_over: LeftOver) -> None:
    started = asyncio.Event()
    job = asyncio.create_task(
        apply("resize-video", long_clip, report=lambda progress: started.set(), width=1280, height=720)
    )
    await asyncio.wait_for(started.wait(), 30)
    (folder,) = left_over()
    assert folder.startswith(".clipstead-")
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert left_over() == []
    assert folder not in _running()


def _running() -> str:
    """The working folders of every process that we may look at."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cwd"):
        try:
            found.append(str(process.readlink()))
        except OSError:
            continue
    return " ".join(found)


async def test_cancelling_at_any_moment_leaves_nothing(clip: Clip, apply: Any, left_over: LeftOver) -> None:
    """Before the first look, between the looks, while the result is hashed: at every step there is."""
    for tries in range(25):
        job = asyncio.create_task(apply("gif", clip("plain.mp4"), duration=0.5, width=120))
        await asyncio.sleep(tries * 0.006)
        job.cancel()
        done, _ = await asyncio.wait([job])
        if not next(iter(done)).cancelled():
            break
        assert left_over() == []


async def test_many_jobs_at_once_do_not_mix(clip: Clip, bench: Workbench, results: Path) -> None:
    async def one(number: int) -> int:
        tool = BY_NAME["thumbnail"].parse({"width": 50 + number, "format": "png"})
        done = await run(bench, tool, clip("plain.mp4"), lambda suffix: results / f"{number}.{suffix}")
        return int.from_bytes(done.path.read_bytes()[16:20], "big")

    assert await asyncio.gather(*(one(number) for number in range(12))) == [50 + number for number in range(12)]


async def test_what_is_there_is_replaced_only_by_a_finished_result(
    clip: Clip, apply: Any, bench: Workbench, results: Path
) -> None:
    there = results / "result.mp4"
    there.write_bytes(b"before")
    with pytest.raises(InvalidParams):
        await apply("trim-video", clip("plain.mp4"), startTime=5, endTime=6)
    assert there.read_bytes() == b"before"
    await apply("remove-audio", clip("plain.mp4"))
    assert there.read_bytes() != b"before"


async def test_compress_gives_back_what_it_cannot_make_smaller(
    clip: Clip, apply: Any, left_over: LeftOver, tmp_path: Path, program: Ffmpeg
) -> None:
    """First a smaller encode, else the same picture in a leaner file, else the very bytes that came."""
    once = (await apply("compress", clip("plain.mp4"), quality="low")).path
    assert once.stat().st_size < clip("plain.mp4").stat().st_size
    lean = tmp_path / "lean.mp4"
    lean.write_bytes(once.read_bytes())
    again = await apply("compress", lean, quality="high")
    assert again.receipt.size <= lean.stat().st_size
    noise = clip("noise.avi")
    done = await apply("compress", noise, quality="high")
    if done.receipt.unchanged:
        assert (done.path.suffix, done.path.read_bytes()) == (".avi", noise.read_bytes())
        assert done.receipt.commands == ()
    assert done.receipt.size <= noise.stat().st_size


async def test_a_folder_that_cannot_be_written_is_named_before_any_work(
    clip: Clip, bench: Workbench, tmp_path: Path
) -> None:
    tool = BY_NAME["remove-audio"].parse({})
    with pytest.raises(StorageError, match="No place for the work"):
        await run(bench, tool, clip("plain.mp4"), lambda suffix: tmp_path / "missing" / f"x.{suffix}")


async def test_a_source_that_is_gone_is_named(bench: Workbench, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="The file is not there or cannot be read"):
        await run(bench, BY_NAME["remove-audio"].parse({}), tmp_path / "none", lambda suffix: tmp_path / suffix)


async def test_an_ffmpeg_that_breaks_is_our_fault_not_the_files(
    clip: Clip, bench: Workbench, apply: Any, tmp_path: Path, left_over: LeftOver
) -> None:
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(ToolFailed) as failed:
        await apply("remove-audio", clip("plain.mp4"), on=replace(bench, ffmpeg=Ffmpeg(str(broken), "0", "setting")))
    assert str(failed.value) == "The media program failed"
    assert left_over() == []


async def test_a_killed_ffmpeg_is_told_as_what_the_kernel_kills_for(
    long_clip: Path, apply: Any, left_over: LeftOver
) -> None:
    """The machine out of memory kills with SIGKILL: the file was too large for it."""
    from clipstead.errors import BadMedia

    started = asyncio.Event()
    job = asyncio.create_task(apply("rotate-video", long_clip, report=lambda progress: started.set(), rotation=90))
    await asyncio.wait_for(started.wait(), 30)
    (folder,) = left_over()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().name == folder:
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue
    with pytest.raises(BadMedia, match="The file is too large"):
        await job
    assert left_over() == []
