"""The archive's parts on a database of each test's own."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from clipstead.archive.audit import Audit
from clipstead.archive.catalog import Catalog
from clipstead.archive.dead import DeadLetters
from clipstead.archive.ledger import Claim, Entry, Ledger
from clipstead.archive.record import FileRecord, Record
from clipstead.archive.sources import Sources
from clipstead.archive.tombstones import Tombstones
from clipstead.db import Database
from clipstead.engine import Engine
from clipstead.model import Author, Link, MediaKind, Music, Stats

Rows = Callable[..., Awaitable[list[dict[str, Any]]]]
Keep = Callable[..., Awaitable[Record]]


@pytest.fixture
def engine(database: Database) -> Engine:
    """The engine, without hands."""
    return Engine(database)


@pytest.fixture
def ledger(database: Database, engine: Engine) -> Ledger:
    """The ledger; a post has three attempts."""
    return Ledger(database, engine, most=3)


@pytest.fixture
def sources(database: Database, engine: Engine, ledger: Ledger) -> Sources:
    """The sources of that ledger."""
    return Sources(database, engine, ledger)


@pytest.fixture
def catalog(database: Database) -> Catalog:
    """The catalog."""
    return Catalog(database)


@pytest.fixture
def dead(database: Database, engine: Engine) -> DeadLetters:
    """The dead letters."""
    return DeadLetters(database, engine)


@pytest.fixture
def audit(database: Database) -> Audit:
    """The audit."""
    return Audit(database)


@pytest.fixture
def tombstones(database: Database) -> Tombstones:
    """What has been erased."""
    return Tombstones(database)


@pytest.fixture
def rows(database: Database) -> Rows:
    """The rows of a query, as the database has them."""

    async def fetch(query: str, **values: Any) -> list[dict[str, Any]]:
        async with database.begin() as connection:
            result = await connection.execute(text(query), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    return fetch


def record_of(claim: Claim, *, handle: str = "alice", **changes: Any) -> Record:
    """What a capture of the claimed post would have kept."""
    key = claim.storage_key or f"videos/dt=2026-11-20/author={handle}/{claim.aweme_id}"
    link = Link("tiktok", f"https://www.tiktok.com/@{handle}/video/{claim.aweme_id}", claim.aweme_id)
    digest = hashlib.sha256(claim.aweme_id.encode()).hexdigest()
    values: dict[str, Any] = {
        "id": claim.aweme_id,
        "link": link,
        "source_link": claim.url or link.url,
        "author": Author(id=f"id-{handle}", username=handle, nickname=handle.title()),
        "storage_key": key,
        "provider": "tiktok_web",
        "listed_at": claim.listed_at,
        "resolved_at": claim.began_at + timedelta(microseconds=1),
        "downloaded_at": claim.began_at + timedelta(microseconds=2),
        "archived_at": claim.began_at + timedelta(microseconds=3),
        "files": (
            FileRecord(MediaKind.VIDEO, "hd", f"{key}.mp4", digest, 2000, "video/mp4", 576, 1024, "h264", 9.5),
            FileRecord(MediaKind.COVER, "cover", f"covers/{claim.aweme_id}.jpg", digest, 100, "image/jpeg"),
        ),
        "source": claim.source,
        "title": f"post {claim.aweme_id}",
        "created_at": 1_700_000_000,
        "duration": 9.5,
        "stats": Stats(views=10, likes=2),
        "music": Music(id="m1", title="original sound", author=handle),
        "attempt": claim.attempts,
    }
    return Record(**{**values, **changes})


@pytest.fixture
def keep(ledger: Ledger) -> Keep:
    """Adds a post, begins it, and keeps it as captured."""

    async def keep(aweme_id: str, source: str = "", **changes: Any) -> Record:
        await ledger.add([Entry(aweme_id)], source)
        claim = await ledger.begin(aweme_id)
        assert claim
        record = record_of(claim, **changes)
        assert await ledger.finish(claim, record)
        return record

    return keep


@pytest.fixture
def make_record() -> Callable[..., Record]:
    """Makes the record that a capture of a claim would have made."""
    return record_of


@pytest.fixture
def long_ago() -> datetime:
    """A moment that is over."""
    return datetime(2026, 1, 1, tzinfo=UTC)
