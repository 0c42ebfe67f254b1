"""Worker processes kept running: each is started, started again when it ends, and ended with us."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Sequence

_LONGEST_PAUSE = 30.0
_STABLE_SECONDS = 30.0
_END_SECONDS = 35.0  # more than a worker takes for its last resort

log = logging.getLogger(__name__)


class Supervisor:
    """`count` processes of `command`, which should be one that ends when its parent (we) is gone.

    `pause`: seconds before one that has ended is started again, doubled each time it ends soon after.
    """

    def __init__(self, command: Sequence[str], count: int, *, pause: float = 0.5) -> None:
        self._command = command
        self._count = count
        self._pause = pause

    async def run(self, stop: asyncio.Event) -> None:
        """Keep them running until `stop` is set, then end them, gently first. None at all is waited with just so."""
        async with asyncio.TaskGroup() as group:
            group.create_task(stop.wait())  # with none to keep it is not over either
            for _ in range(self._count):
                group.create_task(self._keep_one(stop))

    async def _keep_one(self, stop: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        pause = self._pause
        while not stop.is_set():
            began = clock()
            code = await self._one(stop)
            if stop.is_set():
                return
            pause = self._pause if clock() - began > _STABLE_SECONDS else pause
            log.warning("a worker ended (%d); another is started in %.1f s", code, pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _one(self, stop: asyncio.Event) -> int:
        """One process from its start to its end."""
        # A session of its own: Ctrl-C reaches us alone, and one signal reaches it with all its children.
        child = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
        )
        ended, told = asyncio.create_task(child.wait()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                child.terminate()
                await asyncio.wait({ended}, timeout=_END_SECONDS)
        finally:
            told.cancel()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)  # what it leaves behind as well
            code = await ended
        return code
