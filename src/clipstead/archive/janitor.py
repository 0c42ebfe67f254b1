"""Tidying up: what attempts left behind, erasures cut short, old dead letters, posts whose time is over; all audited.

Ages are counted by the database's clock, and whose work is alive is what the ledger says: a wrong clock here deletes
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from clipstead.archive.audit import Audit, Deed
from clipstead.archive.catalog import Catalog
from clipstead.archive.dead import DeadLetters
from clipstead.archive.erase import Eraser, delete_objects
from clipstead.archive.leftovers import Leftovers
from clipstead.archive.retention import Retention
from clipstead.archive.statements import Statements
from clipstead.archive.store import Store
from clipstead.archive.tombstones import Buried
from clipstead.db import Database

_BATCH = 200
_DAY = 86_400.0
_ACTOR = "sweep"

_ALIVE = """
SELECT aweme_id FROM archive_queue
WHERE aweme_id = ANY($1::text[]) AND resolved_at IS NULL AND state = 'working' AND alive_until > now()
"""
# Who can be over by which rule, each found by an index; the rules together then say who is.
_CANDIDATES = {
    "days": "SELECT p.* FROM posts AS p WHERE p.archived_at < now() - CAST(:days AS int) * interval '1 day'",
    "handles": """SELECT p.* FROM unnest(CAST(:handles AS text[]), CAST(:handle_days AS int[])) AS t (handle, days)
        JOIN posts AS p ON lower(p.author_handle) = handle AND p.archived_at < now() - days * interval '1 day'""",
    "tags": """SELECT p.* FROM unnest(CAST(:tags AS text[]), CAST(:tag_days AS int[])) AS t (tag, days)
        JOIN posts AS p ON p.words @@ CAST(tag AS tsquery) AND p.archived_at < now() - days * interval '1 day'""",
}
_OVER = """
SELECT p.aweme_id, p.storage_key, p.bytes, rule.days,
       ARRAY(SELECT key FROM post_files AS f WHERE f.aweme_id = p.aweme_id ORDER BY number) AS keys
FROM ({candidates}) AS p CROSS JOIN LATERAL (
    SELECT CASE WHEN author.found THEN author.days WHEN tag.found THEN tag.days ELSE CAST(:days AS int) END AS days
    FROM (SELECT count(*) > 0 AS found, max(days) AS days
          FROM unnest(CAST(:handles AS text[]), CAST(:handle_days AS int[])) AS t (handle, days)
          WHERE handle = lower(p.author_handle)) AS author,
         (SELECT count(*) > 0 AS found, CASE WHEN bool_and(days IS NOT NULL) THEN max(days) END AS days
          FROM unnest(CAST(:tags AS text[]), CAST(:tag_days AS int[])) AS t (tag, days)
          WHERE p.words @@ CAST(tag AS tsquery)) AS tag
) AS rule
WHERE p.archived_at < now() - rule.days * interval '1 day' LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class Swept:
    """How much went: temp files and folders, multipart uploads, dead letters, erasures finished, posts and bytes,
    objects of posts that died or were erased; and how many of those were found complete, and taken into the catalog."""

    temps: int = 0
    uploads: int = 0
    letters: int = 0
    erased: int = 0
    posts: int = 0
    bytes: int = 0
    leftovers: int = 0
    adopted: int = 0


class Janitor:
    """Deletes what nobody needs any more. A call may raise DatabaseUnavailable, StorageError, and bears repeating."""

    def __init__(
        self,
        database: Database,
        store: Store,
        catalog: Catalog,
        dead: DeadLetters,
        eraser: Eraser,
        leftovers: Leftovers,
        retention: Retention,
    ) -> None:
        self._database = database
        self._statements = Statements(database)
        self._audit = Audit(database)
        self._store = store
        self._catalog = catalog
        self._dead = dead
        self._eraser = eraser
        self._leftovers = leftovers
        self._retention = retention

    async def sweep(self) -> Swept:
        """Everything, once."""
        erased = await self._eraser.resume()
        raced = await self._eraser.settle(_ACTOR)
        temps = await self._store.sweep_temp(self._alive)
        if temps.files or temps.uploads:
            detail = {"files": temps.files, "uploads": temps.uploads}
            await self._audit.write([Deed("delete", "temporary files", "nobody is at work on them", _ACTOR, 0, detail)])
        cleared = await self._leftovers.clear(_ACTOR)
        letters = 0
        if self._retention.dead is not None:
            age = self._retention.dead * _DAY
            letters = await self._dead.purge(age=age, why="their time is over", actor=_ACTOR)
        posts, size = await self._retire()
        leftovers = cleared.objects + raced.objects
        return Swept(temps.files, temps.uploads, letters, erased.posts, posts, size, leftovers, cleared.adopted)

    async def _alive(self, ids: Sequence[str]) -> Set[str]:
        return {row["aweme_id"] for row in await self._statements.fetch(_ALIVE, list(ids))}

    async def _retire(self) -> tuple[int, int]:
        """Delete the posts whose time is over; how many, and how many bytes."""
        posts = size = 0
        while batch := await self._over():
            for post, days in batch:
                await delete_objects(self._store, post)
                reason = f"kept for {days} days"
                for gone in await self._catalog.delete([post.aweme_id], reason=reason, actor=_ACTOR):
                    posts, size = posts + 1, size + gone.bytes
        return posts, size

    async def _over(self) -> list[tuple[Buried, int]]:
        values = _values(self._retention)
        if not (candidates := [found for name, found in _CANDIDATES.items() if values[name]]):
            return []
        async with self._database.begin() as connection:
            statement = text(_OVER.format(candidates=" UNION ALL ".join(candidates)))
            rows = {row.aweme_id: row for row in await connection.execute(statement, values)}
        posts = (Buried(row.aweme_id, row.storage_key, tuple(row.keys), row.bytes) for row in rows.values())
        return list(zip(posts, (row.days for row in rows.values()), strict=True))


def _values(retention: Retention) -> dict[str, Any]:
    return {
        "days": retention.days,
        "handles": list(retention.authors),
        "handle_days": list(retention.authors.values()),
        "tags": ["'#" + tag.replace("\\", "\\\\").replace("'", "''") + "'" for tag in retention.tags],
        "tag_days": list(retention.tags.values()),
        "most": _BATCH,
    }
