"""The JavaScript runtimes that a yt-dlp worker is given for YouTube's player code: none of them reaches the network.

deno keeps itself from it. node, bun and quickjs would let the code dial and start programs, past the egress proxy: they
are started behind a filter that refuses both, and where there is no such filter they are not offered.
"""

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from shlex import quote

from clipstead.media import seccomp

_OPEN = frozenset({"node", "bun", "qjs"})
"""Programs that reach the network unless they are kept from it."""

_PROGRAMS = {"deno": "deno", "node": "node", "quickjs": "qjs", "bun": "bun"}
"""By yt-dlp's names, in the order in which it asks them."""

_LAUNCHER = """import importlib.util, os, sys
found = importlib.util.spec_from_file_location("seccomp", {module!r})
seccomp = importlib.util.module_from_spec(found)
found.loader.exec_module(seccomp)
seccomp.install(seccomp.program(may_execute=True, own_pid=None))
os.execv({real!r}, [{real!r}, *sys.argv[1:]])
"""


def places() -> str:
    """Where runtimes are looked for, written as PATH is: first beside this Python, where pip puts them."""
    return os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)))


def find(path: str = "") -> dict[str, str]:
    """What is there of them in the folders of `path` ("" for `places`): programs by yt-dlp's names, best first."""
    found = {name: shutil.which(program, path=path or places()) for name, program in _PROGRAMS.items()}
    return {name: str(Path(real).absolute()) for name, real in found.items() if real is not None}


def offer(folder: Path, path: str = "") -> dict[str, str]:
    """Make `folder`, with those of them that can be kept from the network; where they are in it, by yt-dlp's names."""
    folder.mkdir()
    offered = {}
    for name, real in find(path).items():
        placed = folder / _PROGRAMS[name]
        if placed.name not in _OPEN:
            placed.symlink_to(real)
        elif _can_enclose():
            _write(placed, real)
        else:
            continue
        offered[name] = str(placed)
    return offered


def _can_enclose() -> bool:
    return sys.platform == "linux" and seccomp.program(may_execute=True, own_pid=None) is not None


def _write(path: Path, real: str) -> None:
    code = _LAUNCHER.format(module=str(Path(seccomp.__file__ or "")), real=real)
    # By way of a shell: a first line that names Python itself could hold neither a blank nor a long path.
    path.write_text(f'#!/bin/sh\nexec {quote(sys.executable)} -I -c {quote(code)} "$@"\n')
    path.chmod(0o700)
