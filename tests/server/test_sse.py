"""The hub: one watcher, any number of listeners, nobody queued for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import Response

from clipstead.errors import NotFound
from clipstead.server.sse import KEEP_ALIVE, Event, Hub


class Source:
    """Events as a test lets them come."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Event | NotFound] = asyncio.Queue()
        self.watchers = 0

    async def watch(self, subject: str) -> AsyncIterator[Event]:
        self.watchers += 1
        try:
            while True:
                event = await self.queue.get()
                if isinstance(event, NotFound):
                    raise event
                yield event
                if event.last:
                    return
        finally:
            self.watchers -= 1

    def tell(self, number: int, stage: str = "working", *, last: bool = False) -> None:
        self.queue.put_nowait(Event(number, stage, b"%d" % number, last))


class Listener:
    """The other end of an answer: what came, in pieces, and when to leave."""

    def __init__(self, answer: Response) -> None:
        self.pieces: list[bytes] = []
        self.came = asyncio.Condition()
        self.leave = asyncio.Event()
        self.held = asyncio.Event()
        self.held.set()
        self.task = asyncio.create_task(answer({}, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self.held.wait()
        if body := message.get("body"):
            async with self.came:
                self.pieces.append(body)
                self.came.notify_all()

    async def until(self, count: int) -> list[bytes]:
        """The first so many pieces."""
        async with asyncio.timeout(10), self.came:
            await self.came.wait_for(lambda: len(self.pieces) >= count)
        return self.pieces


async def test_everybody_hears_the_same_bytes_from_one_watcher() -> None:
    """A latecomer begins with the newest; the last event ends every stream, and the watcher."""
    source = Source()
    hub = Hub(source.watch, gap=0)
    source.tell(1)
    early = [Listener(await hub.stream("a")) for _ in range(5)]
    for listener in early:
        await listener.until(1)
    source.tell(2)
    for listener in early:
        await listener.until(2)
    late = Listener(await hub.stream("a"))
    source.tell(3, "done", last=True)
    await asyncio.gather(*(listener.task for listener in (*early, late)))
    assert early[0].pieces[0] == b"data: 1\nid: 1\n\n"
    assert all(listener.pieces == early[0].pieces for listener in early)
    assert late.pieces == early[0].pieces[1:]
    assert early[0].pieces[2].startswith(b"data: 3\nid: 3\nretry: ")
    assert (source.watchers, len(hub)) == (0, 0)


async def test_who_leaves_is_forgotten() -> None:
    """With the last listener the watcher goes."""
    source = Source()
    hub = Hub(source.watch, gap=0)
    source.tell(1)
    listeners = [Listener(await hub.stream("a")) for _ in range(3)]
    for listener in listeners:
        await listener.until(1)
        listener.leave.set()
        await listener.task
    await asyncio.sleep(0)
    assert len(hub) == 0
    for _ in range(10):
        await asyncio.sleep(0)
    assert source.watchers == 0


async def test_closing_ends_every_stream_after_its_newest_event() -> None:
    """Also for who comes later; with the last of them the watcher goes."""
    source = Source()
    hub = Hub(source.watch, gap=0)
    source.tell(1)
    early, slow = Listener(await hub.stream("a")), Listener(await hub.stream("a"))
    await early.until(1)
    await slow.until(1)
    slow.held.clear()
    source.tell(2)
    await early.until(2)
    hub.close()
    await early.task
    late = Listener(await hub.stream("a"))
    slow.held.set()
    await asyncio.gather(late.task, slow.task)
    assert (slow.pieces[-1], late.pieces) == (early.pieces[1], early.pieces[1:])
    for _ in range(10):
        await asyncio.sleep(0)
    assert (source.watchers, len(hub)) == (0, 0)


async def test_a_reason_why_there_is_nothing_comes_before_the_answer() -> None:
    """An unknown subject is an error to whoever asks, not an empty stream."""
    source = Source()
    hub = Hub(source.watch)
    source.queue.put_nowait(NotFound("Job not found"))
    with pytest.raises(NotFound, match="Job not found"):
        await hub.stream("a")
    assert len(hub) == 0


async def test_a_slow_reader_gets_the_newest_and_never_a_queue() -> None:
    """What it missed is not sent afterwards."""
    source = Source()
    hub = Hub(source.watch, gap=0)
    source.tell(1)
    slow, quick = Listener(await hub.stream("a")), Listener(await hub.stream("a"))
    await slow.until(1)
    await quick.until(1)
    slow.held.clear()
    for number in range(2, 50):
        source.tell(number)
        await quick.until(number)
    source.tell(50, "done", last=True)
    await quick.task
    slow.held.set()
    await slow.task
    assert len(quick.pieces) == 50
    assert len(slow.pieces) <= 4
    assert slow.pieces[-1].startswith(b"data: 50\n")


async def test_silence_is_filled_with_comments() -> None:
    """A comment keeps proxies from giving up."""
    source = Source()
    hub = Hub(source.watch, keep_alive=0.01)
    source.tell(1)
    listener = Listener(await hub.stream("a"))
    assert (await listener.until(3))[1:3] == [KEEP_ALIVE, KEEP_ALIVE]
    listener.leave.set()
    await listener.task


async def test_progress_is_thinned_and_changes_are_not() -> None:
    """Of many events of a stage the newest is told, in time; a new stage and the end are told at once."""
    source = Source()
    hub = Hub(source.watch, gap=3600)
    source.tell(1, "pending")
    listener = Listener(await hub.stream("a"))
    await listener.until(1)
    for number in range(2, 40):
        source.tell(number, "pending")
    source.tell(40, "processing")
    for number in range(41, 80):
        source.tell(number, "processing")
    source.tell(80, "completed", last=True)
    await listener.task
    assert [piece.split(b"\n")[0] for piece in listener.pieces] == [b"data: 1", b"data: 40", b"data: 80"]


async def test_nothing_older_than_what_was_seen() -> None:
    """Last-Event-ID: the same again, but nothing before it."""
    source = Source()
    hub = Hub(source.watch, gap=0)
    source.tell(5)
    listener = Listener(await hub.stream("a", 7))
    again = Listener(await hub.stream("a", 5))
    await again.until(1)
    source.tell(7)
    source.tell(8, last=True)
    await asyncio.gather(listener.task, again.task)
    assert listener.pieces[0].startswith((b"data: 7\n", b"data: 8\n"))
    assert again.pieces[0].startswith(b"data: 5\n")
