"""A picture and a sound that came as two files become one, by copying: no frame is touched."""

from __future__ import annotations

from pathlib import Path

from clipstead.media import ffmpeg
from clipstead.media.commands import PICTURE, read, write
from clipstead.media.containers import copies_picture, copies_sound, copy_options
from clipstead.media.inspect import inspect
from clipstead.media.inspection import Inspection
from clipstead.media.progress import Report
from clipstead.media.sandbox import real
from clipstead.tools.base import Expected
from clipstead.tools.check import check_result
from clipstead.tools.workbench import Workbench, bring

_FILES = ("mp4", "webm")
_SECOND_SOUND = ("-map", "1:a:0")


async def join(bench: Workbench, picture: Path, sound: Path, folder: Path, report: Report) -> Path:
    """The two as one file in `folder`: mp4 or webm where they fit into it as they are, else mkv.

    Raises BadMedia, StorageError, ToolFailed.
    """
    seen, heard = await inspect(bench.sandbox, picture, bench.caps), await inspect(bench.sandbox, sound, bench.caps)
    suffix = file_for(seen, heard)
    made = folder / f"joined.{suffix}"
    await ffmpeg.run(
        bench.ffmpeg,
        bench.sandbox,
        command(seen, bring(picture, folder, "picture"), bring(sound, folder, "sound"), made.name, suffix),
        folder=folder,
        read=[real(picture), real(sound)],
        limits=bench.limits,
        seconds=max(seen.duration, heard.duration),
        report=report,
    )
    check_result(_expected(seen), await inspect(bench.sandbox, made, bench.caps))
    return made


def file_for(seen: Inspection, heard: Inspection) -> str:
    """The file that holds both untouched. Raises BadMedia where one has no picture, or the other no sound."""
    picture, sound = seen.need_picture(), heard.need_sound()
    fits = (file for file in _FILES if copies_picture(seen, picture, file) and copies_sound(heard, sound, file))
    return next(fits, "mkv")


def command(seen: Inspection, picture: str, sound: str, result: str, suffix: str) -> list[str]:
    """The arguments of ffmpeg. Pure."""
    tracks = [*PICTURE, *copy_options(seen.need_picture(), suffix), *_SECOND_SOUND, "-c:a", "copy"]
    return [*read(picture), *read(sound, only_sound=True), *tracks, *write(result, suffix)]


def _expected(seen: Inspection) -> Expected:
    picture = seen.need_picture()
    return Expected(picture.duration or seen.duration, True, True, picture.shown, 1 / picture.fps)
