"""A file of ours as an answer: ranges one at a time, a strong ETag, a type from our own list, nothing that runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from clipstead.errors import ClipsteadError, Expired
from clipstead.jobs import Result
from clipstead.media.mime import SHOWN
from clipstead.server.dialect import Refusal
from clipstead.server.presence import StreamCut, while_present
from clipstead.server.ranges import Span, Unsatisfiable, asked, has_already
from clipstead.server.responses import disposition
from clipstead.server.sending import begin, finish, hand_over

_CHUNK = 1024 * 1024
_HEADERS = {
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
    "access-control-expose-headers": "Content-Length, Content-Range, Content-Disposition, ETag, X-Request-Id",
    "cache-control": "private, max-age=0, must-revalidate",
    "accept-ranges": "bytes",
}


class FileAnswer(Response):
    """A file whose size in bytes and SHA-256 in hex are known; `name` is what it is saved as. Raises Refusal (416)."""

    def __init__(self, request: Request, name: str, mime: str, size: int, sha256: str, *, inline: bool = False) -> None:
        super().__init__()
        self._size = size
        self._only_head = request.method == "HEAD"
        tag = f'"{sha256[:40]}"'
        shown = inline and mime in SHOWN.values()
        self._told = _HEADERS | {
            "content-type": mime,
            "content-disposition": disposition(name, inline=shown),
            "etag": tag,
        }
        self._fresh = has_already(request.headers.get("if-none-match"), tag)
        changed = request.headers.get("if-range", tag) != tag
        self._span = None if changed or self._fresh else self._asked(request.headers.get("range"))

    def blocks(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` up to `end` (exclusive). What it raises before the first of them is answered."""
        raise NotImplementedError

    def _asked(self, header: str | None) -> Span | None:
        try:
            return asked(header, self._size)
        except Unsatisfiable:
            raise Refusal(416, "The range lies beyond the file", {"content-range": f"bytes */{self._size}"}) from None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ends as soon as the client is gone."""
        if self._fresh:
            return await begin(send, 304, self._told, done=True)
        start, last = (0, self._size - 1) if self._span is None else (self._span.start, self._span.last or 0)
        told = self._told | {"content-length": str(last - start + 1)}
        if self._span is not None:
            told["content-range"] = f"bytes {start}-{last}/{self._size}"
        status = 200 if self._span is None else 206
        if self._only_head:
            return await begin(send, status, told, done=True)
        async with aclosing(self.blocks(start, last + 1)) as blocks:
            await while_present(receive, _pour(send, status, told, blocks, last + 1 - start))


class Stored(FileAnswer):
    """The result of a job, at `path`. Raises Refusal (416), and Expired where the file has just gone."""

    def __init__(self, request: Request, result: Result, path: Path, *, inline: bool = False) -> None:
        super().__init__(request, result.name, result.mime, result.bytes, result.sha256, inline=inline)
        self._path = path

    async def blocks(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Read in a thread, a megabyte at a time."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise Expired("File not found or expired") from None
        try:
            while piece := await asyncio.to_thread(os.pread, descriptor, min(_CHUNK, end - start), start):
                start += len(piece)
                yield piece
        finally:
            os.close(descriptor)


async def _pour(
    send: Send, status: int, told: dict[str, str], blocks: AsyncGenerator[bytes, None], length: int
) -> None:
    piece = await anext(blocks, b"")
    await begin(send, status, told)
    while piece:
        length -= len(piece)
        await hand_over(send, piece)
        try:
            piece = await anext(blocks, b"")
        except ClipsteadError as error:
            raise StreamCut(str(error)) from None
    if length:
        raise StreamCut("a file is shorter than it was")
    await finish(send)
