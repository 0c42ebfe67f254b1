"""Answers that take their time: they end when the client leaves, and are broken off where they cannot be finished."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from starlette.types import Receive


class StreamCut(Exception):
    """The answer had begun and cannot be finished: the connection must be broken, so that nobody takes it for whole."""


async def while_present(receive: Receive, work: Awaitable[None]) -> None:
    """Do `work` until it is done or the client has left, whichever is first."""
    doing = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_departure(receive))
    try:
        await asyncio.wait((doing, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        if not doing.done():
            doing.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)
    if not doing.cancelled():
        doing.result()


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
