"""A stream whose clock begins anew in the middle becomes a file with one clock, by copying."""

from __future__ import annotations

from pathlib import Path

from clipstead.errors import BadMedia
from clipstead.media import ffmpeg
from clipstead.media.answers import DAMAGED
from clipstead.media.commands import read, write
from clipstead.media.progress import Report
from clipstead.media.sandbox import real
from clipstead.tools.workbench import Workbench, bring, take

# Whatever jumps by more than a second at a break is a new clock, not a silence.
_JUMPS = ("-dts_delta_threshold", "1")
_TRACKS = ("-map", "0:V:0?", "-map", "0:a:0?", "-c", "copy")


async def mend(bench: Workbench, stream: Path, seconds: float | None, folder: Path, report: Report) -> Path:
    """The file, in `folder`; `seconds` is how long it should be, if that is known, for the percentage.

    Raises BadMedia, StorageError, ToolFailed.
    """
    made = folder / f"mended-{stream.stem}.mkv"
    await ffmpeg.run(
        bench.ffmpeg,
        bench.sandbox,
        command(bring(stream, folder, stream.stem), made.name),
        folder=folder,
        read=[real(stream)],
        limits=bench.limits,
        seconds=seconds,
        report=report,
    )
    if take(made) is None:
        raise BadMedia(DAMAGED)
    return made


def command(source: str, result: str) -> list[str]:
    """The arguments of ffmpeg. Pure."""
    return [*_JUMPS, *read(source), *_TRACKS, *write(result, "mkv")]
