"""The parent's end of one yt-dlp worker: started with a bare environment, asked line by line, ended for certain."""

import asyncio
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clipstead.errors import ProviderFailed
from clipstead.resolve.loose import Node, decode, node
from clipstead.resolve.ytdlp_errors import public
from clipstead.resolve.ytdlp_runtimes import offer

LONGEST_ANSWER = 16 * 1024 * 1024
MOST_MEMORY = 2 * 1024**3
"""Bytes of data a worker may hold before it gets a MemoryError and ends."""

_WORKER = Path(__file__).with_name("ytdlp_worker.py")
"""Started by its path: as a module it would first import this whole package, 50 MB that it has no use for."""

TOOLS = "bin"

_BUN_CODE = 128 * 1024 * 1024
"""Bytes that bun sets aside for compiled code: as much as it would by itself, it gets none under our limit on data, and
then compiles nothing."""

_STDERR_KEPT = 4096
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker is told at its start: files by path ("" for none), `memory` in bytes, `generic` for tests only."""

    ca_file: str = ""
    cookies_file: str = ""
    generic: bool = False
    memory: int = MOST_MEMORY

    def told(self, proxy: str) -> dict[str, object]:
        """As the worker reads it; the worker's own working directory is another one."""
        return {
            "parent": os.getpid(),
            "proxy": proxy,
            "ca_file": self.ca_file and str(Path(self.ca_file).absolute()),
            "cookies_file": self.cookies_file and str(Path(self.cookies_file).absolute()),
            "generic": self.generic,
            "memory": self.memory,
        }


class Gone(ProviderFailed):
    """The worker ended in the middle of its work."""


class Child:
    """One worker process, for one request at a time. `answered` counts requests, `rss` is its memory in bytes."""

    def __init__(self, process: asyncio.subprocess.Process, home: Path) -> None:
        self._process = process
        self._home = home
        self._stderr = b""
        self._drain = asyncio.ensure_future(self._keep_stderr())
        self._killed = False
        self.pid = process.pid
        self.answered = 0
        self.rss = 0

    @classmethod
    async def start(cls, setup: Setup, proxy: str) -> "Child":
        """Start a worker that goes out through `proxy` only. It imports yt-dlp at its first request."""
        home = Path(tempfile.mkdtemp(prefix="clipstead-ytdlp-"))
        try:
            runtimes = offer(home / TOOLS)
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(_WORKER),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LONGEST_ANSWER,
                cwd=home,
                env=_environment(home),
                start_new_session=True,
            )
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        child = cls(process, home)
        child._send(setup.told(proxy) | {"runtimes": runtimes})
        return child

    @property
    def alive(self) -> bool:
        """Whether it can still be asked, as far as is known."""
        assert self._process.stdout is not None
        return self._process.returncode is None and not self._process.stdout.at_eof()

    async def ask(self, url: str, language: str, entries: tuple[int, int] | None = None) -> Node:
        """The worker's answer about a post, or about those entries of a list.

        Raises Gone when it ends instead, ProviderFailed when it babbles.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        self._send({"url": url, "language": language, "entries": entries})
        try:
            await stdin.drain()
            line = await stdout.readline()
        except ConnectionError:
            line = b""
        except ValueError:
            raise ProviderFailed("yt-dlp gave an answer beyond all measure") from None
        if not line.endswith(b"\n"):
            raise Gone("The yt-dlp worker ended before it had an answer")
        answer = node(decode(line, "The answer of the yt-dlp worker"))
        self.answered += 1
        rss = answer.get("rss")
        self.rss = rss if isinstance(rss, int) else 0
        return answer

    def _send(self, message: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _keep_stderr(self) -> None:
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(_STDERR_KEPT):
            self._stderr = (self._stderr + chunk)[-_STDERR_KEPT:]

    def kill(self) -> None:
        """End it and whatever it started, now."""
        if not self._killed:
            self._killed = True
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    async def buried(self) -> None:
        """Kill it, wait until nothing is left of it, process and folder."""
        self.kill()
        code = await self._process.wait()
        await self._drain
        if code != -signal.SIGKILL:
            last_line = self._stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            _log.warning("a yt-dlp worker ended by itself (%d): %s", code, public(last_line))
        await asyncio.to_thread(shutil.rmtree, self._home, ignore_errors=True)


def _environment(home: Path) -> dict[str, str]:
    """Nothing of ours but what Python needs, so no secret; and a PATH on which nothing but runtimes can be found.

    Other programs that extractors would start when they find them, such as PhantomJS and ffmpeg, would dial past the
    egress proxy.
    """
    environment = {
        "BUN_JSC_jitMemoryReservationSize": str(_BUN_CODE),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": str(home / TOOLS),
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "TMPDIR": str(home),
        "YTDLP_NO_PLUGINS": "1",
    }
    if "PYTHONPATH" in os.environ:
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    return environment
