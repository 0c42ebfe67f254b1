"""The guarded proxy on loopback through which code that is not ours (yt-dlp) reaches the world."""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from clipstead.errors import AddressRefused, UpstreamError
from clipstead.net import relay
from clipstead.net.egress_head import Head, read_head, read_plain, read_tunnel, token_of
from clipstead.net.guard import Guard
from clipstead.net.proxy import parse_proxy
from clipstead.net.streams import Streams, dial

_HEAD_BYTES = 8 * 1024
_DOORSTEP = 4  # so many times `max_tunnels` may stand at the door, their requests not read yet


@dataclass(eq=False, slots=True)
class _Lease:
    """What one child may do and has done: its connections, and the last target that was refused to it."""

    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    refused: str = ""


class _Turned(Exception):
    """The request ends here with an HTTP status of the proxy's own."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Egress:
    """CONNECT tunnels, and plain http in absolute form, for whoever holds a lease; every target passes the guard.

    Answers 407 without a live token, 403 with the reason for a refused target, 502 for one that cannot be reached,
    503 above `max_tunnels`. Buffers are bounded; seconds: `head_timeout` for the request, `connect_timeout` for each
    address, `idle_timeout` without a byte either way, `total_timeout` for a tunnel's life. With `proxy` it dials that.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        proxy: str = "",
        max_tunnels: int = 64,
        head_timeout: float = 10.0,
        connect_timeout: float = 10.0,
        idle_timeout: float = 60.0,
        total_timeout: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guard = guard
        self._proxy = parse_proxy(proxy)
        self._max_tunnels = max_tunnels
        self._head_timeout = head_timeout
        self._connect_timeout = connect_timeout
        self._idle_timeout = idle_timeout
        self._total_timeout = total_timeout
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._leases: dict[str, _Lease] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Listen on 127.0.0.1, on a port the system picks."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_HEAD_BYTES)

    async def stop(self) -> None:
        """Cut every tunnel and stop listening; all leases end."""
        self._leases.clear()
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def lease(self) -> str:
        """A proxy URL for one child, good until `release` or `stop`. Raises RuntimeError before `start`."""
        if self._server is None:
            raise RuntimeError("the egress proxy is not running")
        token = secrets.token_urlsafe(24)
        self._leases[token] = _Lease()
        return f"http://x:{token}@127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def release(self, url: str) -> None:
        """End a lease and cut its tunnels; one that is over already is no error."""
        lease = self._leases.pop(urlsplit(url).password or "", None)
        for task in lease.tasks if lease else ():
            task.cancel()

    def refused(self, url: str) -> str:
        """Why this lease's last refused target was refused, "" if none was: children often hide a proxy's reason."""
        lease = self._leases.get(urlsplit(url).password or "")
        return lease.refused if lease else ""

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= _DOORSTEP * self._max_tunnels:
            writer.transport.abort()
            return
        # a task of our own: asyncio 3.11 logs an error when a handler it started is cancelled
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        done = False
        try:
            async with asyncio.timeout(self._total_timeout):
                await self._answer(reader, writer)
            done = True
        except (OSError, asyncio.IncompleteReadError):  # TimeoutError is an OSError; else the other end is gone
            pass
        finally:
            if done:
                writer.close()  # what is still buffered goes out first
            else:
                writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await self._head(reader)
            lease = self._leases.get(token_of(head))
            if lease is None:
                raise _Turned(407, "Proxy Authentication Required")
            if sum(len(known.tasks) for known in self._leases.values()) >= self._max_tunnels:
                raise _Turned(503, "Too many tunnels")
            await self._under(lease, self._pass_on(head, lease, reader, writer))
        except _Turned as turned:
            writer.write(_refusal(turned))
            await writer.drain()

    async def _under(self, lease: _Lease, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.current_task()
        assert task is not None
        lease.tasks.add(task)
        try:
            await work
        finally:
            lease.tasks.discard(task)

    async def _head(self, reader: asyncio.StreamReader) -> Head:
        try:
            async with asyncio.timeout(self._head_timeout):
                return read_head(await reader.readuntil(b"\r\n\r\n"))
        except TimeoutError:
            raise _Turned(408, "Request Timeout") from None
        except asyncio.LimitOverrunError:
            raise _Turned(431, "Request Header Fields Too Large") from None
        except ValueError:
            raise _Turned(400, "Bad Request") from None

    async def _pass_on(
        self, head: Head, lease: _Lease, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            plain = None if head.method == "CONNECT" else read_plain(head)
            host, port = (plain.host, plain.port) if plain else read_tunnel(head)
        except ValueError as error:
            lease.refused = f"Refused: {error}"
            raise _Turned(403, lease.refused) from None
        upstream = await self._connect(lease, host, port)
        try:
            if plain is None:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await relay.both_ways((reader, writer), upstream, idle=self._idle_timeout, clock=self._clock)
            else:
                upstream[1].write(plain.head + await reader.readexactly(plain.body))
                await relay.one_answer((reader, writer), upstream, idle=self._idle_timeout, clock=self._clock)
        finally:
            upstream[1].transport.abort()

    async def _connect(self, lease: _Lease, host: str, port: int) -> Streams:
        try:
            routes = await self._guard.route(host, port)
            return await dial(self._guard, routes, self._proxy, within=self._connect_timeout)
        except AddressRefused as error:
            lease.refused = str(error)
            raise _Turned(403, str(error)) from None
        except UpstreamError as error:
            raise _Turned(502, str(error)) from None


def _refusal(turned: _Turned) -> bytes:
    challenge = 'Proxy-Authenticate: Basic realm="clipstead"\r\n' if turned.status == 407 else ""
    body = f"{turned}\n".encode()
    return (
        f"HTTP/1.1 {turned.status} {turned}\r\n{challenge}Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body
