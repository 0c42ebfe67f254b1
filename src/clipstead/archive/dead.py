"""Dead letters: posts that could not be had, why, and since when; kept until somebody retries or purges them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import TextClause, text

from clipstead.archive.intake import Intake
from clipstead.archive.record import clean
from clipstead.archive.statements import Statements
from clipstead.db import Database
from clipstead.engine import Engine

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`reason` is a word (a PostUnavailable's reason, an error's code, or "attempts"), `detail` public words."""

    aweme_id: str
    source: str
    url: str
    reason: str
    detail: str
    attempts: int
    died_at: datetime


# Only what is asked for stands in a statement: Postgres finds an index for that.
_CONDITIONS = {
    "reason": "reason = :reason",
    "source": "source = :source",
    "ids": "aweme_id = ANY(CAST(:ids AS text[]))",
    "age": "died_at <= now() - CAST(:age AS float8) * interval '1 second'",
    "until": "died_at <= :until",
    "before": "(died_at, aweme_id) < (:before, :before_id)",
}
_PAGE = "SELECT * FROM dead_letters {chosen} ORDER BY died_at DESC, aweme_id DESC LIMIT :most"
_TAKE = """
DELETE FROM dead_letters WHERE aweme_id IN (
    SELECT aweme_id FROM dead_letters {chosen} ORDER BY aweme_id LIMIT :most FOR UPDATE SKIP LOCKED
) RETURNING aweme_id, reason, source
"""
_RETRY = f"""
WITH taken AS ({_TAKE}),
raised AS (
    UPDATE archive_queue AS q SET state = 'pending', resolved_at = NULL, attempts = 0, reason = '', next_at = NULL
    FROM taken WHERE q.aweme_id = taken.aweme_id AND q.state = 'dead' RETURNING q.aweme_id
)
SELECT taken.aweme_id, raised.aweme_id IS NOT NULL AS lives FROM taken LEFT JOIN raised USING (aweme_id)
"""  # noqa: S608  # constants of ours, here and below
_PURGE = f"""
WITH taken AS ({_TAKE})
INSERT INTO archive_audit (action, subject, reason, actor, detail)
SELECT 'purge', aweme_id, :why, :actor, jsonb_build_object('died_of', taken.reason, 'source', taken.source) FROM taken
RETURNING id
"""  # noqa: S608


class DeadLetters:
    """The dead letters of a database. Every call may raise DatabaseUnavailable.

    They are chosen by `ids`, `reason`, `source` and `age` (seconds since the death, at least); what is left empty does
    not matter.
    """

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._intake = Intake(database, engine)
        self._statements = Statements(database)

    async def page(
        self,
        *,
        ids: Sequence[str] = (),
        reason: str = "",
        source: str = "",
        age: float = 0.0,
        before: DeadLetter | None = None,
        most: int = 100,
    ) -> list[DeadLetter]:
        """The newest first, from behind `before`."""
        values = _values(ids, reason, source, age)
        if before:
            values |= {"before": before.died_at, "before_id": before.aweme_id}
        async with self._database.each() as connection:
            rows = (await connection.execute(_chosen(_PAGE, values), values | {"most": most})).mappings().all()
        return [DeadLetter(**row) for row in rows]

    async def all(
        self, *, ids: Sequence[str] = (), reason: str = "", source: str = "", age: float = 0.0
    ) -> AsyncIterator[DeadLetter]:
        """Any number of them, the newest first."""
        last: DeadLetter | None = None
        while page := await self.page(ids=ids, reason=reason, source=source, age=age, before=last, most=_AT_ONCE):
            for letter in page:
                yield letter
            last = page[-1]

    async def retry(self, *, ids: Sequence[str] = (), reason: str = "", source: str = "", age: float = 0.0) -> int:
        """Give them another life, with all attempts before them; how many they were."""
        values, retried = _values(ids, reason, source, age), 0
        while True:
            async with self._database.begin() as connection:
                values.setdefault("until", await connection.scalar(text("SELECT now()")))
                taken = (await connection.execute(_chosen(_RETRY, values), values | {"most": _AT_ONCE})).all()
                raised = [row.aweme_id for row in taken if row.lives]
                await self._intake.queue(connection, raised)
            retried += len(raised)
            if not taken:
                return retried

    async def purge(
        self,
        *,
        ids: Sequence[str] = (),
        reason: str = "",
        source: str = "",
        age: float = 0.0,
        why: str = "",
        actor: str = "",
    ) -> int:
        """Forget the letters, not the deaths: these posts stay dead in the ledger. Each is a line in the audit."""
        values, purged = _values(ids, reason, source, age), 0
        told = {"why": clean(why), "actor": clean(actor), "most": _AT_ONCE}
        while True:
            async with self._database.begin() as connection:
                values.setdefault("until", await connection.scalar(text("SELECT now()")))
                gone = len((await connection.execute(_chosen(_PURGE, values), values | told)).all())
            purged += gone
            if not gone:
                return purged


def _values(ids: Sequence[str], reason: str, source: str, age: float) -> dict[str, object]:
    """What was asked for, by the names of the conditions."""
    given = {"ids": [clean(aweme_id) for aweme_id in ids], "reason": clean(reason), "source": clean(source), "age": age}
    return {name: value for name, value in given.items() if value}


def _chosen(statement: str, values: Mapping[str, object]) -> TextClause:
    conditions = [condition for name, condition in _CONDITIONS.items() if name in values]
    return text(statement.format(chosen=f"WHERE {' AND '.join(conditions)}" if conditions else ""))
