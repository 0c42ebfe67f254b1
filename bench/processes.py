"""Children of a measurement: started, waited for, and ended whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def child(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process whose standard output can be read, ended at the end."""
    process = subprocess.Popen(
        command, env={**os.environ, **(env or {})}, cwd=cwd, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def wait_for(address: str, seconds: float = 30) -> None:
    """Until `address` answers 200; TimeoutError when it does not."""
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        try:
            with urllib.request.urlopen(address, timeout=5) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.01)
    raise TimeoutError(f"{address} did not answer")


def clipstead() -> str:
    """The installed command beside the running Python."""
    return str(Path(sys.executable).with_name("clipstead"))


def python() -> str:
    """The running interpreter."""
    return sys.executable
