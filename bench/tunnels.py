"""What readers that stop reading cost: memory of the server before and while they hold tunnels of large files open."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

from bench.load import memory_mb
from bench.stage import server, world

READERS = 16
FILE_BYTES = 64_000_000


def stalled(address: str) -> socket.socket:
    """A reader that asks, reads one kilobyte, and never again."""
    parts = urlsplit(address)
    reader = socket.create_connection((parts.hostname or "", parts.port or 80))
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    reader.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    if not reader.recv(1024).startswith(b"HTTP/1.1 200"):
        raise RuntimeError("the tunnel did not open")
    return reader


def main() -> None:
    """Prints megabytes a stalled reader, of the server's resident memory."""
    with world(video_bytes=FILE_BYTES) as stage, server(stage) as ours:
        address = ours.get(stage.links[0])["data"]["video"]["hd_mp4"]
        stalled(address).close()
        time.sleep(1)
        before = memory_mb(ours.pid)
        readers = [stalled(address) for _ in range(READERS)]
        time.sleep(5)
        held = memory_mb(ours.pid) - before
        for reader in readers:
            reader.close()
    print(f"{READERS} stalled readers of {FILE_BYTES / 1e6:g} MB files: {held / READERS:.1f} MB each")


if __name__ == "__main__":
    main()
