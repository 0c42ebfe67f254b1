"""Posts that are wanted come into the store and the books, once, with all that belongs to them."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from clipstead.archive import layout
from clipstead.archive.ledger import Entry
from clipstead.archive.pipeline import Lost
from clipstead.model import MediaKind
from clipstead.practice.addresses import FileRef
from clipstead.practice.catalog import Kind, PracticePost
from clipstead.practice.files import VARIANTS
from clipstead.resolve.links import parse
from clipstead.settings import Settings

from .conftest import House


async def test_posts_are_kept_with_cover_subtitles_and_sidecar(house: House) -> None:
    posts = house.world.posts[-20:]
    await house.add(*posts)
    await house.work()
    assert await house.agrees() == sorted(post.id for post in posts)
    assert house.hidden() == []
    assert house.world.requests["page"] == len(posts)
    for post in posts:
        record = await house.record(post)
        kinds = [file.kind for file in record.files]
        assert kinds.count(MediaKind.COVER) == 1
        assert record.author.username == post.author.username and record.title == post.title
        assert record.storage_key.endswith(f"/author={post.author.username}/{post.id}")
        assert record.raw and record.provider == "tiktok_web" and record.attempt == 1
        if post.kind == "photo":
            assert kinds.count(MediaKind.IMAGE) == post.images and kinds.count(MediaKind.AUDIO) == 1
            assert record.files[0].key == f"{record.storage_key}_01.jpg"
        else:
            assert kinds.count(MediaKind.VIDEO) == 1 and record.main.key == f"{record.storage_key}.mp4"
            assert record.main.codec and record.main.width and record.main.duration


@pytest.mark.parametrize("settings", [{"archive_store": "memory://test"}], indirect=True)
async def test_a_store_that_is_no_folder_is_served_as_well(house: House, settings: Settings) -> None:
    posts = house.world.posts[-4:]
    await house.add(*posts)
    await house.work()
    store = house.archive.store
    keys = {listed.key async for listed in store.keys("")}
    named = {row["key"] for row in await house.rows("SELECT key FROM post_files")}
    sidecars = {f"{row['storage_key']}.json" for row in await house.rows("SELECT storage_key FROM posts")}
    assert keys == named | sidecars and len(sidecars) == len(posts)
    assert [path.name for path in (settings.data_dir / "staging").rglob("*")] == []


async def test_what_is_said_in_subtitles_is_kept_as_text(house: House) -> None:
    await house.add(*house.world.posts[-20:])
    await house.work()
    records = [await house.record(post) for post in house.world.posts[-20:]]
    spoken = [record.subtitles for record in records if MediaKind.SUBTITLE in {file.kind for file in record.files}]
    assert spoken and all(text and "-->" not in text and "WEBVTT" not in text for text in spoken)


@pytest.mark.parametrize("twist", ["silent", "dead"])
async def test_a_variant_that_is_not_what_it_claims_gives_way(house: House, twist: str) -> None:
    post = house.world.post("video")
    house.world.fault(post.id, twist)
    await house.add(post)
    await house.work()
    assert await house.agrees() == [post.id]
    record = await house.record(post)
    assert record.main.bytes < house.world.stage.files.video_size(post, VARIANTS[0])


async def test_an_expired_address_is_asked_for_once_more(house: House) -> None:
    post = house.world.post("video")
    house.world.fault(post.id, "expired", 1)
    await house.add(post)
    await house.work()
    assert await house.agrees() == [post.id]
    assert house.world.asked(post.id) == 2


async def test_what_the_store_holds_with_its_sidecar_costs_no_call(house: House) -> None:
    """A worker was killed between the sidecar and the books."""
    post = house.world.post("video")
    await house.add(post)
    claim = await house.claim(post)
    kept = await house.archive.pipeline.archive(claim)
    await house.archive.ledger.put_back(claim, 0.0, "", counted=True)
    await house.work()
    assert await house.agrees() == [post.id]
    assert house.world.asked(post.id) == 1
    assert house.world.requests["cdn:video"] == 1
    (row,) = await house.rows("SELECT archived_at FROM posts")
    assert row["archived_at"] == kept.archived_at
    assert await house.record(post) == kept


async def test_an_answer_outlives_the_attempt_that_got_it(house: House) -> None:
    """A worker was killed between the answer and the last byte."""
    post = house.world.post("video")
    house.world.delay["cdn:video"] = 60
    await house.add(post)
    claim = await house.claim(post)
    attempt = asyncio.create_task(house.archive.pipeline.archive(claim))
    async with asyncio.timeout(20):
        while not house.world.requests["cdn:video"]:
            await asyncio.sleep(0.01)
    attempt.cancel()
    await asyncio.gather(attempt, return_exceptions=True)
    house.world.delay.clear()
    await house.archive.ledger.put_back(claim, 0.0, "", counted=True)
    await house.work()
    assert await house.agrees() == [post.id]
    assert house.world.asked(post.id) == 1


async def test_an_answer_that_led_nowhere_is_not_believed_again(house: House) -> None:
    post = house.world.post("video")
    house.world.fault(post.id, "trapped-media", 1)
    await house.add(post)
    await house.work()
    assert await house.agrees() == [post.id]
    assert house.world.asked(post.id) == 2
    assert (await house.states())[post.id] == ("done", "", 2)


async def test_an_object_without_sidecar_is_adopted_if_it_is_good(house: House) -> None:
    """Another attempt left another variant under the key, and was killed before the sidecar."""
    post, key = await _begun(house)
    content = house.world.stage.files.get(FileRef("l", post.id))
    assert content
    await house.archive.store.put_bytes(f"{key}.mp4", content.data)
    await house.work()
    assert await house.agrees() == [post.id]
    assert (await house.record(post)).main.sha256 == hashlib.sha256(content.data).hexdigest()


async def test_an_object_without_sidecar_makes_way_if_it_is_no_good(house: House) -> None:
    post, key = await _begun(house)
    await house.archive.store.put_bytes(f"{key}.mp4", b"half a video")
    await house.work()
    objects = house.objects()
    aside = [name for name in objects if name.startswith(layout.QUARANTINE)]
    assert [objects[name] for name in aside] == [b"half a video"]
    (house.folder / aside[0]).unlink()
    assert await house.agrees() == [post.id]
    (deed,) = await house.archive.audit.page()
    assert (deed.action, deed.subject) == ("quarantine", f"{key}.mp4")


async def test_files_that_disagree_with_their_sidecar_are_put_aside(house: House) -> None:
    post = house.world.post("video")
    await house.add(post)
    claim = await house.claim(post)
    kept = await house.archive.pipeline.archive(claim)
    path = house.folder / kept.main.key
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    await house.archive.ledger.put_back(claim, 0.0, "", counted=True)
    await house.work()
    aside = [name for name in house.objects() if name.startswith(layout.QUARANTINE)]
    assert len(aside) == 2
    for name in aside:
        (house.folder / name).unlink()
    assert await house.agrees() == [post.id]
    assert {deed.action for deed in await house.archive.audit.page()} == {"quarantine"}


async def test_a_stale_attempt_changes_nothing(house: House) -> None:
    post = house.world.post("video")
    await house.add(post)
    stale = await house.claim(post)
    record = await house.archive.pipeline.archive(stale)
    newer = await house.claim(post)
    assert not await house.archive.ledger.finish(stale, record)
    assert (await house.rows("SELECT * FROM posts")) == []
    with pytest.raises(Lost):
        await house.archive.pipeline.archive(stale)
    assert await house.archive.ledger.finish(newer, await house.archive.pipeline.archive(newer))
    assert await house.agrees() == [post.id]


async def test_a_post_erased_while_it_is_captured_leaves_nothing(house: House) -> None:
    post = house.world.post("video")
    await house.archive.tombstones.bury_author(f"@{post.author.username}")
    await house.add(post)
    await house.work()
    assert (await house.states())[post.id][:2] == ("dead", "erased")
    assert house.objects() == {}
    assert house.hidden() == []


@pytest.mark.parametrize("kind", ["video", "photo"])
async def test_a_post_given_by_its_id_is_kept_under_its_true_link(house: House, kind: Kind) -> None:
    """What was given stays beside it; sidecar and catalog say the same."""
    post = house.world.post(kind)
    await house.archive.ledger.add([Entry(post.id)], "")
    await house.work()
    (row,) = await house.rows("SELECT url, source_url FROM posts")
    record = await house.record(post)
    assert (row["url"], row["source_url"]) == (record.link.url, record.source_link) == (post.url, "")
    assert parse(record.link.url).post_id == post.id


async def _begun(house: House) -> tuple[PracticePost, str]:
    """A post whose key was fixed by an attempt that came no further."""
    post = house.world.post("video")
    await house.add(post)
    claim = await house.claim(post)
    key = await house.archive.ledger.fix_key(claim, layout.base_key(post.id, post.author.username, claim.began_at))
    await house.archive.ledger.put_back(claim, 0.0, "", counted=True)
    return post, key
