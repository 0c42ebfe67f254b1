"""What is wanted of the catalog, as SQL: always by an index, the newest first, from where a page ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clipstead.archive import words
from clipstead.archive.post_row import Place, PostRow, columns
from clipstead.archive.record import clean
from clipstead.errors import InvalidParams


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is left empty does not matter. `author` is an id or a @handle, `tag` without its sign, `sound` an id,
    `source` a spec; `since` and `until` are moments of the capture, `created_since` and `created_until` unix seconds of
    the post itself, and with one of these it is the newest post that comes first, else the newest capture. `question`
    are words to search for.
    """

    question: str = ""
    author: str = ""
    tag: str = ""
    sound: str = ""
    source: str = ""
    platform: str = ""
    availability: str = ""
    since: datetime | None = None
    until: datetime | None = None
    created_since: int | None = None
    created_until: int | None = None

    @property
    def order(self) -> str:
        """The column that pages go by."""
        dated = self.created_since is not None or self.created_until is not None
        return "create_time" if dated else "archived_at"


# Words that mean what an index is for are written out, since Postgres sees no values when it chooses one.
_CONDITIONS = {
    "sound": "music_id = :sound",
    "source": "source = :source AND source <> ''",
    "since": "archived_at >= :since",
    "until": "archived_at < :until",
    "created_since": "create_time >= :created_since",
    "created_until": "create_time < :created_until",
}
_ORDINARY = {"platform": "tiktok", "availability": "available"}
_FARTHEST = 2**63 - 1
_MOST = 10_000


def query(
    wanted: Wanted, before: PostRow | Place | None, most: int, author_ids: Sequence[str] = ()
) -> tuple[str, dict[str, Any]]:
    """The statement, and its values by name; InvalidParams for a question without a word in it.

    `author_ids`: whom the author's name stands for by what `authors` says.
    """
    values: dict[str, Any] = {"most": max(0, min(most, _MOST))}
    conditions: list[str] = []
    for name in (*_CONDITIONS, *_ORDINARY):
        value = getattr(wanted, name)
        if value not in ("", None):
            conditions.append(_CONDITIONS.get(name) or _condition(name, value))
            values[name] = _fitting(value)
    if wanted.author:
        conditions.append("(lower(author_handle) = lower(:handle) OR author_id = ANY(CAST(:author_ids AS text[])))")
        values |= {"handle": handle_of(wanted), "author_ids": [clean(wanted.author), *author_ids]}
    for number, asked in enumerate(_asked(wanted)):
        conditions.append(f"words @@ CAST(CAST(:words{number} AS text) AS tsquery)")
        values[f"words{number}"] = clean(asked)
    if before:
        conditions.append(f"({wanted.order}, aweme_id) < (:before, :before_id)")
        values |= {"before": getattr(before, wanted.order), "before_id": before.aweme_id}
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    statement = f"""SELECT {", ".join(columns())} FROM posts {where}
        ORDER BY {wanted.order} DESC, aweme_id DESC LIMIT :most"""  # noqa: S608  # constants of ours
    return statement, values


def handle_of(wanted: Wanted) -> str:
    """The handle that is meant by the author's name, if it is one."""
    return clean(wanted.author).removeprefix("@")


def _condition(name: str, value: str) -> str:
    ordinary = _ORDINARY[name]
    return f"{name} = :{name}" if value == ordinary else f"{name} = :{name} AND {name} <> '{ordinary}'"


def _fitting(value: Any) -> Any:
    if isinstance(value, int):
        return max(-_FARTHEST, min(_FARTHEST, value))
    return clean(value) if isinstance(value, str) else value


def _asked(wanted: Wanted) -> list[str]:
    asked = []
    if wanted.question:
        question = words.tsquery(wanted.question)
        if not question:
            raise InvalidParams({"question": "must hold a word to look for"})
        asked.append(question)
    if wanted.tag:
        tag = words.tsquery("#" + wanted.tag.lstrip("#＃"))
        if not tag:
            raise InvalidParams({"tag": "must be a tag"})
        asked.append(tag)
    return asked
