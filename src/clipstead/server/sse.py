"""Server-Sent Events: one watcher a subject however many listen, each event encoded once, nobody queued for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from clipstead.errors import ClipsteadError
from clipstead.server.dialect import NotReady
from clipstead.server.presence import while_present

KEEP_ALIVE = b": keep-alive\n\n"
_HEADERS = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)
# Told with the last event: a browser whose script does not close its EventSource would ask again every three seconds.
_COME_BACK_MS = 3_600_000
_log = logging.getLogger("clipstead.server")


@dataclass(frozen=True, slots=True)
class Event:
    """A state worth telling. `number` grows with each change; `stage` is what must be told at once when it changes.

    `data` is one line, of JSON. `last` ends the stream.
    """

    number: int
    stage: str
    data: bytes
    last: bool = False

    def encoded(self) -> bytes:
        """As it goes over the wire, unnamed: EventSource gives it to `onmessage`."""
        retry = b"retry: %d\n" % _COME_BACK_MS if self.last else b""
        return b"data: %s\nid: %d\n%s\n" % (self.data, self.number, retry)


Watch = Callable[[str], AsyncIterator[Event]]


class Channel:
    """One subject's newest event, and the bell that rings when there is a newer one."""

    def __init__(self) -> None:
        self.listeners = 0
        self.beats = 0
        self.ended = False
        self.error: ClipsteadError | None = None
        self.newest: Event | None = None
        self.encoded = b""
        self.bell = asyncio.Event()

    def publish(self, event: Event) -> None:
        """Encode it, and wake everybody."""
        self.newest, self.encoded = event, event.encoded()
        self.ended = event.last
        self.ring()

    def ring(self) -> None:
        """Wake everybody; whoever waits next waits for the next bell."""
        self.bell.set()
        self.bell = asyncio.Event()


class Hub:
    """Streams for everybody who listens. `watch` gives a subject's events, newest first of all, and ends by itself.

    `keep_alive` is the longest silence, `gap` the shortest time between two events of one stage, both in seconds.
    A listener that reads slowly misses what was in between: it is given the newest when it has read the last.
    """

    def __init__(self, watch: Watch, *, keep_alive: float = 15.0, gap: float = 0.25) -> None:
        self._watch = watch
        self._keep_alive = keep_alive
        self._gap = gap
        self._closed = False
        self._channels: dict[str, tuple[Channel, asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        return len(self._channels)

    async def stream(self, subject: str, seen: int = 0) -> Response:
        """The answer to a listener; the first event, or the reason why there is none, is there when this returns.

        `seen` is the Last-Event-ID: nothing older than it is told but the end. Raises what `watch` raises before its
        first event, NotReady where there is none.
        """
        channel = self._join(subject)
        try:
            while channel.newest is None and not channel.ended:
                await channel.bell.wait()
            if channel.newest is None:
                raise channel.error or NotReady("The events cannot be read now")
        except BaseException:
            self._leave(subject, channel)
            raise
        return _Stream(self._pieces(channel, seen), lambda: self._leave(subject, channel))

    def close(self) -> None:
        """End every stream properly, each after the newest event: who listens comes back with its Last-Event-ID.

        Whoever comes later is told the newest event and no more.
        """
        self._closed = True
        for channel, _ in self._channels.values():
            channel.ring()

    def _join(self, subject: str) -> Channel:
        found = self._channels.get(subject)
        if found is None or found[0].ended:
            channel = Channel()
            found = channel, asyncio.create_task(self._pump(subject, channel))
            self._channels[subject] = found
        found[0].listeners += 1
        return found[0]

    def _leave(self, subject: str, channel: Channel) -> None:
        channel.listeners -= 1
        known = self._channels.get(subject)
        if not channel.listeners and known is not None and known[0] is channel:
            del self._channels[subject]
            known[1].cancel()

    async def _pump(self, subject: str, channel: Channel) -> None:
        beating = asyncio.create_task(self._beat(channel))
        try:
            async for event in _throttled(self._watch(subject), self._gap):
                channel.publish(event)
        except ClipsteadError as error:
            channel.error = error
            if channel.newest is not None:
                _log.warning("a stream of events broke off: %s", error)
        finally:
            beating.cancel()
            channel.ended = True
            channel.ring()

    async def _beat(self, channel: Channel) -> None:
        while True:
            await asyncio.sleep(self._keep_alive)
            channel.beats += 1
            channel.ring()

    async def _pieces(self, channel: Channel, seen: int) -> AsyncGenerator[bytes]:
        told: Event | None = None
        beats = channel.beats
        while True:
            bell, newest = channel.bell, channel.newest
            if newest is not None and newest is not told and (newest.number >= seen or newest.last):
                told = newest
                yield channel.encoded
            elif channel.ended or self._closed:
                return
            elif channel.beats != beats:
                beats = channel.beats
                yield KEEP_ALIVE
            else:
                await bell.wait()


class Streams:
    """The hubs of one server, which close together: a stream has no end of its own that a stop could wait for."""

    def __init__(self) -> None:
        self._hubs: list[Hub] = []

    def hub(self, watch: Watch) -> Hub:
        """A hub among them."""
        hub = Hub(watch)
        self._hubs.append(hub)
        return hub

    def close(self) -> None:
        """Close them all."""
        for hub in self._hubs:
            hub.close()


async def _throttled(events: AsyncIterator[Event], gap: float) -> AsyncGenerator[Event]:
    """The first event of a stage and the last of all at once; of those in between the newest, once in `gap` seconds."""
    clock, told_at, stage = asyncio.get_running_loop().time, 0.0, ""
    source = aiter(events)
    coming: asyncio.Future[Event] = asyncio.ensure_future(_next(source))
    held: Event | None = None
    try:
        while True:
            wait = None if held is None else max(0.0, told_at + gap - clock())
            await asyncio.wait((coming,), timeout=wait)
            if coming.done():
                try:
                    event = coming.result()
                except StopAsyncIteration:
                    break
                coming = asyncio.ensure_future(_next(source))
                if event.stage == stage and not event.last and clock() < told_at + gap:
                    held = event
                    continue
                held = event
            if held is not None:
                told_at, stage = clock(), held.stage
                yield held
                held = None
        if held is not None:
            yield held
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        if isinstance(source, AsyncGenerator):
            await source.aclose()


async def _next(source: AsyncIterator[Event]) -> Event:
    return await anext(source)


class _Stream(Response):
    """One listener's answer."""

    def __init__(self, pieces: AsyncGenerator[bytes], leave: Callable[[], None]) -> None:
        super().__init__()
        self._pieces = pieces
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ends with the last event, or when the client is gone."""
        try:
            await while_present(receive, self._pour(send))
        finally:
            self._leave()

    async def _pour(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        async with aclosing(self._pieces) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
