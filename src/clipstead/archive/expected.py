"""What the database says that the store must hold, in the order of keys, and where its own tables disagree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from clipstead.archive import layout
from clipstead.archive.record import Record
from clipstead.archive.stated import stated
from clipstead.archive.statements import Statements
from clipstead.db import Database

_BATCH = 2000

# The names of tombstones are those of gravestones.key_of.
_TOMBSTONE_KEY = """'tombstones/' || CASE kind WHEN 'post' THEN id
    ELSE 'author-' || left(encode(sha256(convert_to(id, 'UTF8')), 'hex'), 32) END || '.json'"""
_EXPECTED = text(f"""
SELECT * FROM (
    SELECT key, aweme_id AS name, 'file' AS role, bytes, sha256 FROM post_files
    UNION ALL SELECT storage_key || '.json', aweme_id, 'sidecar', 0, '' FROM posts
    UNION ALL SELECT {_TOMBSTONE_KEY}, kind || ':' || id, 'tombstone', 0, '' FROM tombstones
) AS every ORDER BY key COLLATE "C"
""")  # noqa: S608  # constants of ours, here and below
_EXPECTS = f"""
SELECT EXISTS (SELECT FROM post_files WHERE aweme_id = $2 AND key = $1)
    OR EXISTS (SELECT FROM posts WHERE aweme_id = $2 AND storage_key || '.json' = $1)
    OR EXISTS (SELECT FROM tombstones WHERE $3 AND {_TOMBSTONE_KEY} = $1) AS yes
"""  # noqa: S608
_IS_OPEN = """
SELECT FROM archive_queue WHERE aweme_id = $1 AND resolved_at IS NULL
UNION ALL SELECT FROM tombstones WHERE kind = 'post' AND id = $1 AND settles_at IS NOT NULL
"""
_DISAGREEMENTS = (
    (
        "is done in the ledger and not in the catalog",
        # A post whose time was over has left the catalog by a line in the audit, and stays done.
        """SELECT aweme_id FROM archive_queue AS q WHERE state = 'done'
           AND NOT EXISTS (SELECT FROM posts AS p WHERE p.aweme_id = q.aweme_id)
           AND NOT EXISTS (SELECT FROM archive_audit AS a WHERE a.subject = q.aweme_id AND a.action = 'delete')""",
    ),
    (
        "is in the catalog and not done in the ledger",
        """SELECT aweme_id FROM posts AS p
           WHERE NOT EXISTS (SELECT FROM archive_queue AS q WHERE q.aweme_id = p.aweme_id AND q.state = 'done')
           AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.kind = 'post' AND t.id = p.aweme_id)""",
    ),
    (
        "was erased, and is still in the catalog or the ledger: sweep finishes that",
        """SELECT id AS aweme_id FROM tombstones AS t WHERE kind = 'post'
           AND (EXISTS (SELECT FROM posts AS p WHERE p.aweme_id = t.id)
                OR EXISTS (SELECT FROM archive_queue AS q WHERE q.aweme_id = t.id))""",
    ),
    (
        "has another key in the ledger than in the catalog",
        """SELECT p.aweme_id FROM posts AS p JOIN archive_queue AS q USING (aweme_id)
           WHERE q.storage_key IS DISTINCT FROM p.storage_key""",
    ),
    (
        "has no files in the catalog, or not of the size that it says",
        """SELECT p.aweme_id FROM posts AS p LEFT JOIN post_files AS f USING (aweme_id)
           GROUP BY p.aweme_id HAVING count(f.key) = 0 OR sum(f.bytes) <> p.bytes""",
    ),
    (
        "has no author in the catalog",
        """SELECT aweme_id FROM posts AS p WHERE NOT EXISTS (SELECT FROM authors AS a WHERE a.id = p.author_id)""",
    ),
    (
        "has no counters of its capture",
        """SELECT aweme_id FROM posts AS p
           WHERE NOT EXISTS (SELECT FROM post_metrics_history AS m WHERE m.aweme_id = p.aweme_id)""",
    ),
    (
        "is a dead letter, and not dead in the ledger",
        """SELECT aweme_id FROM dead_letters AS d
           WHERE NOT EXISTS (SELECT FROM archive_queue AS q WHERE q.aweme_id = d.aweme_id AND q.state = 'dead')""",
    ),
)
_STILL = "SELECT aweme_id FROM ({query}) AS found WHERE aweme_id = $1"


@dataclass(frozen=True, slots=True)
class Expected:
    """An object that must be there: `name` is the post's id (of a tombstone "post:ID" or "author:ID"), `bytes` and
    `sha256` are known of files alone."""

    key: str
    name: str
    role: str
    bytes: int
    sha256: str


@asynccontextmanager
async def expected(database: Database) -> AsyncIterator[AsyncIterator[Expected]]:
    """Every object, by the bytes of its key, as of one moment. Raises DatabaseUnavailable."""
    async with database.begin() as connection:
        result = await connection.stream(_EXPECTED, execution_options={"yield_per": _BATCH})
        yield (Expected(*row) async for row in result)


class Ledgers:
    """The database's own words, asked afresh."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements = Statements(database)
        self._stated: dict[str, Any] = {}

    async def expects(self, key: str) -> bool:
        """Whether there must be an object under `key` now."""
        place = layout.place_of(key)
        own = place.post_id if place else ""
        rows = await self._statements.fetch(_EXPECTS, key, own, key.startswith(layout.TOMBSTONES))
        return bool(rows[0]["yes"])

    async def is_open(self, aweme_id: str) -> bool:
        """Whether an attempt may be under way at the post, erased or not: what the store holds is in the making."""
        return bool(await self._statements.fetch(_IS_OPEN, aweme_id))

    async def load(self, ids: Sequence[str]) -> None:
        """Read what the catalog says of these posts, for `compare`."""
        self._stated = await stated(self._database, ids)

    def compare(self, record: Record) -> list[str]:
        """How the catalog differs from what a sidecar says, in words; the post must have been loaded."""
        return self._stated[record.id].differences(record) if record.id in self._stated else []

    async def disagreements(self) -> AsyncIterator[tuple[str, str]]:
        """Posts of which two tables say different things, and what; looked at twice, since work may be going on."""
        for words, query in _DISAGREEMENTS:
            async with self._database.begin() as connection:
                result = await connection.stream(text(query), execution_options={"yield_per": _BATCH})
                async for (aweme_id,) in result:
                    if await self._statements.fetch(_STILL.format(query=query), aweme_id):
                        yield aweme_id, words
