"""How an answer leaves us that comes in pieces: its head, then each piece as the reader takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.types import Send

from clipstead.server.presence import StreamCut

_READER_SECONDS = 120.0  # that a reader may take no byte at all before its connection is given up


async def begin(send: Send, status: int, headers: Mapping[str, str], *, done: bool = False) -> None:
    """Status and headers; with `done` there is no body."""
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    if done:
        await finish(send)


async def hand_over(send: Send, piece: bytes) -> None:
    """Waits until what was sent before has left us: a slow reader slows its source, it does not fill our memory.

    Raises StreamCut where nothing leaves any more.
    """
    try:
        async with asyncio.timeout(_READER_SECONDS):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except TimeoutError:
        raise StreamCut("the reader has stopped reading") from None


async def finish(send: Send) -> None:
    """Nothing more comes."""
    await send({"type": "http.response.body", "body": b"", "more_body": False})
