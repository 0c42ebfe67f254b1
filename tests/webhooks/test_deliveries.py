"""Webhooks: what ends is told, signed, again until it is taken, and only to where we may dial."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from aiohttp import web
from sqlalchemy import text

from clipstead.db import Database
from clipstead.engine import Engine
from clipstead.jobs import Jobs, Result
from clipstead.jobs.job import Webhook
from clipstead.net.guard import Guard
from clipstead.net.webhook import Webhooks, secret_of, shown
from clipstead.tasks.webhooks import Deliveries, receiver_of

SECRETS = (b"the newest secret", b"the one before it")


@dataclass
class Receiver:
    """Somebody's server: answers with `statuses` in turn, the last one for ever."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    pause: float = 0.0

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.heard.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        await asyncio.sleep(self.pause)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, headers={"Location": "http://127.0.0.1:1/trap"} if status == 302 else {})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """One on loopback."""
    stage = Receiver()
    runner = web.ServerRunner(web.Server(stage.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stage.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield stage
    await runner.cleanup()


def through(url: str) -> Guard:
    """A guard whose operator lets this one address be sent to."""
    host_and_port = url.split("/")[2]
    return Guard(connect_to=(f"{host_and_port}:{host_and_port}",))


@pytest.fixture
async def deliveries(database: Database, receiver: Receiver) -> AsyncIterator[Deliveries]:
    """What sends, with the receiver's address let through."""
    webhooks = Webhooks(through(receiver.url))
    yield Deliveries(database, webhooks, SECRETS)
    await webhooks.close()


async def ended(database: Database, url: str, **end: Any) -> str:
    """A download job of key k1, ended; its id."""
    jobs = Jobs(database, Engine(database))
    hook = Webhook(url, "https://clips.example")
    job = await jobs.submit("download", "download", {"url": "x"}, key_id="k1", lane="download", webhook=hook)
    begun = await jobs.attempts.begin(job.id)
    assert begun
    if end:
        assert await jobs.attempts.fail(begun[1], **end)
    else:
        result = Result("f" * 32, "a_clip.mp4", "mp4", "video/mp4", 1234, "ab" * 32)
        assert await jobs.attempts.complete(begun[1], result)
    await jobs.close()
    return job.id


async def rows(database: Database) -> Sequence[Any]:
    async with database.each() as connection:
        return (await connection.execute(text("SELECT * FROM webhook_deliveries ORDER BY id"))).all()


async def make_due(database: Database) -> None:
    """The pause before the next attempt is over."""
    async with database.each() as connection:
        await connection.execute(text("UPDATE webhook_deliveries SET next_at = now() WHERE next_at IS NOT NULL"))


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As a receiver does it, by the text of Standard Webhooks."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, given) for given in headers["webhook-signature"].split())


async def test_a_finished_job_is_told_with_its_file(
    database: Database, receiver: Receiver, deliveries: Deliveries
) -> None:
    """Address, size and hash, signed by what that key's holder knows; the secret before a rotation verifies too."""
    job_id = await ended(database, receiver.url)
    assert await deliveries.sweep() == 1
    ((headers, body),) = receiver.heard
    told = orjson.loads(body)
    assert told["type"] == "job.completed"
    data = told["data"]
    token = data.pop("downloadUrl").removeprefix("https://clips.example/api/download/")
    assert len(token) == 36
    assert data.pop("expiresAt").endswith("Z")
    assert data == {
        "jobId": job_id,
        "kind": "download",
        "name": "download",
        "status": "completed",
        "fileName": "a_clip.mp4",
        "contentType": "video/mp4",
        "bytes": 1234,
        "sha256": "ab" * 32,
    }
    for secret in SECRETS:
        assert verified(shown(secret_of(secret, receiver_of(key_id="k1"))), headers, body)
        assert not verified(shown(secret_of(secret, receiver_of(key_id="k2"))), headers, body)
    assert await deliveries.sweep() == 0
    assert len(receiver.heard) == 1


async def test_a_failed_job_is_told_with_its_reason(
    database: Database, receiver: Receiver, deliveries: Deliveries
) -> None:
    """And without an address."""
    await ended(database, receiver.url, error="The post is private", code="post_unavailable")
    assert await deliveries.sweep() == 1
    told = orjson.loads(receiver.heard[0][1])
    assert (told["type"], told["data"]["error"]) == ("job.failed", "The post is private")
    assert "downloadUrl" not in told["data"]


async def test_what_is_not_taken_is_sent_again_under_the_same_id(
    database: Database, receiver: Receiver, deliveries: Deliveries
) -> None:
    """Later, not at once; a receiver tells repeats by their id."""
    receiver.statuses = [503, 429, 204]
    await ended(database, receiver.url)
    for attempt in (1, 2, 3):
        assert await deliveries.sweep() == (attempt == 3)
        assert await deliveries.sweep() == 0  # its pause is not over
        await make_due(database)
    assert len({headers["webhook-id"] for headers, _ in receiver.heard}) == 1
    assert len(receiver.heard) == 3
    (row,) = await rows(database)
    assert row.delivered_at is not None and row.last_error is None


@pytest.mark.parametrize("status", [302, 400, 410])
async def test_who_will_not_have_it_is_not_asked_again(
    database: Database, receiver: Receiver, deliveries: Deliveries, status: int
) -> None:
    """A redirect is no address of ours to follow; it is tried again, in case it was a mistake."""
    receiver.statuses = [status]
    await ended(database, receiver.url)
    assert await deliveries.sweep() == 0
    await make_due(database)
    await deliveries.sweep()
    assert len(receiver.heard) == (2 if status == 302 else 1)
    assert str(status) in (await rows(database))[0].last_error


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://169.254.169.254/latest", "ftp://x.test/", "nonsense"])
async def test_nothing_is_sent_where_we_may_not_dial(
    database: Database, receiver: Receiver, deliveries: Deliveries, url: str
) -> None:
    """Addresses inside, odd ports and schemes: given up at once, with the reason."""
    await ended(database, url)
    assert await deliveries.sweep() == 0
    (row,) = await rows(database)
    assert row.next_at is None and row.delivered_at is None and row.last_error
    assert receiver.heard == []


async def test_a_cancelled_job_is_told_of_too(database: Database, receiver: Receiver, deliveries: Deliveries) -> None:
    """By whatever road it ended."""
    jobs = Jobs(database, Engine(database))
    hook = Webhook(receiver.url, "")
    job = await jobs.submit("tool", "gif", {}, key_id=None, lane="video", webhook=hook)
    await jobs.cancel(job.id, by=None)
    await jobs.close()
    assert await deliveries.sweep() == 1
    assert orjson.loads(receiver.heard[0][1])["type"] == "job.cancelled"


async def test_subscribers_hear_until_they_are_switched_off(
    database: Database, receiver: Receiver, deliveries: Deliveries
) -> None:
    """A webhook of the archive has an address of its own, and a secret of its own."""
    async with database.begin() as connection:
        hook = await connection.scalar(
            text("INSERT INTO webhooks (url, events) VALUES (:url, ARRAY['captured']) RETURNING id"),
            {"url": receiver.url},
        )
        statement = text(
            "INSERT INTO webhook_deliveries (webhook_id, event, payload) VALUES (:hook, 'captured', '{\"a\": 1}')"
        )
        await connection.execute(statement, {"hook": hook})
    assert await deliveries.sweep() == 1
    headers, body = receiver.heard[0]
    assert verified(shown(secret_of(SECRETS[0], receiver_of(webhook_id=hook))), headers, body)
    async with database.begin() as connection:
        await connection.execute(text("UPDATE webhooks SET disabled_at = now()"))
        await connection.execute(statement, {"hook": hook})
    assert await deliveries.sweep() == 0
    assert len(receiver.heard) == 1


async def test_what_is_a_week_old_is_forgotten(database: Database, receiver: Receiver, deliveries: Deliveries) -> None:
    """Taken or not; what is younger stays."""
    await ended(database, receiver.url)
    receiver.statuses = [503]
    await ended(database, receiver.url)
    await deliveries.sweep()
    assert await deliveries.prune() == 0
    async with database.each() as connection:
        await connection.execute(text("UPDATE webhook_deliveries SET created_at = now() - interval '8 days'"))
    await ended(database, receiver.url)
    assert await deliveries.prune() == 2
    assert len(await rows(database)) == 1


async def test_new_messages_go_before_those_that_nobody_takes(
    database: Database, receiver: Receiver, deliveries: Deliveries
) -> None:
    """However many of those there are; a receiver who is down keeps nobody waiting."""
    async with database.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO webhook_deliveries (url, event, payload, attempts, next_at)
            SELECT :url, 'old', '{}', 3, now() - interval '1 hour' FROM generate_series(1, 60)
            """),
            {"url": receiver.url},
        )
    await ended(database, receiver.url)
    assert await deliveries.sweep() == 61
    first = [orjson.loads(body)["type"] for _, body in receiver.heard[:50]]
    assert "job.completed" in first


async def test_a_message_that_cannot_be_written_leaves_the_others_whole(
    database: Database, receiver: Receiver, deliveries: Deliveries
) -> None:
    """It is a fault of ours, and told; but only when what is being sent beside it has been sent and noted."""
    receiver.pause = 0.2
    async with database.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO webhook_deliveries (url, event, payload)
            SELECT :url, 'odd', payload FROM unnest(ARRAY['{"n": 1e30}', '{"n": 1}']::jsonb[]) AS payload
            """),
            {"url": receiver.url},
        )
    with pytest.raises(TypeError):
        await deliveries.sweep()
    assert [row.delivered_at is not None for row in await rows(database)] == [False, True]
