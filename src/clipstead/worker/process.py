"""A worker as a process: told to stop by a signal, gone with its parent, and gone for sure."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable

_PR_SET_PDEATHSIG = 1
_LAST_RESORT_SECONDS = 30.0


async def until_told(work: Callable[[asyncio.Event], Awaitable[None]], *, parent: int = 0) -> None:
    """Run `work(stop)`; SIGTERM and SIGINT set `stop`, and so does the end of `parent` (a process id, if not 0)."""
    stop = asyncio.Event()

    def told() -> None:
        if not stop.is_set():
            stop.set()
            # If the loop hangs, or the database does: what is not given back comes back when its lease runs out.
            last_resort.start()

    last_resort = threading.Timer(_LAST_RESORT_SECONDS, os._exit, (1,))
    last_resort.daemon = True
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    if parent:
        _end_with(parent, told)
    try:
        await work(stop)
    finally:
        last_resort.cancel()


def _end_with(parent: int, told: Callable[[], None]) -> None:
    """The kernel tells us when our parent ends, by the signal that would tell us anyway; it may have ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        told()
