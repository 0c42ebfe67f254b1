"""How a command ends: one line on standard error and one of four exit codes, never a traceback for what a user did."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import TextIO

from clipstead.errors import BadRequest, ClipsteadError, StorageError

Run = Callable[[], "Exit"]


class Exit(IntEnum):
    """The exit codes of every subcommand."""

    DONE = 0
    SOME_FAILED = 1
    WRONG_USAGE = 2
    CANNOT_WORK = 3
    INTERRUPTED = 130


def say(line: str) -> None:
    """One line for people, on standard error; where that is closed nobody wants it."""
    if sys.stderr is not None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201  # this is the command's voice


def tell(line: str) -> None:
    """One line of what was asked for, on standard output."""
    print(line, flush=True)  # noqa: T201  # this is the command's voice


def forsake(stream: TextIO | None) -> None:
    """Nobody can take what is still to be written there, nor what Python would flush at the end: let it go."""
    if stream is None:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def guarded(run: Run) -> int:
    """Run a command's body and turn how it ended into an exit code. SIGTERM ends it as tidily as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    try:
        return int(run())
    except KeyboardInterrupt:
        say("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as error:
        return _no_way_on(error)
    except ClipsteadError as error:
        return told(error)


def _as_ctrl_c(*_: object) -> None:
    """Whoever was started in the background by a script ignores Ctrl-C, and is to end by this all the same."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)


def told(error: ClipsteadError) -> Exit:
    """Say what stands in the way, in one line."""
    say(f"clipstead: {error}")
    return code_of(error)


def _no_way_on(error: OSError) -> Exit:
    """The machine refuses: a full disk behind standard output, no room for temporary files."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        forsake(sys.stdout)
    say(f"clipstead: {error.strerror or error}")
    return Exit.CANNOT_WORK


def code_of(error: ClipsteadError) -> Exit:
    """Wrong usage and wrong settings are the caller's to mend, a dead disk or network is not; the rest is an item."""
    if isinstance(error, BadRequest) or error.code == "settings":
        return Exit.WRONG_USAGE
    if isinstance(error, StorageError | CannotWork):
        return Exit.CANNOT_WORK
    return Exit.SOME_FAILED


class CannotWork(ClipsteadError):
    """The machine does not let us: a port in use, a folder that cannot be written."""

    code = "cannot_work"
