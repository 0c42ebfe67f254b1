"""Under asyncio's own loop and under uvloop, which the server runs on: work is done and every descriptor is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from clipstead.errors import BadMedia
from clipstead.media.ffmpeg import Ffmpeg
from clipstead.media.inspect import inspect
from clipstead.media.sandbox import Limits, Sandbox
from clipstead.tools import BY_NAME
from clipstead.tools.run import run
from clipstead.tools.workbench import Workbench


def _loops() -> list[tuple[str, Callable[[], asyncio.AbstractEventLoop] | None]]:
    try:
        import uvloop
    except ImportError:
        return [("asyncio", None)]
    return [("asyncio", None), ("uvloop", uvloop.new_event_loop)]


@pytest.mark.parametrize("loop", [factory for _, factory in _loops()], ids=[name for name, _ in _loops()])
def test_no_descriptor_stays_open(
    loop: Callable[[], asyncio.AbstractEventLoop] | None, clip: Callable[[str], Path], program: Ffmpeg, results: Path
) -> None:
    """Good files, bad files, timeouts and cancelled jobs, over and over."""
    source, none = clip("plain.mp4"), results.parent / "none.mp4"
    none.write_text("no video")

    async def everything() -> int:
        sandbox = Sandbox(bubblewrap="off")
        bench = Workbench(program, sandbox)
        await sandbox.start()
        before = len(list(Path("/proc/self/fd").iterdir()))
        for number in range(5):
            tool = BY_NAME["gif"].parse({"duration": 0.5})
            await run(bench, tool, source, lambda suffix: results / f"x.{suffix}")
            with pytest.raises(BadMedia):
                await inspect(sandbox, none)
            with pytest.raises(BadMedia):
                hurried = Workbench(program, sandbox, Limits(wall=0.01))
                await run(hurried, tool, source, lambda suffix: results / f"y.{suffix}")
            job = asyncio.ensure_future(run(bench, tool, source, lambda suffix: results / f"z.{suffix}"))
            await asyncio.sleep(0.02 * number)
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)
        await asyncio.sleep(0.1)
        left = len(list(Path("/proc/self/fd").iterdir())) - before
        await sandbox.close()
        return left

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not list a process's descriptors")
    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(everything()) < 4  # a loop opens one or two of its own; each child would leave two
    assert [path.name for path in results.iterdir() if path.name.startswith(".")] == []
