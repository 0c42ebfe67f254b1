"""Which ffmpeg works for us, what it can do, and one run of it inside the sandbox."""

import asyncio
import functools
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clipstead.errors import BadMedia, ToolFailed
from clipstead.media.progress import ProgressReader, Report, silent
from clipstead.media.sandbox import Limits, Reach, Sandbox, attended, lines, tail
from clipstead.media.verdict import judge

OLDEST = (6, 1)
ENCODERS = ("libx264", "libvpx-vp9", "aac", "libmp3lame", "libopus", "libvorbis", "flac", "gif", "libwebp")
FILTERS = ("zscale", "tonemap", "paletteuse", "atempo")
FIRST = ("-hide_banner", "-nostdin", "-v", "error", "-nostats", "-stats_period", "0.5", "-progress", "pipe:1", "-y")

Origin = Literal["setting", "system", "wheel"]


@dataclass(frozen=True, slots=True)
class Ffmpeg:
    """One ffmpeg that can do what the tools ask: its real path, how it names itself, and where it came from."""

    path: str
    version: str
    origin: Origin
    missing: tuple[str, ...] = ()

    @property
    def recent(self) -> bool:
        """Whether the version is 6.1 or later; a build from git that has no number counts as recent."""
        found = re.match(r"n?(\d+)\.(\d+)", self.version)
        return found is None or (int(found[1]), int(found[2])) >= OLDEST


def find(setting: str = "") -> Ffmpeg:
    """The ffmpeg of the setting, else the system's if it is recent and complete, else the imageio-ffmpeg wheel's.

    Raises ToolFailed when the one that was set does not work, or when there is none at all.
    """
    if setting:
        named = shutil.which(setting)
        if named is None:
            raise ToolFailed("The ffmpeg of the settings is not there or cannot be executed")
        return look(named, "setting")
    system = shutil.which("ffmpeg")
    candidates: tuple[tuple[str | None, Origin], ...] = ((system, "system"), (from_wheel(), "wheel"))
    for path, origin in candidates:
        if path and (ffmpeg := look(path, origin)).recent and not ffmpeg.missing:
            return ffmpeg
    raise ToolFailed("No ffmpeg: install imageio-ffmpeg, or ffmpeg 6.1 or later with libx264, libvpx and zscale")


def from_wheel() -> str | None:
    """The binary inside imageio-ffmpeg, without its own search, which would prefer it or download one."""
    wheel = importlib.util.find_spec("imageio_ffmpeg")
    if wheel is None or wheel.origin is None:
        return None
    binaries = sorted((Path(wheel.origin).parent / "binaries").glob("ffmpeg-*"))
    return next((str(path) for path in binaries if os.access(path, os.X_OK)), None)


def look(path: str, origin: Origin) -> Ffmpeg:
    """Ask a binary for its version and what it lacks (a broken one lacks everything); asked once while it stays."""
    real = os.path.realpath(path)
    return _look(real, origin, Path(real).stat().st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _look(path: str, origin: Origin, _changed: int) -> Ffmpeg:
    version = re.match(r"ffmpeg version (\S+)", _ask(path, "-version"))
    encoders = set(re.findall(r"^ [AVS][A-Z.]{5} (\S+)", _ask(path, "-hide_banner", "-encoders"), re.MULTILINE))
    filters = set(re.findall(r"^ [A-Z.]{2,3} (\S+)", _ask(path, "-hide_banner", "-filters"), re.MULTILINE))
    missing = [*(set(ENCODERS) - encoders), *(set(FILTERS) - filters)]
    return Ffmpeg(path, version[1] if version else "0.0", origin, tuple(sorted(missing)))


def _ask(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=30, check=False, stdin=subprocess.DEVNULL)  # noqa: S603  # argv, ours
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace")


async def run(
    ffmpeg: Ffmpeg,
    sandbox: Sandbox,
    arguments: Sequence[str],
    *,
    folder: Path,
    read: Sequence[str],
    limits: Limits,
    seconds: float | None = None,
    report: Report | None = None,
) -> None:
    """Run ffmpeg once with `arguments` after the fixed ones, in `folder`, which it may write; `read` it may read.

    `seconds` is the expected length of the result, for the percentage. A cancelled call kills the run and returns
    when it is gone. That it returns says only that ffmpeg was content: look at the result before it counts.
    Raises BadMedia (damaged, too large: a limit ended it), StorageError, ToolFailed.
    """
    child = await sandbox.execute(
        [ffmpeg.path, *FIRST, *arguments],
        folder=folder,
        reach=Reach(read=[*read, *_libraries(ffmpeg.path)], execute=[ffmpeg.path], write=[str(folder)]),
        limits=limits,
        environment=_environment(folder),
    )
    reader = ProgressReader(seconds, report or silent)
    try:
        async with attended(child, limits.wall):
            _, complaint = await asyncio.gather(_follow(child.stdout, reader), tail(child.stderr))
            ended = await child.wait()
    except TimeoutError:
        raise BadMedia("The file is too large: it takes too long") from None
    judge(ended, complaint, limits)


async def _follow(stdout: asyncio.StreamReader, reader: ProgressReader) -> None:
    async for line in lines(stdout):
        reader.line(line)


def _libraries(path: str) -> list[str]:
    """The folder beside `bin` that a private installation keeps its libraries in."""
    beside = Path(path).parent.parent / "lib"
    return [str(beside)] if Path(path).parent.name == "bin" and beside.is_dir() else []


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PATH") if name in os.environ}
    # Fewer heaps: each thread's own reserves address space, which is what RLIMIT_AS counts.
    return kept | {"HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C", "MALLOC_ARENA_MAX": "4"}
