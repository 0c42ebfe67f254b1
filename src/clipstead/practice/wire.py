"""Answers on the wire: sent as they should be, or broken in every way a network knows."""

import asyncio
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from aiohttp import web

from clipstead.practice.faults import Fault

_PIECE = 512 * 1024
_HTML = (
    b"<!DOCTYPE html><html><head><title>Access restricted</title></head><body><h1>Sorry</h1>"
    b"<p>This file is not available right now.</p></body></html>"
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that has not been sent yet."""

    body: bytes | memoryview = b""
    type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


def redirect(location: str, status: int = 302, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """A redirect with the anchor in its body that the real site has."""
    body = f'<a href="{location}">{"Moved Permanently" if status == 301 else "Found"}</a>.\n\n'.encode()
    return Reply(body, status=status, headers=(("Location", location), *headers))


class Wire:
    """Sends replies; `trap` is the private address that poisoned redirects lead to."""

    def __init__(self, trap: Callable[[], str]) -> None:
        self._trap = trap
        self.bytes_per_second = 0
        self.closing = asyncio.Event()

    async def send(self, request: web.BaseRequest, reply: Reply, fault: Fault | None = None) -> web.StreamResponse:
        """The reply, or what the fault makes of it; a client that leaves in the middle is nobody's error."""
        try:
            return await (self._whole(request, reply) if fault is None else self._faulty(request, reply, fault))
        except ConnectionError:
            return _drop(request)

    async def _faulty(self, request: web.BaseRequest, reply: Reply, fault: Fault) -> web.StreamResponse:
        if fault.status is not None:
            wait = (("Retry-After", fault.argument or "1"),) if fault.argument or fault.status == 429 else ()
            return await self._whole(request, Reply(b"upstream error", "text/plain", fault.status, wait))
        match fault.name:
            case "reset":
                return _drop(request)
            case "loop":
                return await self._whole(request, redirect(str(request.url)))
            case "trap":
                return await self._whole(request, redirect(self._trap() + request.path))
            case "redirect":
                return await self._whole(request, redirect(fault.argument))
            case "html":
                return await self._whole(request, replace(reply, body=_HTML))
            case "garbage":
                noise = random.Random(len(reply.body)).randbytes(len(reply.body))  # noqa: S311 - noise, not a secret
                return await self._whole(request, replace(reply, body=noise))
            case "endless" | "oversize":
                length = int(fault.argument or 5 << 30) if fault.name == "oversize" else None
                return await self._flood(request, reply, length)
            case "slow" | "stall" | "truncated":
                return await self._broken(request, reply, fault)
            case _:
                raise ValueError(f"{fault.target}:{fault.name} is no fault of the wire")

    async def _whole(self, request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
        if len(reply.body) <= _PIECE and not self.bytes_per_second:
            response = web.Response(body=bytes(reply.body), status=reply.status)
            _label(response, reply)
            return response
        stream = await _begin(request, reply, len(reply.body))
        if request.method != "HEAD":
            step = max(1, self.bytes_per_second // 20) if self.bytes_per_second else _PIECE
            for piece in _pieces(reply.body, step):
                await stream.write(piece)
                if self.bytes_per_second:
                    await asyncio.sleep(len(piece) / self.bytes_per_second)
        await stream.write_eof()
        return stream

    async def _broken(self, request: web.BaseRequest, reply: Reply, fault: Fault) -> web.StreamResponse:
        """slow, stall or truncated."""
        stream = await _begin(request, reply, len(reply.body))
        if request.method == "HEAD":
            return stream
        if fault.name == "slow":
            step = max(1, len(reply.body) // 20)
            for piece in _pieces(reply.body, step):
                await stream.write(piece)
                await self._pause(request, float(fault.argument or 2) / 20)
            await stream.write_eof()
            return stream
        part = len(reply.body) // (3 if fault.name == "stall" else 2)
        await stream.write(memoryview(reply.body)[:part])
        if fault.name == "stall":
            await self._pause(request, 3600)
        if request.transport is not None:
            request.transport.close()
        return stream

    async def _flood(self, request: web.BaseRequest, reply: Reply, length: int | None) -> web.StreamResponse:
        stream = await _begin(request, reply, length)
        left = (1 << 42) if length is None else length
        if request.method == "HEAD":
            return stream
        await stream.write(memoryview(reply.body)[:left])
        left -= len(reply.body)
        block = bytes(256 * 1024)
        while left > 0 and not self.closing.is_set():
            await stream.write(block[:left])
            left -= len(block)
            await asyncio.sleep(0)
        return stream

    async def _pause(self, request: web.BaseRequest, seconds: float) -> None:
        """That long, or until the world closes or the client is gone."""
        until = asyncio.get_running_loop().time() + seconds
        while (left := until - asyncio.get_running_loop().time()) > 0:
            if self.closing.is_set() or request.transport is None or request.transport.is_closing():
                raise ConnectionResetError("the client is gone")
            await asyncio.sleep(min(left, 0.05))


async def _begin(request: web.BaseRequest, reply: Reply, length: int | None) -> web.StreamResponse:
    stream = web.StreamResponse(status=reply.status)
    _label(stream, reply)
    stream.content_length = length
    if length is None:
        stream.enable_chunked_encoding()
    await stream.prepare(request)
    return stream


def _label(response: web.StreamResponse, reply: Reply) -> None:
    response.headers["Content-Type"] = reply.type
    for name, value in reply.headers:
        response.headers.add(name, value)
    response.headers.setdefault("Server", "TLB")


def _pieces(body: bytes | memoryview, step: int) -> list[memoryview]:
    view = memoryview(body)
    return [view[at : at + step] for at in range(0, len(view), step)]


def _drop(request: web.BaseRequest) -> web.StreamResponse:
    """Reset the connection: the client gets neither a byte nor a polite end."""
    transport = request.transport
    if transport is not None:
        end = transport.get_extra_info("socket")
        if end is not None:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()
