"""uvicorn's HTTP/1.1 with what it lacks: bounds on what a connection may cost, no waiting for small answers.

An application may have answers that need no waiting at all: `immediate(scope, query)` gives one to `GET /?query`, whole
but for status line and Date, or None. Such an answer is written where the request was read, without a task of its own.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from clipstead.server.one_write import OneWrite

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

MAX_HEAD = 64 * 1024

Immediate = Callable[[Any, bytes], bytes | None]


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a head, trailers or chunk extensions longer than MAX_HEAD bytes, without reading on.

    Closes a connection that asks for nothing: `head_seconds` is how long a request may take to be told, the first
    byte included, and how long a body may go on that nobody reads.
    """

    head_seconds: ClassVar[float] = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bare_bytes = 0
        self._impatience: asyncio.TimerHandle | None = None
        self._running: RequestResponseCycle | None = None
        self._immediate: Immediate | None = getattr(self.app, "immediate", None)
        self._answered = False  # the request that is being read has its answer already
        self._lively = False  # one was answered so since the clock was last looked at
        self._dated: tuple[object, bytes] = (None, b"")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own is
        """Head and body leave in two writes: Nagle's algorithm would hold the second back for 40 ms.

        asyncio turns it off only for sockets that say they are TCP, which those that were handed to it do not.
        """
        peer = transport.get_extra_info("socket")
        if peer is not None and peer.family in (socket.AF_INET, socket.AF_INET6):
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self._out = OneWrite(transport, self.loop)
        self.transport = self._out  # type: ignore[assignment]  # all of it that is used
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """uvicorn tells only the request that came last, which need not be the one that is being answered."""
        super().connection_lost(exc)
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        self._calm()

    def data_received(self, data: bytes) -> None:
        """Count all that is no body: what came in one piece costs one comparison."""
        self._bare_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._bare_bytes > MAX_HEAD:
            self.send_400_response("Request head too long.")
        else:
            self._watch()

    def on_message_begin(self) -> None:
        """Count from here; what is left of the last request's packet does not matter much."""
        self._bare_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Most of what is asked for is asked for again: that is answered here and now."""
        self._answered = self._immediate is not None and self._answer(self._immediate)
        if not self._answered:
            super().on_headers_complete()

    def _answer(self, immediate: Immediate) -> bool:
        """Whether this request could be answered without waiting for anything, its client's reading included."""
        url = self.url
        if not url.startswith(b"/?") or b"#" in url or self.root_path or self.expect_100_continue:
            return False
        parser = self.parser
        plain = parser.get_method() == b"GET" and parser.should_keep_alive() and parser.get_http_version() == "1.1"
        if not plain or parser.should_upgrade() or self.flow.write_paused or self.pipeline or self._answering():
            return False
        answer = immediate(self.scope, url[2:])
        if answer is None:
            return False
        self._out.write_whole(self._beginning() + answer)
        self.server_state.total_requests += 1
        self._lively = True
        return True

    def _beginning(self) -> bytes:
        """Status line and the server's own headers, which change once a second."""
        headers = self.server_state.default_headers
        if self._dated[0] is not headers:
            self._dated = headers, STATUS_LINE[200] + b"".join(b"%b: %b\r\n" % header for header in headers)
        return self._dated[1]

    def on_message_complete(self) -> None:
        """Nobody waits for the end of a request that has its answer."""
        if not self._answered:
            super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        """A piece that nobody waits behind is handed on as it came: uvicorn's own way copies each one twice."""
        self._bare_bytes = 0  # a body is no head: whoever reads it bounds it
        if self._answered:
            return None
        cycle = self.cycle
        if cycle.body or cycle.response_complete:
            return super().on_body(body)
        # Nor is reading paused for it, as uvicorn would: the next piece does that, if it comes before this is taken.
        cycle.body = body  # type: ignore[assignment]  # read once, by bytes(), which leaves bytes as they are
        cycle.message_event.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _watch(self) -> None:
        """The clock runs from the first moment in which nothing is being answered, whatever trickles in."""
        if self._answering() or self.timeout_keep_alive_task is not None:
            self._calm()
        elif self._impatience is None:
            self._impatience = self.loop.call_later(self.head_seconds, self._give_up)

    def _answering(self) -> bool:
        return self._running is not None and not self._running.response_complete

    def _calm(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None

    def _give_up(self) -> None:
        self._impatience = None
        if self._lively:  # it has not been silent for so long: look again after as long
            self._lively = False
            self._watch()
        elif not self._answering() and not self.transport.is_closing():
            self.transport.close()
