"""An answer to a request that was not read to its end: told at once, and the connection closed without cutting it off.

A socket closed while bytes still arrive on it is reset, and a reset may overtake the answer. So what still comes is
read and thrown away for a moment, until the client has seen that it need not go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

_KEY = "clipstead.read"
_SMALL = 64 * 1024  # the server reads past so much by itself
_LINGER_SECONDS = 3.0
_SILENCE_SECONDS = 0.3
_LINGER_BYTES = 32 * 1024 * 1024


def read_to_end(scope: MutableMapping[str, Any]) -> None:
    """Remember that nothing of this request's body is left."""
    scope[_KEY] = True


def parting(request: Request, response: Response) -> Response:
    """`response` as it must be sent, whatever of the request's body is still under way."""
    headers = request.headers
    told = headers.get("content-length", "0")
    large = "transfer-encoding" in headers or not (told.isdigit() and len(told) < 20 and int(told) <= _SMALL)
    return _Farewell(response) if large and not request.scope.get(_KEY) else response


class _Farewell(Response):
    def __init__(self, response: Response) -> None:
        super().__init__(status_code=response.status_code)
        self._response = response
        response.headers["connection"] = "close"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def held(message: Message) -> None:
            last = message["type"] == "http.response.body" and not message.get("more_body")
            await send({**message, "more_body": True} if last else message)

        await self._response(scope, receive, held)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                await _read_past(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _read_past(receive: Receive) -> None:
    left = _LINGER_BYTES
    while left > 0:
        async with asyncio.timeout(_SILENCE_SECONDS):
            message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return
        left -= len(message.get("body", b""))
