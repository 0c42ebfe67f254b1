"""uvicorn's HTTP/1.1 with what it lacks: a bound on a request's head, no waiting for small answers, one write each."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from clipstead.server.one_write import OneWrite

MAX_HEAD = 64 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a request whose line and headers are longer than MAX_HEAD bytes, without reading on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own is
        """Head and body leave in two writes: Nagle's algorithm would hold the second back for 40 ms.

        asyncio turns it off only for sockets that say they are TCP, which those that were handed to it do not.
        """
        peer = transport.get_extra_info("socket")
        if peer is not None and peer.family in (socket.AF_INET, socket.AF_INET6):
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self.transport = OneWrite(transport, self.loop)  # type: ignore[assignment]  # all of it that is used

    def data_received(self, data: bytes) -> None:
        """A head that came in one piece costs one comparison."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("Request head too long.")

    def on_message_begin(self) -> None:
        """Count from here; what is left of the last request's packet does not matter much."""
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """From here on it is a body."""
        self._in_head = False
        super().on_headers_complete()
