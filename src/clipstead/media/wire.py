"""The two ends of the socket between us and the nest: one JSON message a line, file descriptors beside it."""

import json
import os
import socket
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

_CHUNK = 1 << 16
_MOST_DESCRIPTORS = 32

Message = dict[str, Any]


class Wire:
    """One end. Descriptors that came along wait, in the order they were sent, until whoever reads claims them."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._rest = b""
        self._descriptors: deque[int] = deque()

    def send(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Raises OSError when the other end is gone."""
        data = json.dumps(message).encode() + b"\n"
        if descriptors:
            sent = socket.send_fds(self.socket, [data], list(descriptors))
            data = data[sent:]
        if data:
            self.socket.sendall(data)

    def receive(self) -> list[Message] | None:
        """Every whole message that is there, waiting for the first bytes; None when the other end is gone."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self.socket, _CHUNK, _MOST_DESCRIPTORS)
        except (ConnectionError, InterruptedError):
            data, descriptors = b"", []
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        self._descriptors.extend(descriptors)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def claim(self, count: int) -> list[int]:
        """The next `count` descriptors that came."""
        return [self._descriptors.popleft() for _ in range(count)]

    def close(self) -> None:
        """Close this end and whatever nobody claimed."""
        self.socket.close()
        while self._descriptors:
            os.close(self._descriptors.popleft())
