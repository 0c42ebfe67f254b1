"""The event loop and the log lines of a command that works by itself, without what a server brings along."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

from clipstead.cli.exits import say


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop where it is to be had."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def log_quietly(log_format: Literal["console", "json"], level: str) -> None:
    """Lines for people, on what is standard error just now, without what goes well; JSON as the server writes it."""
    level = "warning" if level == "info" else level
    if log_format == "json":
        from clipstead.server import configure_logs  # half a second that people are spared

        return configure_logs(log_format, level)
    logging.basicConfig(level=level.upper(), handlers=[_Stderr()], format="%(levelname)s %(message)s", force=True)


class _Stderr(logging.Handler):
    """A live display takes standard error's place for a while: it is looked up for every line."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        say(self.format(record))
