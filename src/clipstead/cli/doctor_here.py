"""What `clipstead doctor` looks at on this machine: Python, settings, disk, ffmpeg, sandbox."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator

from clipstead.cli.finding import Finding, fault, ok, warning
from clipstead.cli.words import size_words
from clipstead.errors import ToolFailed
from clipstead.media import ffmpeg
from clipstead.media.sandbox import Sandbox
from clipstead.server.logs import redacted
from clipstead.settings import Settings

_PREFIX = "CLIPSTEAD_"
_LITTLE, _NOTHING = 5 * 1000**3, 500 * 1000**2  # bytes of free space
_FEW_FILES = 10_000


def python() -> Finding:
    """The interpreter; the package does not install on one that is too old."""
    loop = "with uvloop" if importlib.util.find_spec("uvloop") else "without uvloop"
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {loop}"
    if sys.platform != "win32" and loop != "with uvloop":
        return warning("python", found, "install uvloop: the server is faster with it")
    return ok("python", found)


def settings_named(settings: Settings) -> Finding:
    """Which settings were set, and to what; what is secret is shown as ***. Misspelt ones are told."""
    unknown = sorted(
        name
        for name in os.environ
        if name.upper().startswith(_PREFIX) and name.upper().removeprefix(_PREFIX).lower() not in Settings.model_fields
    )
    found = ", ".join(_set_ones(settings)) or "all defaults"
    if unknown:
        return warning("settings", found, f"{', '.join(unknown)}: no such setting, see docs/configuration.md")
    return ok("settings", found)


def _set_ones(settings: Settings) -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if name in settings.model_fields_set:
            words = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            yield f"{_PREFIX}{name.upper()}={redacted(words) if field.repr else '***'}"


def data_folder(settings: Settings) -> Finding:
    """Whether something written there stays there."""
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        advice = "let this user write there, or set CLIPSTEAD_DATA_DIR to another folder"
        return fault("data folder", f"{folder}: {error.strerror}", advice)
    return ok("data folder", f"{folder}, can be written")


def disk(settings: Settings) -> Finding:
    """How much more fits."""
    folder = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    usage, status = shutil.disk_usage(folder), os.statvfs(folder)
    found = f"{size_words(usage.free)} free of {size_words(usage.total)} at {folder}"
    few = status.f_files > 0 and status.f_favail < _FEW_FILES  # file systems without a table of files say 0
    advice = "make room: when the disk is full, uploads and jobs are refused"
    if few:
        found += f", room for {status.f_favail} files"
    if usage.free < _NOTHING:
        return fault("disk", found, advice)
    return warning("disk", found, advice) if few or usage.free < _LITTLE else ok("disk", found)


def which_ffmpeg(settings: Settings) -> Finding:
    """Which ffmpeg is used, which others were passed over, and with which encoders."""
    passed_over = _passed_over(settings)
    try:
        used = ffmpeg.find(settings.ffmpeg)
    except ToolFailed as error:
        advice = "install imageio-ffmpeg (pip), or ffmpeg 6.1 or later, or set CLIPSTEAD_FFMPEG"
        return fault("ffmpeg", f"{error}{passed_over}", advice)
    encoders = " ".join(name for name in ffmpeg.ENCODERS if name not in used.missing)
    origin = {"setting": "CLIPSTEAD_FFMPEG", "system": "the system's", "wheel": "the wheel's"}[used.origin]
    found = f"{used.version}, {origin}: {used.path}, encoders {encoders}{passed_over}"
    if used.missing or not used.recent:
        lacks = f"lacks {' '.join(used.missing)}" if used.missing else "is older than 6.1"
        return warning("ffmpeg", found, f"it {lacks}: some tools will fail; unset CLIPSTEAD_FFMPEG, or set another")
    return ok("ffmpeg", found)


def _passed_over(settings: Settings) -> str:
    system = shutil.which("ffmpeg")
    if settings.ffmpeg or system is None:
        return ""
    seen = ffmpeg.look(system, "system")
    if seen.recent and not seen.missing:
        return ""
    return f"; {system} is passed over: {'too old' if not seen.recent else 'incomplete'} ({seen.version})"


async def sandbox() -> Finding:
    """What stands between a stranger's file and this machine."""
    fence = Sandbox()
    try:
        layers = await fence.start()
    except ToolFailed as error:
        return fault("sandbox", str(error), "media tools do not work without it: see the log of the server")
    finally:
        await fence.close()
    found = ", ".join(layers.names())
    if not layers.bubblewrap and not layers.landlock:
        return warning("sandbox", found, "install bubblewrap, or run on Linux 5.13 or later (Landlock)")
    return ok("sandbox", found)
