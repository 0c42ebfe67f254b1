"""What was done to which file for which job: kept for the asking, and so that the same work is not done twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from clipstead.db import Database
from clipstead.db.schema import files, receipts
from clipstead.errors import NotFound


@dataclass(frozen=True, slots=True)
class Work:
    """What makes two jobs the same: the tool, its parameters, the input's SHA-256, and whose the result is."""

    tool: str
    params: Mapping[str, Any]
    input_sha256: str
    key_id: str | None

    @property
    def params_sha256(self) -> str:
        """Of the parameters, in an order of their own."""
        return hashlib.sha256(json.dumps(dict(self.params), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Made:
    """How it was done: the exact commands (none: the input was given back), by which program, and what came out."""

    commands: Sequence[Sequence[str]]
    program: str
    output_sha256: str
    output_bytes: int
    file_id: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A receipt as it is kept."""

    work: Work
    made: Made
    created_at: datetime


class Receipts:
    """The receipts of a database, each for `ttl` seconds, as long as its file."""

    def __init__(self, database: Database, *, ttl: float = 86400.0) -> None:
        self._database = database
        self._life = text(f"interval '{ttl:f} seconds'")

    async def keep(self, token: str, job_id: str, work: Work, made: Made) -> None:
        """The receipt of the job of that token; a later attempt's takes its place."""
        row = {
            "token": token,
            "job_id": job_id,
            "key_id": work.key_id,
            "tool": work.tool,
            "params": dict(work.params),
            "params_sha256": work.params_sha256,
            "input_sha256": work.input_sha256,
            "commands": [list(command) for command in made.commands],
            "ffmpeg": made.program,
            "output_sha256": made.output_sha256,
            "output_bytes": made.output_bytes,
            "file_id": made.file_id,
        }
        expiry = {"expires_at": func.now() + self._life}
        statement = (
            insert(receipts).values(row | expiry).on_conflict_do_update(index_elements=["token"], set_=row | expiry)
        )
        async with self._database.each() as connection:
            await connection.execute(statement)

    async def of(self, token: str) -> Kept:
        """The receipt of the job of that token; NotFound."""
        query = select(receipts).where(receipts.c.token == token, receipts.c.expires_at > func.now())
        async with self._database.each() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound("Receipt not found or expired")
        return _kept(row)

    async def same(self, work: Work) -> Kept | None:
        """The receipt of the same work, if its result is still there; it then has its whole time before it again."""
        query = (
            select(receipts)
            .where(
                receipts.c.key_id.is_not_distinct_from(work.key_id),
                receipts.c.tool == work.tool,
                receipts.c.input_sha256 == work.input_sha256,
                receipts.c.params_sha256 == work.params_sha256,
            )
            .order_by(receipts.c.created_at.desc())
        )
        async with self._database.each() as connection:
            for row in await connection.execute(query):
                renewed = update(files).where(files.c.id == row.file_id, ~files.c.open, files.c.expires_at > func.now())
                found = await connection.execute(renewed.values(expires_at=func.now() + self._life))
                if found.rowcount:
                    return _kept(row)
        return None


def _kept(row: Row[Any]) -> Kept:
    work = Work(row.tool, row.params, row.input_sha256, row.key_id)
    made = Made(row.commands, row.ffmpeg, row.output_sha256, row.output_bytes, row.file_id)
    return Kept(work, made, row.created_at)


def receipt_json(kept: Kept) -> dict[str, Any]:
    """For a stranger's eyes: no id of a file, no key."""
    made = asdict(kept.made)
    return {
        "tool": kept.work.tool,
        "params": dict(kept.work.params),
        "inputSha256": kept.work.input_sha256,
        "commands": made["commands"],
        "program": made["program"],
        "outputSha256": made["output_sha256"],
        "outputBytes": made["output_bytes"],
        "unchanged": not made["commands"],
        "createdAt": kept.created_at.isoformat(),
    }
