"""A captured post written down: catalog, files, first metrics, author, ledger and webhooks in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import orjson
from sqlalchemy.exc import DBAPIError

from clipstead.archive import words
from clipstead.archive.claims import Claim
from clipstead.archive.keep_statements import FINISH, RESTORE
from clipstead.archive.record import FileRecord, Record, clean
from clipstead.archive.tombstones import hold_erasures
from clipstead.db import Database
from clipstead.db.line import reason
from clipstead.db.together import Together
from clipstead.errors import ProviderFailed
from clipstead.model import Stats

_BIGGEST, _BIGGEST_SHORT = 2**63 - 1, 2**31 - 1
_RESTORED_AT_ONCE = 500
_FILE_COLUMNS = tuple(field.name for field in fields(FileRecord))


class Keeping:
    """See `Ledger`, whose half this is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together: Together[tuple[Claim, Record], bool | DBAPIError] = Together(self._finishing, most=100)

    async def finish(self, claim: Claim, record: Record) -> bool:
        """See `Ledger.finish`."""
        outcome = await self._together((claim, record))
        if isinstance(outcome, DBAPIError):
            raise ProviderFailed(
                f"The database will not take what was told of the post: {reason(outcome)}"
            ) from outcome
        return outcome

    async def _finishing(self, asked: list[tuple[Claim, Record]]) -> list[bool | DBAPIError]:
        """One that the database will not take must not take the others along."""
        try:
            return list(await self._finish(asked))
        except DBAPIError as error:
            if len(asked) == 1:
                return [error]
        return [outcome for each in asked for outcome in await self._finishing([each])]

    async def _finish(self, asked: list[tuple[Claim, Record]]) -> list[bool]:
        latest = {claim.aweme_id: record for claim, record in asked}
        fences = {claim.aweme_id: claim.fence for claim, _ in asked}
        posts, files = _as_json(list(latest.values()))
        async with self._database.begin() as connection:
            await hold_erasures(connection)
            rows = await connection.exec_driver_sql(FINISH, (posts, files, list(fences), list(fences.values())))
            held = {(row.aweme_id, row.fence) for row in rows}
        return [(claim.aweme_id, claim.fence) in held for claim, _ in asked]

    async def restore(self, records: Sequence[Record]) -> int:
        """See `Ledger.restore`."""
        new = 0
        for start in range(0, len(records), _RESTORED_AT_ONCE):
            once = {record.id: record for record in records[start : start + _RESTORED_AT_ONCE]}
            async with self._database.begin() as connection:
                await hold_erasures(connection)
                rows = await connection.exec_driver_sql(RESTORE, _as_json(list(once.values())))
                new += rows.scalar_one()
        return new


def _as_json(records: Sequence[Record]) -> tuple[str, str]:
    posts = [post_row(record) for record in records]
    files = [_file_row(record.id, number, file) for record in records for number, file in enumerate(record.files)]
    return orjson.dumps(posts).decode(), orjson.dumps(files).decode()


def post_row(record: Record) -> dict[str, Any]:
    """A record as a row of `posts`, and what the ledger and `authors` want beside it."""
    main, author, music = record.main, record.author, record.music
    caption, sound = record.title, (music.title, music.author) if music else ()
    return {
        "aweme_id": record.id,
        "author_id": author_id(record),
        "author_handle": author.username,
        "title": record.title,
        "region": record.region,
        "duration": _fitting(record.duration, _BIGGEST_SHORT),
        "create_time": _fitting(record.created_at, _BIGGEST),
        **counts(record.stats),
        "music_id": music.id if music else None,
        "music_title": music.title if music else "",
        "music_author": music.author if music else "",
        "language": record.language,
        "platform": record.link.platform,
        "storage_key": record.storage_key,
        "bytes": record.bytes,
        "url": record.link.url,
        "source_url": record.source_link,
        "source": record.source,
        "kind": main.kind.value,
        "provider": record.provider,
        "sha256": main.sha256,
        "width": main.width,
        "height": main.height,
        "codec": main.codec,
        "archived_at": record.archived_at,
        "first_seen": record.listed_at,
        "last_seen": record.resolved_at,
        "refreshed_at": record.resolved_at,
        "words": clean(words.tsvector(caption, (author.username, author.nickname), sound, record.subtitles)),
        "attempt": record.attempt,
        "nickname": author.nickname,
        "sec_uid": author.sec_uid,
        "verified": author.verified,
    }


def author_id(record: Record) -> str:
    """The platform's id of the author, or "@handle" where it gives none."""
    return record.author.id or (f"@{record.author.username.lower()}" if record.author.username else "")


def counts(stats: Stats) -> dict[str, int | None]:
    """Counters by the catalog's names, and within what it can hold."""
    told = {
        "play_count": stats.views,
        "digg_count": stats.likes,
        "comment_count": stats.comments,
        "share_count": stats.shares,
        "download_count": stats.downloads,
        "collect_count": stats.saves,
        "repost_count": stats.reposts,
    }
    return {name: None if count is None else min(max(0, count), _BIGGEST) for name, count in told.items()}


def _fitting(value: float | None, most: int) -> int | None:
    """What a stranger may have told, as far as it can be."""
    return round(value) if value is not None and -most <= value <= most else None


def _file_row(aweme_id: str, number: int, file: FileRecord) -> dict[str, Any]:
    return {"aweme_id": aweme_id, "number": number, **{name: getattr(file, name) for name in _FILE_COLUMNS}}
