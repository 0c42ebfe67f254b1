"""The catalog: found by who, what and when, page by page; refreshed without losing what was; and always by an index."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from clipstead.archive.catalog import Catalog, Wanted
from clipstead.archive.figures import figures
from clipstead.archive.ledger import Entry, Ledger
from clipstead.archive.record import Record
from clipstead.archive.search import query
from clipstead.db import Database
from clipstead.errors import NotFound
from clipstead.model import Author, Music, Stats

Keep = Callable[..., Awaitable[Record]]
Rows = Callable[..., Awaitable[list[dict[str, Any]]]]


async def found(catalog: Catalog, **wanted: Any) -> list[str]:
    """The ids, in order."""
    return [post.aweme_id async for post in catalog.all(Wanted(**wanted))]


async def test_the_newest_first_page_by_page(catalog: Catalog, keep: Keep) -> None:
    """No post is missed or shown twice, even of one moment."""
    first = await keep("0")
    for number in range(1, 9):
        await keep(str(number), archived_at=first.archived_at + timedelta(seconds=number // 3))
    pages, last = [], None
    while page := await catalog.page(before=last, most=4):
        pages.append([post.aweme_id for post in page])
        last = page[-1]
    assert pages == [["8", "7", "6", "5"], ["4", "3", "2", "1"], ["0"]]


async def test_it_is_found_by_what_is_told_of_it(catalog: Catalog, keep: Keep) -> None:
    """Author by id and handle, tag, sound, source, availability, times; together they narrow."""
    a = await keep("a", "@alice", title="#Soup", music=Music(id="s1"))
    b = await keep("b", "#soup", handle="bob", title="no tag", created_at=1_600_000_000)
    await keep("c", "@alice", handle="alice", music=Music(id="s1"), author=Author(id="id-alice", username="alice2"))
    assert await found(catalog, author="@alice") == ["a"]
    assert await found(catalog, author="@alice2") == ["c", "a"]  # a new handle leads to what was under the old one
    assert await found(catalog, author="id-alice") == ["c", "a"]
    assert await found(catalog, tag="soup") == await found(catalog, tag="#SOUP") == ["a"]
    assert await found(catalog, sound="s1", source="@alice") == ["c", "a"]
    assert await found(catalog, created_until=1_650_000_000) == ["b"]
    assert await found(catalog, created_since=-(2**90)) == ["c", "a", "b"]
    assert await found(catalog, since=b.archived_at) == ["c", "b"]
    assert await found(catalog, until=b.archived_at) == ["a"]
    assert await found(catalog, author="@nobody\0") == []
    assert await found(catalog, author="@Alice2") == ["c", "a"]
    assert await found(catalog, availability="deleted") == []
    assert a.main


async def test_one_post_with_all_that_is_kept_of_it(catalog: Catalog, keep: Keep) -> None:
    """Its files in order and its counters; NotFound for another."""
    record = await keep("1")
    kept = await catalog.get("1")
    assert (kept.post.title, kept.post.duration, kept.post.music_title) == (record.title, 10, "original sound")
    assert [(file.kind, file.key, file.sha256, file.bytes, file.duration) for file in kept.files] == [
        (file.kind, file.key, file.sha256, file.bytes, file.duration) for file in record.files
    ]
    assert [(metrics.seen_at, metrics.play_count) for metrics in kept.metrics] == [(record.resolved_at, 10)]
    with pytest.raises(NotFound):
        await catalog.get("2")
    assert await catalog.has(["1", "2"]) == {"1"}


async def test_a_refresh_appends_and_forgets_nothing(catalog: Catalog, keep: Keep, rows: Rows) -> None:
    """Counters are added to, what was deleted is marked with the time, and so is its coming back."""
    await rows("INSERT INTO webhooks (url, events) VALUES ('https://h/', '{deleted}')")
    record = await keep("1")
    assert await catalog.saw("1", Stats(views=50))
    kept = await catalog.get("1")
    assert [metrics.play_count for metrics in kept.metrics] == [50, 10]
    assert (kept.post.play_count, kept.post.digg_count) == (50, 2)  # likes were not told this time
    assert (kept.post.archived_at, kept.post.availability_at) == (record.archived_at, None)

    assert await catalog.gone("1", "deleted")
    gone = (await catalog.get("1")).post
    assert await catalog.gone("1", "deleted")
    again = (await catalog.get("1")).post
    assert (gone.availability, again.availability_at, gone.last_seen) == (
        "deleted", gone.availability_at, kept.post.last_seen,
    )  # fmt: skip
    assert again.refreshed_at > gone.refreshed_at
    assert await found(catalog, availability="deleted") == ["1"]
    told = await rows("SELECT event, payload->>'reason' AS reason FROM webhook_deliveries")
    assert told == [{"event": "deleted", "reason": "deleted"}]

    assert await catalog.saw("1", Stats(views=60))
    back = (await catalog.get("1")).post
    assert back.availability == "available"
    assert back.availability_at
    assert gone.availability_at
    assert back.availability_at > gone.availability_at
    assert not await catalog.saw("2", Stats())
    assert not await catalog.gone("2", "deleted")


async def test_the_stalest_go_first(catalog: Catalog, keep: Keep, rows: Rows) -> None:
    """Those nobody has looked at for longest; a look that came to nothing counts as one."""
    for name in "abc":
        await keep(name)
    await rows("UPDATE posts SET refreshed_at = now() - interval '2 days' WHERE aweme_id <> 'b'")
    await rows("UPDATE posts SET refreshed_at = now() - interval '3 days' WHERE aweme_id = 'c'")
    assert [post.aweme_id for post in await catalog.stalest(86400)] == ["c", "a"]
    await catalog.looked("c")
    assert [post.aweme_id for post in await catalog.stalest(86400)] == ["a"]


async def test_what_is_deleted_is_audited_and_not_captured_again(
    catalog: Catalog, ledger: Ledger, keep: Keep, rows: Rows
) -> None:
    """Its objects are named, its ledger row stays."""
    record = await keep("1")
    await keep("2")
    (gone,) = await catalog.delete(["1", "unknown"], reason="days=1", actor="janitor")
    assert (gone.aweme_id, gone.storage_key, gone.bytes) == ("1", record.storage_key, 2100)
    assert gone.keys == tuple(file.key for file in record.files)
    assert await found(catalog) == ["2"]
    assert await rows("SELECT count(*) FROM post_files") == [{"count": 2}]
    assert await rows("SELECT action, subject, reason, bytes FROM archive_audit") == [
        {"action": "delete", "subject": "1", "reason": "days=1", "bytes": 2100}
    ]
    assert (await ledger.add([Entry("1")], "")).known == 1


async def test_status_is_exact_whatever_has_happened(
    ledger: Ledger, catalog: Catalog, keep: Keep, database: Database, rows: Rows
) -> None:
    """Kept counts agree with counted rows, before and after they are added up."""
    await ledger.add([Entry(f"p{number}") for number in range(7)], "@alice")
    await keep("k1", "@alice")
    await keep("k2", "@bob")
    await catalog.delete(["k1"])
    claim = await ledger.begin("p0")
    assert claim
    await ledger.die(claim, "private")
    await ledger.begin("p1")
    before = await figures(database)
    await ledger.sweep()
    assert await rows("SELECT * FROM archive_deltas") == []
    after = await figures(database)
    assert replace(before, moment=after.moment) == after
    assert (after.pending, after.working, after.done, after.dead) == (5, 1, 2, 1)
    assert after.sources == {"@alice": {"pending": 5, "working": 1, "dead": 1, "done": 1}, "@bob": {"done": 1}}
    assert (after.posts, after.bytes, dict(after.availability)) == (1, 2100, {"available": 1})
    assert (after.captured, after.captured_bytes) == (1, 2100)
    assert after.eta


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(author="@u7"),
        Wanted(sound="m7"),
        Wanted(tag="t7"),
        Wanted(question="w7 c7"),
        Wanted(created_since=1_700_005_000, created_until=1_700_015_000),
        Wanted(availability="deleted"),
        Wanted(platform="youtube"),
        Wanted(source="#s7"),
    ],
    ids=str,
)
async def test_pages_come_by_an_index(catalog: Catalog, database: Database, rows: Rows, wanted: Wanted) -> None:
    """With many rows there, no query walks through all of them, and none sorts them all."""
    await rows("""
        INSERT INTO posts (aweme_id, author_id, author_handle, storage_key, bytes, music_id, create_time, words,
                           first_seen, last_seen, refreshed_at, archived_at, source, platform, availability)
        SELECT n, 'i' || n % 500, 'u' || n % 500, n, 1, 'm' || n % 500, 1700000000 + n,
               array_to_tsvector(ARRAY['w' || n % 100, 'c' || n % 70, '#t' || n % 500]), now(), now(), now(),
               now() - n * interval '1 second', '#s' || n % 500,
               CASE WHEN n % 500 = 0 THEN 'youtube' ELSE 'tiktok' END,
               CASE WHEN n % 500 = 0 THEN 'deleted' ELSE 'available' END
        FROM generate_series(1, 20000) AS n
    """)
    async with database.each() as connection:
        await connection.execute(text("VACUUM ANALYZE posts"))
    last = None
    for _ in range(2):
        statement, values = query(wanted, last, 20)
        async with database.begin() as connection:
            plan = "\n".join(await connection.scalars(text(f"EXPLAIN ANALYZE {statement}"), values))
        assert "Seq Scan on posts" not in plan, plan
        assert all(int(rows) < 1000 for rows in re.findall(r"Rows Removed by Filter: (\d+)", plan)), plan
        last = (await catalog.page(wanted, most=5))[-1]
