"""Kept for good and gone for good: records restored, posts and authors erased, webhooks told of both."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from clipstead.archive.dead import DeadLetters
from clipstead.archive.figures import figures
from clipstead.archive.ledger import Claim, Entry, Ledger
from clipstead.archive.record import Record
from clipstead.archive.sources import Sources
from clipstead.archive.tombstones import Tombstone, Tombstones
from clipstead.db import Database
from clipstead.model import Source, SourceKind

MakeRecord = Callable[..., Record]
Rows = Callable[..., Awaitable[list[dict[str, Any]]]]
Keep = Callable[..., Awaitable[Record]]


async def begun(ledger: Ledger, aweme_id: str) -> Claim:
    """A claim, which there must be."""
    claim = await ledger.begin(aweme_id)
    assert claim
    return claim


async def test_what_was_restored_equals_what_was_finished(
    ledger: Ledger, make_record: MakeRecord, database: Database, rows: Rows
) -> None:
    """Posts, files, authors, first metrics and ledger rows, from records alone; twice is as good as once."""
    await ledger.add([Entry(str(number), f"https://x/{number}") for number in range(20)], "@alice")
    records = []
    for number in range(20):
        claim = await begun(ledger, str(number))
        records.append(make_record(claim, handle=f"a{number % 3}", title="東京"))
        assert await ledger.finish(claim, records[-1])
    queries = [
        "SELECT * FROM posts ORDER BY 1",
        "SELECT * FROM post_files ORDER BY 1, 2",
        "SELECT * FROM post_metrics_history ORDER BY 1",
        "SELECT * FROM authors ORDER BY 1",
        "SELECT aweme_id, source, state, attempts, added_at, resolved_at, url, storage_key "
        "FROM archive_queue ORDER BY 1",
    ]
    before, counts = [await rows(query) for query in queries], await figures(database)
    for table in ("posts", "authors", "archive_queue"):
        await rows(f"DELETE FROM {table}")
    assert (await figures(database)).posts == 0
    assert await ledger.restore(list(reversed(records))) == 20
    assert [await rows(query) for query in queries] == before
    assert await ledger.restore(records) == 0
    assert [await rows(query) for query in queries] == before
    after = await figures(database)
    assert (after.posts, after.bytes, after.done, after.sources) == (20, counts.bytes, 20, counts.sources)


async def test_what_was_erased_stays_away(
    ledger: Ledger, tombstones: Tombstones, make_record: MakeRecord, keep: Keep, rows: Rows
) -> None:
    """A post under way cannot finish, a listed one is refused, an author's are refused when their author is known."""
    await keep("1")
    await ledger.add([Entry("2"), Entry("3")], "")
    second = await begun(ledger, "2")
    third = await begun(ledger, "3")
    buried = await tombstones.bury(["1", "2", "never seen"], "asked for")
    assert {each.aweme_id: (each.bytes, len(each.keys)) for each in buried} == {
        "1": (2100, 2), "2": (0, 0), "never seen": (0, 0),
    }  # fmt: skip
    assert not await ledger.finish(second, make_record(second))
    assert await ledger.begin("2") is None
    assert sorted(await tombstones.unfinished()) == ["1", "2", "never seen"]
    await tombstones.forget(["1", "2", "never seen"], "asked for", "erase")
    assert await tombstones.unfinished() == []
    assert (await ledger.add([Entry("1"), Entry("2"), Entry("4")], "")).refused == 2
    assert await rows("SELECT * FROM posts") == await rows("SELECT * FROM post_files") == []

    assert await tombstones.bury_author("@ALICE") == []
    assert not await ledger.finish(third, make_record(third, handle="alice"))
    assert await tombstones.is_erased("9", "", "Alice")
    assert not await tombstones.is_erased("9", "", "")
    assert await ledger.restore([make_record(third, handle="alice")]) == 0
    deeds = await rows("SELECT subject, action, reason, actor FROM archive_audit ORDER BY subject")
    assert deeds[0] == {"subject": "1", "action": "erase", "reason": "asked for", "actor": "erase"}


async def test_webhooks_are_told_in_the_same_transaction(ledger: Ledger, make_record: MakeRecord, rows: Rows) -> None:
    """Of what they want to hear, and of nothing that did not happen."""
    await rows(
        "INSERT INTO webhooks (url, events) VALUES ('https://h/1', '{captured,dead}'), ('https://h/2', '{dead}')"
    )
    await ledger.add([Entry("1"), Entry("2")], "")
    stale, live, dying = await begun(ledger, "1"), await begun(ledger, "1"), await begun(ledger, "2")
    await ledger.finish(stale, make_record(stale))
    await ledger.finish(live, make_record(live))
    await ledger.die(dying, "private", "The post is private")
    await ledger.die(dying, "private", "The post is private")
    told = await rows("SELECT webhook_id, event, payload->>'aweme_id' AS post FROM webhook_deliveries ORDER BY 2, 1")
    assert told == [
        {"webhook_id": 1, "event": "captured", "post": "1"},
        {"webhook_id": 1, "event": "dead", "post": "2"},
        {"webhook_id": 2, "event": "dead", "post": "2"},
    ]


async def test_an_author_who_is_erased_is_not_listed_either(
    ledger: Ledger, sources: Sources, tombstones: Tombstones, dead: DeadLetters, keep: Keep, rows: Rows
) -> None:
    """What waits is known by its link, what is under way when it is resolved; nothing that is left names them."""
    await sources.add(Source(SourceKind.USER, "alice"))
    await sources.add(Source(SourceKind.USER, "alice2"))
    await keep("1", "@alice")
    await keep("2", "@alice2", handle="alice2")
    await ledger.add([Entry("3", "https://www.tiktok.com/@Alice/video/3"), Entry("4")], "@alice")
    await ledger.add([Entry("5", "https://www.tiktok.com/@alice2/video/5")], "@alice2")
    under_way = await begun(ledger, "4")
    buried = await tombstones.bury_author("alice")
    assert sorted(each.aweme_id for each in buried) == ["1", "3"]
    assert await ledger.die(under_way, "erased")
    await tombstones.forget([each.aweme_id for each in buried])
    assert await dead.page() == []
    assert [row.spec for row in await sources.list()] == ["@alice2"]
    left = await rows("SELECT aweme_id, url FROM archive_queue ORDER BY 1")
    assert [(row["aweme_id"], "alice2" in row["url"]) for row in left] == [("2", True), ("4", False), ("5", True)]
    assert await rows("SELECT handle FROM authors") == [{"handle": "alice2"}]


async def test_an_author_whose_tombstone_is_read_back_is_forgotten_again(
    sources: Sources, tombstones: Tombstones, keep: Keep, rows: Rows
) -> None:
    """A backup from before the erasure knows them still."""
    await keep("1")
    await keep("2", handle="alice2")
    known = await rows("SELECT id FROM authors WHERE handle = 'alice'")
    await sources.add(Source(SourceKind.USER, "Alice"))
    await sources.add(Source(SourceKind.USER, "alice2"))
    erased_at = datetime(2026, 5, 29, tzinfo=UTC)
    stones = [Tombstone("author", each, "asked for", erased_at) for each in (known[0]["id"], "@alice")]
    await tombstones.restore(stones)
    assert await rows("SELECT handle FROM authors") == [{"handle": "alice2"}]
    assert [row.spec for row in await sources.list()] == ["@alice2"]
