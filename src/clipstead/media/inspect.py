"""Look at a media file from outside: a confined child opens it and tells, no stranger's bytes are parsed here."""

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from clipstead.errors import BadMedia, ClipsteadError, StorageError, ToolFailed
from clipstead.media.answers import TOO_LARGE
from clipstead.media.inspection import Inspection
from clipstead.media.sandbox import Limits, Sandbox, everything, tail
from clipstead.media.verdict import judge

MODULE = "clipstead.media.inspect_child"
LIMITS = Limits(memory=2 << 30, cpu=20, file_size=0, open_files=32, wall=30.0, nice=0)
Whose = Literal["", "ours", "copy"]
_MOST_SAID = 1 << 20
_ERRORS: dict[str, type[ClipsteadError]] = {kind.code: kind for kind in (BadMedia, StorageError)}


@dataclass(frozen=True, slots=True)
class Caps:
    """The most a file may hold: pixels of one frame, seconds, frames, tracks."""

    pixels: int = 16_777_216
    seconds: int = 12 * 3600
    frames: int = 3_000_000
    streams: int = 64


async def inspect(sandbox: Sandbox, path: Path, caps: Caps | None = None, *, whose: Whose = "") -> Inspection:
    """What the file at `path` is.

    Of what we made ourselves ("ours") the rates need not be worked out; a "copy" has the picture of a file that was
    looked at before, stood upright, and is not decoded again: depth, alpha and pixel format are left out.

    Raises BadMedia (not a media file, damaged, too large), StorageError, ToolFailed.
    """
    with opened(path) as file:
        facts = await ask(
            sandbox, MODULE, {"caps": asdict(caps or Caps()), "whose": whose}, files=[file], limits=LIMITS
        )
    return msgspec.convert(facts, Inspection)


@contextmanager
def opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    """A descriptor for a child. Raises StorageError."""
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"Cannot open {path.name}: {error.strerror}") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def ask(sandbox: Sandbox, module: str, payload: dict[str, Any], *, files: Sequence[int], limits: Limits) -> Any:
    """Have a confined child run `answer(payload, files)` of `module`.

    Raises what it raised, and what its limits mean (BadMedia, ToolFailed).
    """
    child = await sandbox.call(module, payload, files=files, limits=limits)
    try:
        async with asyncio.timeout(limits.wall):
            told, complaint = await asyncio.gather(everything(child.stdout, _MOST_SAID), tail(child.stderr))
            if not told:
                judge(await child.wait(), complaint or "it said nothing", limits)
    except TimeoutError:
        raise BadMedia(f"{TOO_LARGE}: it takes too long") from None
    finally:
        child.release()  # whether it has ended by now or not: what it had to say is said, and it leaves no file
    answer = json.loads(told)
    if "error" in answer:
        raise _ERRORS.get(answer["error"], ToolFailed)(answer["message"])
    return answer
