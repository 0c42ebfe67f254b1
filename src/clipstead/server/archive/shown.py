"""What the archive's parts look like from outside: fields named in camelCase, moments in ISO 8601. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from pydantic.alias_generators import to_camel

from clipstead.archive.catalog import Captured, PostRow
from clipstead.archive.dead import DeadLetter
from clipstead.archive.figures import Figures
from clipstead.archive.ledger import Added
from clipstead.archive.post_row import File
from clipstead.archive.sources import SourceRow
from clipstead.archive.subscribers import Subscriber

PREFIX = "/api/archive"

_METRICS_SHOWN = 100


def _plain(row: Any, *without: str) -> dict[str, Any]:
    return {to_camel(name): value for name, value in asdict(row).items() if name not in without}


def source_json(row: SourceRow) -> dict[str, Any]:
    """A source as it stands."""
    return {**_plain(row, "source"), "kind": row.source.kind.value, "platform": row.source.platform}


def added_json(added: Added) -> dict[str, int]:
    """What became of single posts."""
    return {"new": added.new, "known": added.known, "refused": added.refused}


def post_json(row: PostRow) -> dict[str, Any]:
    """A captured post."""
    return _plain(row)


def captured_json(captured: Captured) -> dict[str, Any]:
    """A captured post with its files and how its counters went, the newest first."""
    files = [_file_json(captured.post.aweme_id, file) for file in captured.files]
    metrics = [_plain(each) for each in captured.metrics[:_METRICS_SHOWN]]
    return {**post_json(captured.post), "files": files, "metrics": metrics}


def _file_json(aweme_id: str, file: File) -> dict[str, Any]:
    """`url` is the path below this server."""
    url = f"{PREFIX}/posts/{quote(aweme_id, safe='')}/files/{file.number}"
    return {**_plain(file, "key"), "name": name_of(file), "url": url}


def name_of(file: File) -> str:
    """What a file is called when it is saved."""
    return file.key.rpartition("/")[2]


def letter_json(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter."""
    return _plain(letter)


def webhook_json(subscriber: Subscriber, secret: str) -> dict[str, Any]:
    """A webhook with what its receiver verifies messages by."""
    return {**_plain(subscriber), "secret": secret}


def status_json(now: Figures, sources: Sequence[SourceRow]) -> dict[str, Any]:
    """All figures; rates are per second, over the last `window` seconds. The states of a source's posts are with it."""
    told = _plain(now, "sources", "budgets")
    told["rate"] = now.captured / now.window if now.window else 0.0
    told["bytesRate"] = now.captured_bytes / now.window if now.window else 0.0
    told["budgets"] = [_plain(each) for each in now.budgets]
    told["given"] = _states(now, "")
    told["sources"] = [{**source_json(row), "posts": _states(now, row.spec)} for row in sources]
    return told


def _states(now: Figures, spec: str) -> Mapping[str, int]:
    return now.sources.get(spec, {})
