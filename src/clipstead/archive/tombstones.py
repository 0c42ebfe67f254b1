"""Erasure: what was erased leaves a tombstone, and nothing of it comes back.

It goes in three steps, each of which may be repeated: `bury` writes the tombstones, which ends every attempt under way
and lets no new one finish; then the caller deletes the objects; `forget` deletes the rows and writes the audit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from clipstead.archive.record import clean
from clipstead.archive.statements import Statements
from clipstead.db import Database

_LOCK = 0x65726173  # "eras"
_GRACE = 900.0  # seconds after its lease in which an attempt may still come to its end


@dataclass(frozen=True, slots=True)
class Buried:
    """A post whose objects are to be deleted: base key ("" if none was ever fixed), keys of its files, their bytes."""

    aweme_id: str
    storage_key: str
    keys: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Tombstone:
    """`kind` is "post" or "author"; `id` a post's id, an author's id, or "@handle"."""

    kind: str
    id: str
    reason: str
    erased_at: datetime


async def hold_erasures(connection: AsyncConnection) -> None:
    """No tombstone is written until this transaction ends: what it sees of them stays true. Shared by many."""
    await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock_shared({_LOCK})")


_OF_AUTHOR = text("""
SELECT id FROM authors WHERE id = :author OR lower(handle) = lower(:handle)
UNION SELECT author_id FROM posts WHERE lower(author_handle) = lower(:handle)
""")
_POSTS_OF = text("""
SELECT aweme_id FROM posts WHERE author_id = ANY(CAST(:ids AS text[])) OR lower(author_handle) = lower(:handle)
""")
# The ledger knows the author of what nobody has captured by its link alone; it is read from end to end, while others
# go on: what they add meanwhile is refused when it is captured, by the author's tombstone.
_WANTED_OF = text("SELECT aweme_id FROM archive_queue WHERE position(lower('/@' || :handle || '/') IN lower(url)) > 0")
_SOURCES_OF = text("DELETE FROM sources WHERE kind = 'user' AND lower(target) = lower(:handle) AND platform = 'tiktok'")
_AUTHORS = text("DELETE FROM authors WHERE id = ANY(CAST(:ids AS text[]))")
_BURY = text("""
INSERT INTO tombstones (kind, id, reason)
SELECT DISTINCT :kind, id, :reason FROM unnest(CAST(:ids AS text[])) AS t (id) ORDER BY id
ON CONFLICT (kind, id) DO UPDATE SET finished = false
""")
# An attempt that has its key may be putting its files there just now: the tombstone remembers where to look again.
_STOP = text("""
WITH wanted AS (
    SELECT aweme_id, storage_key, alive_until, resolved_at FROM archive_queue
    WHERE aweme_id = ANY(CAST(:ids AS text[])) AND reason <> 'erased' ORDER BY aweme_id FOR UPDATE
),
stopped AS (
    UPDATE archive_queue AS q SET fence = fence + 1, state = 'dead', reason = 'erased', resolved_at = now(),
        alive_until = NULL
    FROM wanted WHERE q.aweme_id = wanted.aweme_id
)
UPDATE tombstones AS t SET storage_key = wanted.storage_key,
    settles_at = GREATEST(wanted.alive_until, now()) + CAST(:grace AS float8) * interval '1 second'
FROM wanted WHERE t.kind = 'post' AND t.id = wanted.aweme_id
    AND wanted.resolved_at IS NULL AND wanted.storage_key IS NOT NULL
""")
_UNSETTLED = """
SELECT id, storage_key FROM tombstones WHERE settles_at <= now() ORDER BY settles_at LIMIT 200
"""
_RACED = "SELECT storage_key FROM tombstones WHERE kind = 'post' AND id = $1 AND settles_at IS NOT NULL"
_SETTLE = """
WITH settled AS (
    UPDATE tombstones SET storage_key = NULL, settles_at = NULL WHERE kind = 'post' AND id = $1 RETURNING id
)
INSERT INTO archive_audit (action, subject, reason, actor, bytes, detail)
SELECT 'erase', id, 'an attempt that was under way had put it there', $2, $3, jsonb_build_object('objects', $4::int)
FROM settled WHERE $4::int > 0
"""
_KEYS = text("""
SELECT given.id AS aweme_id, COALESCE(q.storage_key, p.storage_key, '') AS storage_key, COALESCE(p.bytes, 0) AS bytes,
       ARRAY(SELECT key FROM post_files AS f WHERE f.aweme_id = given.id ORDER BY number) AS keys
FROM unnest(CAST(:ids AS text[])) AS given (id)
LEFT JOIN archive_queue AS q ON q.aweme_id = given.id LEFT JOIN posts AS p ON p.aweme_id = given.id
""")
_UNFINISHED = "SELECT id FROM tombstones WHERE kind = 'post' AND NOT finished"
_NOTHING_LEFT = text("""
UPDATE tombstones AS t SET finished = true
WHERE kind = 'post' AND id = ANY(CAST(:ids AS text[])) AND NOT EXISTS (SELECT FROM posts AS p WHERE p.aweme_id = t.id)
    AND NOT EXISTS (SELECT FROM archive_queue AS q WHERE q.aweme_id = t.id)
""")
_FORGET = (
    "DELETE FROM posts WHERE aweme_id = ANY(CAST(:ids AS text[]))",  # files and metrics go with it
    "DELETE FROM archive_queue WHERE aweme_id = ANY(CAST(:ids AS text[]))",
    "DELETE FROM dead_letters WHERE aweme_id = ANY(CAST(:ids AS text[]))",
    "DELETE FROM webhook_deliveries WHERE payload->>'aweme_id' = ANY(CAST(:ids AS text[]))",
    "UPDATE tombstones SET finished = true WHERE kind = 'post' AND id = ANY(CAST(:ids AS text[]))",
)
_AUDIT = text("""
INSERT INTO archive_audit (action, subject, reason, actor)
SELECT 'erase', id, :reason, :actor FROM unnest(CAST(:ids AS text[])) AS t (id)
""")
_IS_ERASED = """
SELECT FROM tombstones WHERE (kind = 'post' AND id = $1)
   OR (kind = 'author' AND id IN (NULLIF($2, ''), NULLIF('@' || lower($3), '@')))
"""


class Tombstones:
    """What has been erased from this database. Every call may raise DatabaseUnavailable, and bears being repeated."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements = Statements(database)

    async def bury(self, ids: Sequence[str], reason: str = "") -> list[Buried]:
        """Step one for posts: from now on none of them is captured, known here or not. What is to be deleted."""
        async with self._alone() as connection:
            return await self._bury(connection, [clean(aweme_id) for aweme_id in ids], reason)

    async def bury_author(self, author: str, reason: str = "") -> list[Buried]:
        """Step one for an author, by id or @handle: their posts, and all that would come; nobody lists them any more.
        What is to be deleted."""
        handle = clean(author).removeprefix("@")
        wanted: set[str] = set()
        if handle:
            async with self._database.each() as connection:
                wanted.update(await connection.scalars(_WANTED_OF, {"handle": handle}))
        async with self._alone() as connection:
            found = await connection.scalars(_OF_AUTHOR, {"author": clean(author), "handle": handle})
            author_ids = sorted({*found, f"@{handle.lower()}", *([] if author.startswith("@") else [handle])} - {""})
            await connection.execute(_BURY, {"kind": "author", "ids": author_ids, "reason": reason})
            posts = await connection.scalars(_POSTS_OF, {"ids": author_ids, "handle": handle})
            await connection.execute(_SOURCES_OF, {"handle": handle})
            await connection.execute(_AUTHORS, {"ids": author_ids})
            return await self._bury(connection, sorted(wanted.union(posts)), reason)

    async def unfinished(self) -> list[str]:
        """Posts that were buried and not yet forgotten."""
        return [row["id"] for row in await self._statements.fetch(_UNFINISHED)]

    async def buried(self, ids: Sequence[str]) -> list[Buried]:
        """What is to be deleted of these posts."""
        async with self._database.begin() as connection:
            return await self._keys(connection, ids)

    async def forget(self, ids: Sequence[str], reason: str = "", actor: str = "") -> None:
        """Step three: no row about these posts is left but their tombstones, and a line in the audit for each."""
        async with self._alone() as connection:
            for statement in _FORGET:
                await connection.execute(text(statement), {"ids": list(ids)})
            await connection.execute(_AUDIT, {"ids": list(ids), "reason": reason, "actor": actor})

    async def raced(self, aweme_id: str) -> Buried | None:
        """What an attempt at an erased post may have put in the store, as long as that is not settled."""
        rows = await self._statements.fetch(_RACED, clean(aweme_id))
        return Buried(aweme_id, rows[0]["storage_key"], (), 0) if rows else None

    async def unsettled(self) -> list[Buried]:
        """The same of all posts that nobody can be at work on any more; some of them, the longest due first."""
        rows = await self._statements.fetch(_UNSETTLED)
        return [Buried(row["id"], row["storage_key"], (), 0) for row in rows]

    async def settle(self, aweme_id: str, objects: int, size: int, actor: str) -> None:
        """What was left is deleted, and where it was forgotten; a line in the audit if there was anything."""
        await self._statements.fetch(_SETTLE, aweme_id, actor, size, objects)

    async def is_erased(self, aweme_id: str, author_id: str = "", handle: str = "") -> bool:
        """Whether the post must not be captured, for its own sake or its author's."""
        return bool(await self._statements.fetch(_IS_ERASED, clean(aweme_id), clean(author_id), clean(handle)))

    async def page(self, *, after: str = "", most: int = 1000) -> list[Tombstone]:
        """Tombstones in the order of "kind:id", from behind `after`."""
        rows = await self._statements.fetch(
            "SELECT * FROM tombstones WHERE (kind, id) > ($1, $2) ORDER BY kind, id LIMIT $3",
            *after.partition(":")[::2],
            most,
        )
        return [Tombstone(row["kind"], row["id"], row["reason"], row["erased_at"]) for row in rows]

    async def restore(self, stones: Sequence[Tombstone]) -> None:
        """Tombstones as they were read back from the store: a backup may know their authors still."""
        authors = [stone.id for stone in stones if stone.kind == "author"]
        async with self._alone() as connection:
            for kind in ("post", "author"):
                for stone in (each for each in stones if each.kind == kind):
                    await connection.execute(_BURY, {"kind": kind, "ids": [stone.id], "reason": stone.reason})
            await connection.execute(_AUTHORS, {"ids": authors})
            for handle in (each.removeprefix("@") for each in authors if each.startswith("@")):
                await connection.execute(_SOURCES_OF, {"handle": handle})
            await connection.execute(_NOTHING_LEFT, {"ids": [stone.id for stone in stones if stone.kind == "post"]})

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[AsyncConnection]:
        async with self._database.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            yield connection

    async def _bury(self, connection: AsyncConnection, ids: Sequence[str], reason: str) -> list[Buried]:
        await connection.execute(_BURY, {"kind": "post", "ids": list(ids), "reason": reason})
        await connection.execute(_STOP, {"ids": list(ids), "grace": _GRACE})
        return await self._keys(connection, ids)  # after it, since no key is fixed from here on

    async def _keys(self, connection: AsyncConnection, ids: Sequence[str]) -> list[Buried]:
        rows = await connection.execute(_KEYS, {"ids": list(ids)})
        return [Buried(row.aweme_id, row.storage_key, tuple(row.keys), row.bytes) for row in rows]
