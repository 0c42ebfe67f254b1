"""The JavaScript runtimes that a yt-dlp worker is given for YouTube's player code: none of them reaches the network.

deno keeps itself from it. node, bun and quickjs would let the code dial and start programs, past the egress proxy: they
are started behind a filter that refuses both, and where there is no such filter they are not offered.
"""

import shutil
import sys
from pathlib import Path

from clipstead.media import seccomp

_ENCLOSED = ("node", "bun", "qjs")
_NAMES = {"qjs": "quickjs"}  # programs that yt-dlp calls by another name
_LAUNCHER = """#!{python} -I
import importlib.util
import os
import sys

found = importlib.util.spec_from_file_location("seccomp", {module!r})
seccomp = importlib.util.module_from_spec(found)
found.loader.exec_module(seccomp)
seccomp.install(seccomp.program(may_execute=True, own_pid=None))
os.execv({real!r}, [{real!r}, *sys.argv[1:]])
"""


def offer(folder: Path) -> dict[str, str]:
    """Make `folder`, with what is there of them on this machine; yt-dlp's names for them, and where they are in it."""
    folder.mkdir()
    offered = {}
    deno = shutil.which("deno")
    if deno is not None:
        (folder / "deno").symlink_to(deno)
        offered["deno"] = str(folder / "deno")
    for program in _ENCLOSED if _can_enclose() else ():
        real = shutil.which(program)
        if real is not None:
            _write(folder / program, real)
            offered[_NAMES.get(program, program)] = str(folder / program)
    return offered


def _can_enclose() -> bool:
    return sys.platform == "linux" and seccomp.program(may_execute=True, own_pid=None) is not None


def _write(path: Path, real: str) -> None:
    path.write_text(_LAUNCHER.format(python=sys.executable, module=str(Path(seccomp.__file__ or "")), real=real))
    path.chmod(0o700)
