"""The async client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx2

from clipstead.client import calls
from clipstead.client.answers import JobEvent, Resolved, VideoInfo
from clipstead.client.archive_calls import ArchiveCalls, KeyCalls
from clipstead.client.calls import Call, Source, Ticket
from clipstead.client.events import EventReader
from clipstead.client.failures import ServerFailed, Unreachable, WorkFailed, failure
from clipstead.client.patience import Patience, retry_after
from clipstead.client.saving import Progress, Saving, Target
from clipstead.client.setup import Setup, content, plain
from clipstead.client.tool_calls import ToolCalls

T = TypeVar("T")
_CHUNK = 256 * 1024


class AsyncClient:
    """A Clipstead server at `base_url`; `key` is a `clp_` key, `timeout` seconds without a byte.

    Calls raise errors of `clipstead.errors` and of this package: BadRequest, Unauthorized, Forbidden, OutOfCredits,
    NotFound, Expired, Unavailable, RateLimited (after waiting as asked, up to a minute), ServerFailed, Unreachable.
    """

    def __init__(
        self, base_url: str, *, key: str = "", timeout: float = 60.0, patience: Patience | None = None
    ) -> None:
        self._setup = Setup(base_url.rstrip("/"), key, timeout, patience or Patience())
        self._http = httpx2.AsyncClient(**self._setup.options())
        self.tools = _Tools(self)
        self.archive = _Archive(self)
        self.keys = _Keys(self)

    async def info(self, url: str) -> VideoInfo:
        """What a link can be had as."""
        return await self.send(calls.info(url))

    async def resolve(self, url: str, *, quality: str = "best") -> Resolved:
        """A post with addresses that work for some minutes; `quality` is best, hd or sd."""
        return await self.send(calls.resolve(url, quality))

    async def start_download(self, url: str, **options: Any) -> AsyncJob:
        """A job that gets the file. Options as the API names them: formatId, format, quality, trimStart, trimEnd,
        noWatermark, webhook."""
        return AsyncJob(self, await self.send(calls.download(url, options)))

    async def download(
        self, url: str, to: Target = None, *, progress: Progress | None = None, **options: Any
    ) -> Path | bytes | None:
        """The file behind a link, at the path `to` or in the open file `to`, or as bytes; options as above."""
        job = await self.start_download(url, **options)
        return await job.save(to, progress=progress)

    async def fetch(self, address: str, to: Target = None, *, progress: Progress | None = None) -> Path | bytes | None:
        """A file at an address of the server's (of an event, of `resolve`); goes on where a connection broke."""
        saving = Saving(to, progress)
        try:
            for attempt in range(self._setup.patience.tries):
                wait = await self._some(address, saving, attempt)
                if wait is None:
                    return saving.finish()
                await asyncio.sleep(wait)
            raise Unreachable("the file did not come whole")
        finally:
            saving.close()

    async def _some(self, address: str, saving: Saving, attempt: int) -> float | None:
        """As much of the file as comes; None when it is whole, else the seconds to wait before the rest."""
        patience = self._setup.patience
        try:
            async with self._http.stream("GET", self._at(address), headers=saving.headers()) as reply:
                if reply.status_code >= 400:
                    asked = retry_after(plain(reply.headers))
                    wait = patience.wait(attempt, status=reply.status_code, asked=asked, repeatable=True)
                    if wait is None:
                        raise failure(reply.status_code, await reply.aread(), asked)
                    return wait
                saving.begin(reply.status_code, plain(reply.headers))
                async for chunk in reply.aiter_bytes(_CHUNK):
                    saving.feed(chunk)
        except httpx2.HTTPError as error:
            wait = patience.wait(attempt, status=None, asked=0.0, repeatable=True)
            if wait is None:
                raise Unreachable(str(error) or "the connection broke off") from error
            return wait
        return None if saving.whole else patience.pause

    def _at(self, address: str) -> str:
        """The key goes to the server alone: what is elsewhere is not fetched through us."""
        if not self._setup.on_server(address):
            raise Unreachable("that address is not on this server")
        return address

    async def send(self, call: Call[T]) -> T:
        """Send any call, again where that helps."""
        attempt = 0
        while True:
            status, body, asked = await self._once(call)
            if status is not None and status < 400:
                return call.answer(status, body)
            wait = self._setup.patience.wait(attempt, status=status, asked=asked, repeatable=call.repeatable)
            if wait is None:
                raise Unreachable(body.decode()) if status is None else failure(status, body, asked)
            await asyncio.sleep(wait)
            attempt += 1

    async def _once(self, call: Call[Any]) -> tuple[int | None, bytes, float]:
        """Status, body and the seconds to wait that were asked for; no status where no answer came."""
        try:
            with content(call) as told:
                reply = await self._http.request(call.method, call.path, **told)
        except httpx2.HTTPError as error:
            return None, (str(error) or type(error).__name__).encode(), 0.0
        return reply.status_code, reply.content, retry_after(plain(reply.headers))

    async def events(self, ticket: Ticket) -> AsyncGenerator[JobEvent, None]:
        """The states of a job until its last, over as many connections as it takes, as long as these tell something."""
        reader, failures = EventReader(), 0
        while True:
            trouble: Exception | None = None
            status: int | None = 200
            try:
                async with aclosing(self._listen(ticket, reader)) as heard:
                    async for event in heard:
                        failures = 0
                        yield event
                        if event.final:
                            return
            except (httpx2.HTTPError, ServerFailed) as error:
                trouble, status = error, error.status if isinstance(error, ServerFailed) else None
            failures += 1
            pause = self._setup.patience.reopen(failures, status=status)
            if pause is None:
                if isinstance(trouble, ServerFailed):
                    raise trouble
                raise Unreachable(str(trouble or "") or "the connection broke off") from trouble
            await asyncio.sleep(pause)

    async def _listen(self, ticket: Ticket, reader: EventReader) -> AsyncGenerator[JobEvent, None]:
        headers = {"accept": "text/event-stream", **({"last-event-id": reader.last_id} if reader.last_id else {})}
        reader.reconnected()
        async with self._http.stream("GET", ticket.path, headers=headers) as reply:
            if reply.status_code >= 400:
                raise failure(reply.status_code, await reply.aread(), retry_after(plain(reply.headers)))
            async for chunk in reply.aiter_bytes():
                for event in reader.feed(chunk):
                    yield event

    async def close(self) -> None:
        """Drop all connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class AsyncJob:
    """Work that the server has taken: `async for event in job`, `await job.wait()`, `await job.save("a.mp4")`."""

    def __init__(self, client: AsyncClient, ticket: Ticket) -> None:
        self._client = client
        self.ticket = ticket

    @property
    def id(self) -> str:
        """What it is followed by."""
        return self.ticket.id

    def __aiter__(self) -> AsyncGenerator[JobEvent, None]:
        return self.events()

    def events(self) -> AsyncGenerator[JobEvent, None]:
        """Its states until the last."""
        return self._client.events(self.ticket)

    async def wait(self) -> JobEvent:
        """Its last event. Raises WorkFailed with the server's reason."""
        async with aclosing(self.events()) as events:
            async for event in events:
                if event.final and event.status == "failed":
                    raise WorkFailed(event.error or "The work failed")
                if event.final:
                    return event
        raise AssertionError("a stream of events ends with the last")

    async def save(self, to: Target = None, *, progress: Progress | None = None) -> Path | bytes | None:
        """Wait, then fetch the result."""
        return await self._client.fetch((await self.wait()).download_url, to, progress=progress)

    async def cancel(self) -> str:
        """Call it off; the state it is in then."""
        return await self._client.send(calls.cancel(self.ticket))

    async def retry(self) -> str:
        """Have it done again."""
        return await self._client.send(calls.retry(self.ticket))

    async def receipt(self) -> Mapping[str, Any]:
        """What was done to the file, to the last argument; for tools."""
        return await self._client.send(calls.receipt(self.ticket))


class _Tools(ToolCalls[Awaitable[AsyncJob]]):
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def _run(self, name: str, file: Source, params: Mapping[str, Any]) -> AsyncJob:
        return AsyncJob(self._client, await self._client.send(calls.tool(name, file, params)))


class _Archive(ArchiveCalls[Awaitable[Any]]):
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def _send(self, call: Call[Any]) -> Any:
        return await self._client.send(call)


class _Keys(KeyCalls[Awaitable[Any]]):
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def _send(self, call: Call[Any]) -> Any:
        return await self._client.send(call)
