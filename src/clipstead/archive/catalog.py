"""The catalog: what has been captured, found by who, what, when and any word of it; and what has become of it since."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import text

from clipstead.archive.post_row import Captured, File, Metrics, Place, PostRow, columns
from clipstead.archive.record import clean
from clipstead.archive.search import Wanted, handle_of, query
from clipstead.archive.statements import Statements
from clipstead.db import Database
from clipstead.errors import NotFound, Reason
from clipstead.model import Stats

__all__ = ["Captured", "Catalog", "Deleted", "Place", "PostRow", "Wanted"]

_AT_ONCE = 1_000
_MOST_METRICS = 10_000

Availability = Reason | Literal["available"]


@dataclass(frozen=True, slots=True)
class Deleted:
    """A post whose rows are gone: what its objects were."""

    aweme_id: str
    storage_key: str
    keys: tuple[str, ...]
    bytes: int


_COLUMNS = ", ".join(columns())
_BY_VALUES = "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)"  # a rare word and a common one differ
_NAMED = text("SELECT id FROM authors WHERE lower(handle) = lower(:handle) ORDER BY last_seen DESC LIMIT 1000")
_GET = f"SELECT {_COLUMNS} FROM posts WHERE aweme_id = $1"  # noqa: S608  # constants of ours, here and below
_FILES = "SELECT * FROM post_files WHERE aweme_id = $1 ORDER BY number"
_METRICS = f"SELECT * FROM post_metrics_history WHERE aweme_id = $1 ORDER BY seen_at DESC LIMIT {_MOST_METRICS}"  # noqa: S608
_COUNTERS = ("play", "digg", "comment", "share", "download", "collect", "repost")
# A counter that was not told this time stays as it was last seen.
_SAW = """
WITH given AS (
    SELECT $1::text AS aweme_id, now() AS moment,
           $2::bigint AS play_count, $3::bigint AS digg_count, $4::bigint AS comment_count, $5::bigint AS share_count,
           $6::bigint AS download_count, $7::bigint AS collect_count, $8::bigint AS repost_count
),
seen AS (
    UPDATE posts AS p SET {changes}, last_seen = moment, refreshed_at = moment,
        availability_at = CASE WHEN availability = 'available' THEN availability_at ELSE moment END,
        availability = 'available'
    FROM given WHERE p.aweme_id = given.aweme_id RETURNING p.aweme_id
),
noted AS (
    INSERT INTO post_metrics_history (aweme_id, seen_at, {names})
    SELECT aweme_id, moment, {names} FROM given JOIN seen USING (aweme_id) ON CONFLICT DO NOTHING
)
SELECT * FROM seen
""".format(  # noqa: S608
    changes=", ".join(f"{name}_count = COALESCE(given.{name}_count, p.{name}_count)" for name in _COUNTERS),
    names=", ".join(f"{name}_count" for name in _COUNTERS),
)
_GONE = """
WITH was AS (SELECT aweme_id, availability FROM posts WHERE aweme_id = $1 FOR UPDATE),
marked AS (
    UPDATE posts AS p SET refreshed_at = now(), availability = $2,
        availability_at = CASE WHEN was.availability = $2 THEN p.availability_at ELSE now() END
    FROM was WHERE p.aweme_id = was.aweme_id RETURNING p.*, was.availability AS before
),
told AS (
    INSERT INTO webhook_deliveries (webhook_id, event, payload)
    SELECT w.id, 'deleted', jsonb_build_object('aweme_id', m.aweme_id, 'url', m.url, 'author', m.author_handle,
                                               'reason', m.availability, 'at', now())
    FROM marked AS m, webhooks AS w
    WHERE m.before <> m.availability AND w.disabled_at IS NULL AND 'deleted' = ANY(w.events)
)
SELECT aweme_id FROM marked
"""
_LOOKED = "UPDATE posts SET refreshed_at = now() WHERE aweme_id = $1"
_STALEST = f"""
SELECT {_COLUMNS} FROM posts WHERE refreshed_at < now() - $1::float8 * interval '1 second'
ORDER BY refreshed_at, aweme_id LIMIT $2
"""  # noqa: S608
_DELETE = text("""
WITH filed AS (
    SELECT aweme_id, array_agg(key ORDER BY number) AS keys FROM post_files
    WHERE aweme_id = ANY(CAST(:ids AS text[])) GROUP BY aweme_id
),
gone AS (
    DELETE FROM posts WHERE aweme_id = ANY(CAST(:ids AS text[])) RETURNING aweme_id, storage_key, bytes
),
audited AS (
    INSERT INTO archive_audit (action, subject, reason, actor, bytes, detail)
    SELECT 'delete', aweme_id, :reason, :actor, bytes, jsonb_build_object('storage_key', storage_key) FROM gone
)
SELECT gone.*, COALESCE(filed.keys, '{}') AS keys FROM gone LEFT JOIN filed USING (aweme_id)
""")


class Catalog:
    """All captured posts of a database. Every call may raise DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements = Statements(database)

    async def page(
        self, wanted: Wanted | None = None, *, before: PostRow | Place | None = None, most: int = 100
    ) -> Sequence[PostRow]:
        """The newest captures first, from behind `before`; with a question in `wanted`, those that answer it."""
        wanted = wanted or Wanted()
        async with self._database.begin() as connection:
            await connection.exec_driver_sql(_BY_VALUES)
            known = list(await connection.scalars(_NAMED, {"handle": handle_of(wanted)})) if wanted.author else []
            statement, values = query(wanted, before, most, known)
            rows = (await connection.execute(text(statement), values)).mappings().all()
        return [PostRow(**row) for row in rows]

    async def all(self, wanted: Wanted | None = None) -> AsyncIterator[PostRow]:
        """Any number of them, the newest first, a page at a time."""
        last: PostRow | None = None
        while page := await self.page(wanted, before=last, most=_AT_ONCE):
            for post in page:
                yield post
            last = page[-1]

    async def search(
        self, question: str, *, before: PostRow | None = None, most: int = 100, wanted: Wanted | None = None
    ) -> Sequence[PostRow]:
        """Posts in whose caption, author, sound or subtitles all words stand; see words.tsquery for what else one may
        write. InvalidParams for a question without a word in it."""
        return await self.page(replace(wanted or Wanted(), question=question or " "), before=before, most=most)

    async def get(self, aweme_id: str) -> Captured:
        """One post with its files and how its counters went, the newest first; NotFound."""
        key = clean(aweme_id)
        rows = await self._statements.fetch(_GET, key)
        if not rows:
            raise NotFound("The archive has no such post")
        files = [File.of(row) for row in await self._statements.fetch(_FILES, key)]
        metrics = [Metrics.of(row) for row in await self._statements.fetch(_METRICS, key)]
        return Captured(PostRow(**rows[0]), tuple(files), tuple(metrics))

    async def has(self, ids: Sequence[str]) -> set[str]:
        """Those of the posts that are captured."""
        rows = await self._statements.fetch(
            "SELECT aweme_id FROM posts WHERE aweme_id = ANY($1::text[])", [*map(clean, ids)]
        )
        return {row["aweme_id"] for row in rows}

    async def stalest(self, age: float, *, most: int = 100) -> list[PostRow]:
        """Posts that nobody has looked at for `age` seconds, the longest first."""
        return [PostRow(**row) for row in await self._statements.fetch(_STALEST, age, most)]

    async def saw(self, aweme_id: str, stats: Stats) -> bool:
        """A refresh found the post where it was: its counters, and a line in their history. False: no such post."""
        told = (stats.views, stats.likes, stats.comments, stats.shares, stats.downloads, stats.saves, stats.reposts)
        return bool(await self._statements.fetch(_SAW, clean(aweme_id), *told))

    async def gone(self, aweme_id: str, reason: Availability) -> bool:
        """A refresh found that the post cannot be had any more; when that changed is kept. False: no such post."""
        return bool(await self._statements.fetch(_GONE, clean(aweme_id), reason))

    async def looked(self, aweme_id: str) -> None:
        """A refresh came to nothing; others have their turn first."""
        await self._statements.fetch(_LOOKED, clean(aweme_id))

    async def delete(self, ids: Sequence[str], *, reason: str = "", actor: str = "") -> list[Deleted]:
        """Rows of posts and their files, with a line in the audit for each; their ledger rows stay done, so that
        nothing is captured again. The caller has deleted the objects before."""
        async with self._database.begin() as connection:
            rows = await connection.execute(_DELETE, {"ids": list(ids), "reason": clean(reason), "actor": clean(actor)})
            return [Deleted(row.aweme_id, row.storage_key, tuple(row.keys), row.bytes) for row in rows]
