"""What `clipstead doctor` says of YouTube: the runtime that yt-dlp is given for its player script, and the solver."""

from __future__ import annotations

import importlib
import re
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from clipstead.cli.finding import Finding, ok, warning
from clipstead.resolve import ytdlp_runtimes

_SOLVER = "yt-dlp-ejs"
_INSTALL = "pip install deno beside clipstead, or put deno 2.3, node 22, quickjs 2023-12-9, bun 1.2.11 or later on PATH"


def javascript(path: str = "") -> Finding:
    """YouTube's pages hold programs that yt-dlp has to run: what with. Looked for in `path`, or where workers look."""
    good, bad = _runtimes(path)
    found, wanted = _version(_SOLVER), _wanted()
    about = f"yt-dlp {_version('yt-dlp')}"
    if not good:
        return warning("youtube", f"{about}; no JavaScript runtime for YouTube{_aside(bad)}", _INSTALL)
    about = f"{about} with {good[0]}"
    if found is None:
        return warning("youtube", f"{about}, without {_SOLVER}, its solver", f"pip install {_SOLVER}=={wanted}")
    about = f"{about}, {_SOLVER} {found}"
    if wanted and found.split(".")[:2] != wanted.split(".")[:2]:
        return warning("youtube", f"{about} where it takes {wanted} only", f"pip install {_SOLVER}=={wanted}")
    return ok("youtube", about + _aside([*(f"{name} is there too" for name in good[1:]), *bad]))


def _runtimes(path: str) -> tuple[list[str], list[str]]:
    """Those that yt-dlp would use, as a worker of ours starts them, best first; and what is the matter with others."""
    importlib.import_module("yt_dlp")
    kinds: dict[str, Any] = importlib.import_module("yt_dlp.globals").supported_js_runtimes.value
    good, bad = [], []
    with tempfile.TemporaryDirectory() as folder:
        offered = ytdlp_runtimes.offer(Path(folder, "bin"), path)
        for name in ytdlp_runtimes.find(path):
            info = kinds[name](offered[name]).info if name in offered else None
            if name not in offered:
                bad.append(f"{name} cannot be kept from the network on this machine")
            elif info is None:
                bad.append(f"{name} does not start")
            elif not info.supported:
                bad.append(f"{info.name} {info.version} is too old")
            else:
                good.append(f"{info.name} {info.version}")
    return good, bad


def _aside(words: list[str]) -> str:
    return f" ({', '.join(words)})" if words else ""


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _wanted() -> str:
    """The version of the solver that this yt-dlp names; it takes no other with another second number."""
    named = (re.match(rf"{_SOLVER}==([\w.]+)", each) for each in metadata.requires("yt-dlp") or ())
    return next((match[1] for match in named if match), "")
