"""Where commands write: an output whose reader leaves, that is closed, or that cannot show a title ends no work."""

from __future__ import annotations

import io
import sys
import time
from typing import Any, TextIO

import orjson
from rich.console import Console

from clipstead.cli.exits import forsake

_METER_SECONDS = 1.0


def open_console(*, stderr: bool = False) -> Console:
    """A console on standard output or standard error; what its encoding cannot show is written as an escape."""
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return _Console(stderr=stderr, highlight=False, soft_wrap=True)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at it; None is a stream that was closed before we began."""
    return stream is not None and stream.isatty()


def write_out(data: bytes) -> None:
    """Bytes for a program on standard output, as they are: JSON is UTF-8 whatever the terminal's encoding."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except BrokenPipeError:
        forsake(sys.stdout)


def write_json(value: Any) -> None:
    """A value for a program, on a line of its own."""
    write_out(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z))


class Meter:
    """How far something long has got: one line on a terminal, written over now and then; nothing anywhere else."""

    def __init__(self) -> None:
        self._live = is_terminal(sys.stderr)
        self._shown = time.monotonic()

    def show(self, words: str) -> None:
        """It has got this far."""
        if self._live and time.monotonic() - self._shown > _METER_SECONDS:
            self._shown = time.monotonic()
            sys.stderr.write(f"\r\x1b[K{words}")
            sys.stderr.flush()

    def clear(self) -> None:
        """It is over: the line is free for what came of it."""
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


class _Console(Console):
    """rich would end the process from inside whatever work is going on."""

    def on_broken_pipe(self) -> None:
        """Whoever read our output has left (`clipstead get ... | head`): the work goes on in silence."""
        self.quiet = True
        forsake(sys.stderr if self.stderr else sys.stdout)
