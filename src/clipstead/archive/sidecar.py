"""The JSON beside each captured post: its commit marker, and enough for anyone to read it without us."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import fields as fields_of
from dataclasses import is_dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
import orjson

from clipstead.archive.layout import belongs, sidecar_key
from clipstead.archive.record import LARGEST_SIDE, FileRecord, Record
from clipstead.archive.store.base import checked_key
from clipstead.errors import BadMedia
from clipstead.model import Author, Link, Music, Stats

FORMAT = "clipstead-post"
VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WHITE = b" \t\r\n"
_SEAL, _END = b',\n  "check": "', b"\n}\n"


class _Sidecar(msgspec.Struct, frozen=True):
    """As it is written: every field of Record under its own name; `raw` as it came, or the bytes in base64."""

    format: str
    version: int
    id: str
    link: Link
    source_link: str
    author: Author
    storage_key: str
    provider: str
    listed_at: datetime
    resolved_at: datetime
    downloaded_at: datetime
    archived_at: datetime
    files: tuple[FileRecord, ...]
    source: str
    title: str
    region: str
    language: str
    created_at: int | None
    duration: float | None
    stats: Stats
    music: Music | None
    tools: dict[str, str]
    attempt: int
    subtitles: str
    raw: msgspec.Raw = msgspec.Raw(b"")
    raw_base64: str = ""


_FIELDS = tuple(name for name in Record.__slots__ if name != "raw")
_decoder = msgspec.json.Decoder(_Sidecar)


def build(record: Record) -> bytes:
    """The sidecar of a record: indented UTF-8 JSON, the provider's own answer in it as it came.

    The same record makes the same bytes. `check`, its last field, is the SHA-256 of the document as it is without that
    line. Raises ValueError for text that is no UTF-8 (`record_of` leaves none).
    """
    fields: dict[str, Any] = {"format": FORMAT, "version": VERSION, "url": record.link.url}
    fields |= {name: getattr(record, name) for name in _FIELDS}
    fields["tools"] = dict(sorted(record.tools.items()))
    if record.raw and _is_json(record.raw):
        fields["raw"] = orjson.Fragment(record.raw)
    elif record.raw:
        fields["raw_base64"] = base64.b64encode(record.raw).decode()
    try:
        return _sealed(orjson.dumps(fields, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))
    except TypeError as error:
        raise ValueError(f"no sidecar can hold this record: {error}") from None


def parse(data: bytes) -> Record:
    """The record again, equal to the one that `build` got. Raises BadMedia for what is no sidecar of ours."""
    if not _is_sealed(data):
        raise BadMedia("This is no sidecar, or it has changed since it was written")
    try:
        found = _decoder.decode(data)
        raw = bytes(found.raw) or base64.b64decode(found.raw_base64, validate=True)
    except (msgspec.DecodeError, binascii.Error, RecursionError, UnicodeDecodeError) as error:
        raise BadMedia(f"This is no sidecar: {error}") from None
    if found.format != FORMAT or found.version != VERSION:
        raise BadMedia("This is no sidecar of a kind known here")
    record = Record(**{name: getattr(found, name) for name in _FIELDS}, raw=raw)
    _check(record)
    if b"\\u0000" in data and _has_nul(replace(record, raw=b"")):
        raise BadMedia("This sidecar has a text with a NUL in it")
    return record


def _sealed(data: bytes) -> bytes:
    """With the hash of all the rest as its last field, so that no bit of it can change unseen."""
    return data.removesuffix(_END) + _SEAL + hashlib.sha256(data).hexdigest().encode() + b'"' + _END


def _is_sealed(data: bytes) -> bool:
    body, _, _ = data.rpartition(_SEAL)
    return bool(body) and _sealed(body + _END) == data


def _check(record: Record) -> None:
    times = (record.listed_at, record.resolved_at, record.downloaded_at, record.archived_at)
    if any(time.tzinfo is None for time in times):
        raise BadMedia("This sidecar has a time without its zone")
    if record.bytes >= 2**63 or any(file.bytes < 0 or not _SHA256.fullmatch(file.sha256) for file in record.files):
        raise BadMedia("This sidecar has a file without its size and hash")
    sides = [side for file in record.files for side in (file.width, file.height) if side is not None]
    if not all(0 <= number <= LARGEST_SIDE for number in (*sides, record.attempt)):
        raise BadMedia("This sidecar has a number in it that is none")
    keys = [file.key for file in record.files]
    if not keys or len(set(keys)) < len(keys) or not belongs(record.storage_key, record.id, keys):
        raise BadMedia("This sidecar names files that are not its post's")
    try:
        for key in (sidecar_key(record.storage_key), *keys):
            checked_key(key)
    except ValueError:
        raise BadMedia("This sidecar names keys that no store takes") from None


def _has_nul(value: object) -> bool:
    """Whether any text in it holds what no database takes."""
    if is_dataclass(value) and not isinstance(value, type):
        return any(_has_nul(getattr(value, part.name)) for part in fields_of(value))
    if isinstance(value, dict):
        return _has_nul((*value, *value.values()))
    if isinstance(value, tuple):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\x00" in value


def _is_json(raw: bytes) -> bool:
    """Whether it can stand in a JSON document as it is, and be taken out again byte for byte."""
    if raw.strip(_WHITE) != raw:
        return False
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError:
        return False
    return True
