"""`clipstead worker`: a process that does jobs until it is told to stop, by itself or supervised by `serve`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

from clipstead.cli.exits import Exit
from clipstead.worker import until_told

Work = Callable[[asyncio.Event], Awaitable[None]]


def run(work: Work, *, parent: int = 0, loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> Exit:
    """`work(stop)` until a signal, or the end of `parent` (a process id; 0 for none)."""
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(until_told(work, parent=parent))
    return Exit.DONE


def command(*words: str) -> list[str]:
    """What a supervisor in this process starts: `clipstead WORDS`, by this very Python, which ends with us."""
    # -P: the folder we stand in may hold somebody's Python.
    own = [sys.executable, "-P", "-c", "from clipstead.cli import main; main()"]
    return [*own, *words, "--parent", str(os.getpid())]
