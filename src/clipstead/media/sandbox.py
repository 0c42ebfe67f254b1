"""The fence around every program and library that reads strangers' media: limits, no sockets, only the files named."""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import clipstead
from clipstead.errors import ToolFailed
from clipstead.media.confine import Layers, Limits, Reach
from clipstead.media.wire import Message, Wire

__all__ = ["Child", "Exit", "Layers", "Limits", "Reach", "Sandbox", "attended", "everything", "lines", "real", "tail"]

_START_SECONDS = 30.0
_BY_SHELL = {128 + number: number for number in (signal.SIGXCPU, signal.SIGXFSZ, signal.SIGKILL)}  # as bwrap tells it
_LOST = "The sandbox was lost"
# The very package that runs here, wherever it came from: an installed one may be another.
_HATCH = (
    "import sys; sys.path.insert(0, sys.argv.pop()); import clipstead; del sys.path[0]; "
    "from clipstead.media.nest import main; main(sys.argv[1:])"
)
_TAIL = 8192
_Reading = tuple[asyncio.StreamReader, asyncio.BaseTransport]


@dataclass(frozen=True, slots=True)
class Exit:
    """How a child ended: its exit code (negative: the signal that ended it), CPU seconds, peak resident bytes."""

    status: int
    cpu: float = 0.0
    peak: int = 0


class Child:
    """One running child. Its output comes by `stdout` and `stderr`; whoever ordered it must `release` it in the end."""

    def __init__(self, number: int, sandbox: "Sandbox", stdout: _Reading, stderr: _Reading) -> None:
        self.number = number
        self.stdout, self.stderr = stdout[0], stderr[0]
        self._pipes = (stdout[1], stderr[1])
        self.ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._sandbox = sandbox

    def kill(self) -> None:
        """SIGKILL for its whole group; nothing happens if it has ended."""
        if not self.ended.done():
            self._sandbox.tell({"kill": self.number})

    def release(self) -> None:
        """Kill it and let go of its output, read or not: uvloop would keep an ended pipe open for ever."""
        self.kill()
        for pipe in self._pipes:
            pipe.close()

    async def wait(self) -> Exit:
        """How it ended. Raises ToolFailed when the sandbox itself was lost."""
        return await asyncio.shield(self.ended)


class Sandbox:
    """Starts confined children, from one warm process that is started with the first of them.

    `bubblewrap` is the path of bwrap, "" to look for it, "off" to do without. One event loop at a time.
    """

    def __init__(self, *, bubblewrap: str = "") -> None:
        self._bubblewrap = bubblewrap
        self._numbers = itertools.count(1)
        self._children: dict[int, Child] = {}
        self._starting = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: Wire | None = None
        self._hello: asyncio.Future[Layers] | None = None
        self.layers = Layers()

    async def start(self) -> Layers:
        """Bring the warm process up if it is not, and say which fences hold here. Raises ToolFailed."""
        async with self._starting:
            if self._wire is None or self._hello is None:
                self._hello = await self._open()
        try:
            self.layers = await asyncio.wait_for(asyncio.shield(self._hello), _START_SECONDS)
        except TimeoutError:
            self._lose()
            raise ToolFailed("The sandbox does not start") from None
        return self.layers

    async def warm(self, *modules: str) -> None:
        """Have modules loaded before their first call needs them."""
        await self.start()
        for module in modules:
            self.tell({"warm": module})

    async def execute(
        self, argv: Sequence[str], *, folder: Path, reach: Reach, limits: Limits, environment: Mapping[str, str]
    ) -> Child:
        """Start the program `argv[0]` (an absolute path) in `folder`. Raises ToolFailed."""
        order = {"argv": list(argv), "environment": dict(environment), "folder": str(folder)}
        return await self._spawn(order | {"reach": asdict(reach), "limits": asdict(limits)}, ())

    async def call(self, module: str, payload: Message, *, files: Sequence[int], limits: Limits) -> Child:
        """Have a child run `answer(payload, files)` of `module` and write what it returned to stdout, as JSON.

        `files` are open descriptors: with them, and with nothing else of the machine, it works.
        """
        return await self._spawn({"module": module, "payload": payload, "limits": asdict(limits)}, files)

    async def _spawn(self, order: Message, files: Sequence[int]) -> Child:
        await self.start()
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        try:
            child = Child(next(self._numbers), self, await _reader(out), await _reader(err))
            self._children[child.number] = child
            descriptors = (out_end, err_end, *files)
            self.tell(order | {"id": child.number, "descriptors": len(descriptors)}, descriptors)
        finally:
            os.close(out_end)
            os.close(err_end)
        return child

    def tell(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send to the nest; if it is gone, every child is known as lost."""
        try:
            if self._wire is None:
                raise ConnectionError
            self._wire.send(message, descriptors)
        except OSError:
            self._lose()

    async def _open(self) -> asyncio.Future[Layers]:
        await self._bury()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.to_thread(_hatch, theirs.fileno(), self._bubblewrap)
        self._wire = Wire(ours)
        loop = asyncio.get_running_loop()
        loop.add_reader(ours, self._listen)
        return loop.create_future()

    def _listen(self) -> None:
        messages = self._wire.receive() if self._wire else None
        if messages is None:
            self._lose()
        for message in messages or []:
            if "hello" in message:
                self._greeted(Layers(message["landlock"], message["seccomp"], message["bwrap"]))
            else:
                self._ended(message)

    def _greeted(self, layers: Layers) -> None:
        if self._hello and not self._hello.done():
            self._hello.set_result(layers)

    def _ended(self, message: Message) -> None:
        child = self._children.pop(message["exit"])
        status = message["status"]
        if self.layers.bubblewrap:
            status = -_BY_SHELL[status] if status in _BY_SHELL else status
        if not child.ended.done():
            child.ended.set_result(Exit(status, message["cpu"], message["peak"]))

    def _lose(self) -> None:
        """The nest is gone, and by its end every child: the next order starts another."""
        if self._wire is not None:
            asyncio.get_running_loop().remove_reader(self._wire.socket)
            self._wire.close()
            self._wire = None
        if self._hello and not self._hello.done():
            self._hello.set_exception(ToolFailed(_LOST))
        for child in self._children.values():
            if not child.ended.done():
                child.ended.set_exception(ToolFailed(_LOST))
                child.ended.exception()  # whether anybody still waits for it or not
        self._children.clear()

    async def close(self) -> None:
        """End the warm process and every child with it."""
        if self._wire is not None:
            self._lose()
        await self._bury()

    async def _bury(self) -> None:
        """Wait for a warm process that has lost its other end, and so is ending."""
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)
            self._process = None


@asynccontextmanager
async def attended(child: Child, wall: float) -> AsyncIterator[Child]:
    """Whatever happens inside, the child is gone after it. Raises TimeoutError when `wall` seconds are over."""
    try:
        async with asyncio.timeout(wall):
            yield child
    finally:
        child.release()
        await asyncio.wait([child.ended])


async def lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Line after line until the end; one that is longer than any program of ours writes is cut."""
    rest = b""
    while data := await stream.read(1 << 12):
        *whole, rest = (rest[-_TAIL:] + data).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")


async def everything(stream: asyncio.StreamReader, most: int) -> bytes:
    """All of it, read to the end. Raises ToolFailed beyond `most` bytes."""
    data = b""
    while more := await stream.read(1 << 16):
        data += more
        if len(data) > most:
            raise ToolFailed("A child of the sandbox said too much")
    return data


async def tail(stream: asyncio.StreamReader, most: int = _TAIL) -> str:
    """Read to the end, keep the last `most` bytes: a hostile file can make a program complain for ever."""
    kept = b""
    while data := await stream.read(1 << 16):
        kept = (kept + data)[-most:]
    return kept.decode(errors="replace").strip()


def real(path: Path) -> str:
    """The path as a fence is told it: absolute, links followed."""
    return str(path.resolve())


async def _reader(descriptor: int) -> _Reading:
    reader = asyncio.StreamReader()
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader, transport


def _hatch(end: int, bubblewrap: str) -> subprocess.Popen[bytes]:
    root = str(Path(clipstead.__file__).resolve().parents[1])
    # -P and the root folder: nothing in the folder a user stands in may be taken for a module of Python's or ours.
    command = [sys.executable, "-P", "-c", _HATCH, str(end), bubblewrap, root]
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module
        command, pass_fds=[end], stdin=subprocess.DEVNULL, start_new_session=True, env=_environment(), cwd="/"
    )


def _environment() -> dict[str, str]:
    """No secret of ours reaches the nest: only what Python and the libraries need to be found."""
    kept = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    paths = [str(Path(path).resolve()) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    return found | {"MALLOC_ARENA_MAX": "4", "PYTHONPATH": os.pathsep.join(paths)}
