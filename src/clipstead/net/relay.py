"""Bytes between two connections, with bounded buffers and an end when nothing moves any more."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from clipstead.net.streams import BUFFER, Streams


async def both_ways(client: Streams, upstream: Streams, *, idle: float, clock: Callable[[], float]) -> None:
    """Until both ends have closed, or one broke, or no byte moved for `idle` seconds."""
    moved = _Moved(clock)
    flows = {_start(_flow(client[0], upstream[1], moved)), _start(_flow(upstream[0], client[1], moved))}
    await _watch(flows, moved, idle, first_ends_it=False)


async def one_answer(client: Streams, upstream: Streams, *, idle: float, clock: Callable[[], float]) -> None:
    """What `upstream` says until it closes; anything more from the client ends it, so nothing can ride along."""
    moved = _Moved(clock)
    flows = {_start(_flow(upstream[0], client[1], moved)), _start(_anything(client[0]))}
    await _watch(flows, moved, idle, first_ends_it=True)


class _Moved:
    """When a byte last moved."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at = clock()

    def now(self) -> None:
        self._at = self._clock()

    def ago(self) -> float:
        return self._clock() - self._at


async def _watch(flows: set[asyncio.Task[None]], moved: _Moved, idle: float, *, first_ends_it: bool) -> None:
    running = set(flows)
    try:
        while running and (left := idle - moved.ago()) > 0:
            done, running = await asyncio.wait(running, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if done and (first_ends_it or any(task.exception() for task in done)):
                return
    finally:
        for task in flows:
            task.cancel()
        await asyncio.gather(*flows, return_exceptions=True)


def _start(flow: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.get_running_loop().create_task(flow)


async def _flow(source: asyncio.StreamReader, sink: asyncio.StreamWriter, moved: _Moved) -> None:
    while piece := await source.read(BUFFER):
        moved.now()
        sink.write(piece)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


async def _anything(source: asyncio.StreamReader) -> None:
    await source.read(1)
