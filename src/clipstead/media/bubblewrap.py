"""Bubblewrap, where it is installed and works: a program gets name spaces of its own besides the filters."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from clipstead.media import landlock, seccomp
from clipstead.media.confine import Layers, Reach

_FILTER = 9  # the descriptor the filter is handed over by
_OWN = (
    "--unshare-user-try",
    "--unshare-ipc",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-uts",
    "--unshare-cgroup-try",
)


def find(wanted: str) -> str:
    """The path of bwrap: `wanted` itself, "" for the one in PATH, "off" for none."""
    return "" if wanted == "off" else shutil.which(wanted or "bwrap") or ""


def wrap(argv: Sequence[str], folder: str, reach: Reach, layers: Layers) -> list[str]:
    """The command that runs `argv` within; the seccomp filter, if any, is left open for it on descriptor 9."""
    binds = [part for path in (*landlock.system_paths(), *reach.read, *reach.execute) for part in _bind(path)]
    writes = [part for path in reach.write for part in ("--bind", path, path)]
    kept = ("--cap-add", "CAP_DAC_OVERRIDE", "--cap-add", "CAP_DAC_READ_SEARCH") if os.geteuid() == 0 else ()
    private = ("--die-with-parent", "--cap-drop", "ALL", *kept, "--dev", "/dev", "--proc", "/proc")
    filtered = ("--seccomp", str(_open_filter())) if layers.seccomp else ()
    # What is not bound is memory: nothing may be written there.
    place = ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", folder, *filtered, "--")
    return [layers.bubblewrap, *_OWN, *private, *binds, *writes, *place, *argv]


def _bind(path: str) -> tuple[str, ...]:
    return () if path.startswith(("/dev/", "/proc/")) else ("--ro-bind", path, path)


def _open_filter() -> int:
    """The filter in a file that lives in memory and ends with this process."""
    filter_bytes = seccomp.program(may_execute=True, own_pid=None)
    assert filter_bytes is not None
    memory = os.memfd_create("seccomp")
    os.write(memory, filter_bytes)
    os.lseek(memory, 0, os.SEEK_SET)
    if memory == _FILTER:  # of itself, the one that is free
        os.set_inheritable(memory, True)
    else:
        os.dup2(memory, _FILTER, inheritable=True)
        os.close(memory)
    return _FILTER


def works(program: str, layers: Layers) -> bool:
    """Whether it runs here at all: containers often forbid the name spaces it needs."""
    if not program:
        return False
    tried = Layers(layers.landlock, layers.seccomp, program)
    command = wrap(["/bin/sh", "-c", "exit 0"], "/", Reach(read=["/bin"] if Path("/bin").is_dir() else []), tried)
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=False, close_fds=False)  # noqa: S603  # ours
    except (OSError, subprocess.TimeoutExpired):
        return False
    finally:
        if layers.seccomp:
            os.close(_FILTER)
    return done.returncode == 0
