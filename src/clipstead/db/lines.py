"""A few connections for single statements that have to be quick: one round trip each, and nothing around it."""

from __future__ import annotations

import asyncio

from clipstead.db.line import Line, Row


class Lines:
    """At most `most` connections to `url`, made as they are needed and mended as they break."""

    def __init__(self, url: str, *, most: int = 4) -> None:
        self._url = url
        self._free = asyncio.Semaphore(most)
        self._idle: list[Line] = []

    async def fetch(self, query: str, *arguments: object, patience: float = 0.0) -> list[Row]:
        """The rows of a statement that is a transaction of its own; see `Line.fetch`."""
        async with self._free:
            line = self._idle.pop() if self._idle else Line(self._url)
            try:
                return await line.fetch(query, *arguments, patience=patience)
            finally:
                self._idle.append(line)

    async def close(self) -> None:
        """End them for good."""
        while self._idle:
            await self._idle.pop().close()
