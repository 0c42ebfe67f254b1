"""Messages that are due: written down where something ended, sent from here until they are taken or given up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic.alias_generators import to_camel
from sqlalchemy import text

from clipstead.db import Database
from clipstead.errors import AddressRefused, DownloadFailed
from clipstead.net.webhook import Webhooks, secret_of

_AT_ONCE = 50
_MOST_ATTEMPTS = 20  # over about ten hours
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 3600.0
_KEPT_DAYS = 7

# The attempt is counted, and the next one set, before anything is sent: whoever dies over it has not blocked it. What
# is new goes first, so that a receiver who never answers does not keep the others waiting.
_DUE = text("""
WITH due AS (
    SELECT id FROM webhook_deliveries WHERE delivered_at IS NULL AND next_at <= clock_timestamp()
    ORDER BY attempts, next_at LIMIT :many FOR UPDATE SKIP LOCKED
)
UPDATE webhook_deliveries AS d SET
    attempts = d.attempts + 1,
    next_at = clock_timestamp()
        + LEAST(:longest, :first * power(2, d.attempts)) * (0.75 + random() / 2) * interval '1 second'
        + interval '30 seconds'
FROM due
WHERE d.id = due.id
RETURNING d.id, d.webhook_id, d.url, d.key_id, d.event, d.payload, d.attempts,
    extract(epoch FROM d.created_at)::bigint AS created_at, extract(epoch FROM clock_timestamp())::bigint AS now,
    (SELECT w.url FROM webhooks AS w WHERE w.id = d.webhook_id AND w.disabled_at IS NULL) AS subscribed
""")
_DELIVERED = text("UPDATE webhook_deliveries SET delivered_at = clock_timestamp(), last_error = NULL WHERE id = :id")
_FAILED = text("""
UPDATE webhook_deliveries SET last_error = :error,
    next_at = CASE WHEN :over THEN NULL ELSE next_at - interval '30 seconds' END
WHERE id = :id AND delivered_at IS NULL
""")
_PRUNE = text(
    "DELETE FROM webhook_deliveries WHERE created_at < clock_timestamp() - CAST(:days AS int) * interval '1 day'"
)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Sends what is due. `secrets` are the instance's own, newest first: every receiver's is derived from each."""

    database: Database
    webhooks: Webhooks
    secrets: Sequence[bytes]

    async def sweep(self) -> int:
        """Send all that is due now, a few at a time; how many were taken. Raises DatabaseUnavailable."""
        taken = 0
        while due := await self._due():
            ended = await asyncio.gather(*(self._deliver(row) for row in due), return_exceptions=True)
            for each in ended:  # only now: a fault of one must not leave the others to themselves
                if isinstance(each, BaseException):
                    raise each
                taken += each
        return taken

    async def prune(self) -> int:
        """Forget what is a week old, taken or not; how many. Looks at every row. Raises DatabaseUnavailable."""
        async with self.database.each() as connection:
            return (await connection.execute(_PRUNE, {"days": _KEPT_DAYS})).rowcount

    async def _due(self) -> Sequence[Any]:
        values = {"many": _AT_ONCE, "first": _FIRST_PAUSE, "longest": _LONGEST_PAUSE}
        async with self.database.each() as connection:
            return (await connection.execute(_DUE, values)).all()

    async def _deliver(self, row: Any) -> bool:
        url = row.url or row.subscribed
        if not url:
            await self._failed(row, "the webhook is switched off", over=True)
            return False
        try:
            await self._send(row, url)
        except (AddressRefused, DownloadFailed) as error:
            await self._failed(row, str(error), over=not error.transient or row.attempts >= _MOST_ATTEMPTS)
            return False
        async with self.database.each() as connection:
            await connection.execute(_DELIVERED, {"id": row.id})
        return True

    async def _send(self, row: Any, url: str) -> None:
        told = {to_camel(name): value for name, value in row.payload.items()}
        body = orjson.dumps({"type": row.event, "timestamp": row.created_at, "data": told})
        receiver = receiver_of(webhook_id=row.webhook_id, key_id=row.key_id)
        secrets = [secret_of(secret, receiver) for secret in self.secrets]
        await self.webhooks.send(url, body, message_id=f"msg_{row.id}", timestamp=row.now, secrets=secrets)

    async def _failed(self, row: Any, error: str, *, over: bool) -> None:
        async with self.database.each() as connection:
            await connection.execute(_FAILED, {"id": row.id, "error": error, "over": over})


def receiver_of(*, webhook_id: int | None = None, key_id: str | None = None) -> str:
    """The name that a receiver's secret is derived by: a webhook's, a key's, or that of an instance without keys."""
    return f"webhook {webhook_id}" if webhook_id is not None else f"key {key_id or ''}"
