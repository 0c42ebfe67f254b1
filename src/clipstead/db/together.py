"""Many small writes as few statements: what is asked while one is under way travels together in the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Together(Generic[Asked, Answer]):
    """Awaiting `together(asked)` runs `statement` on a list of asked ones and gives back the answer at one's place.

    Nothing waits for company: a lone one travels at once. Under load each statement, and each sync of the disk, carries
    what has gathered in the meantime, up to `most`.
    """

    def __init__(self, statement: Callable[[list[Asked]], Awaitable[list[Answer]]], *, most: int = 500) -> None:
        self._statement = statement
        self._most = most
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._going: asyncio.Task[None] | None = None

    async def __call__(self, asked: Asked) -> Answer:
        """The answer for `asked`, or the error of the whole statement."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._going is None:
            self._going = asyncio.create_task(self._go())
        return await future

    async def _go(self) -> None:
        try:
            while self._waiting:
                party, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._run(party)
        finally:
            self._going = None

    async def _run(self, party: list[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._statement([asked for asked, _ in party])
        except BaseException as error:
            for _, future in party:
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            for (_, future), answer in zip(party, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
