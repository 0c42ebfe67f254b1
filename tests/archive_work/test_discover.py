"""Sources are listed page by page, each page with its cursor, and never faster than it can be served."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clipstead.archive.discover import Discovery
from clipstead.archive.sources import row_id
from clipstead.archive.waiting import waiting
from clipstead.practice import World
from clipstead.practice.catalog import PracticePost

from .conftest import House


@pytest.fixture
async def world(video_bytes: int):  # type: ignore[no-untyped-def]
    """A world where users have several pages."""
    async with World(seed=1, posts=200, video_bytes=20_000) as world:
        yield world


def of_user(house: House, number: int = 0) -> list[PracticePost]:
    """A user's posts, newest first."""
    return [house.world.posts[at] for at in house.world.posts.of_user(house.world.users[number])]


def discovery(house: House, most_waiting: int = 5000) -> Discovery:
    """As a worker has it."""
    archive = house.archive
    return Discovery(archive.database, archive.sources, archive.listing, archive.budget, most_waiting=most_waiting)


async def test_every_kind_of_source_is_captured_and_nothing_twice(house: House) -> None:
    world = house.world
    user, tag, sound = world.users[0], world.tags[1], world.sounds[2]
    for spec in (f"@{user.username}", f"#{tag.name}", f"sound:{sound.id}"):
        await house.source(spec)
    await house.work()
    numbers = {*world.posts.of_user(user), *world.posts.of_tag(tag), *world.posts.of_sound(sound)}
    assert await house.agrees() == sorted(world.posts[number].id for number in numbers)
    assert world.requests["page"] == len(numbers)
    assert {row.state for row in await house.archive.sources.list()} == {"done"}


async def test_listing_goes_on_where_it_was_interrupted(house: House) -> None:
    """After each page another worker takes over, as if the one before had been killed."""
    user = house.world.users[0]
    row = await house.source(f"@{user.username}")
    pages = 0
    while claim := await house.archive.sources.begin(row_id(row.id)):
        await discovery(house).page(claim)
        pages += 1
    wanted = await house.rows("SELECT aweme_id FROM archive_queue")
    assert {each["aweme_id"] for each in wanted} == {post.id for post in of_user(house)}
    assert pages == (await house.archive.sources.get(row.id)).pages >= 2


async def test_a_source_claimed_again_by_the_same_worker(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Its lease ran out while a page took its time: the later attempt lists it, and the earlier one ends in peace."""
    user, requests, delay = house.world.users[0], house.world.requests, house.world.delay
    await house.source(f"@{user.username}")
    delay["list"] = 3.0

    async def claimed_again() -> bool:
        if requests["list"] and delay:
            delay.clear()
            await house.rows("DELETE FROM pgqueuer RETURNING id")
            await house.rows("UPDATE sources SET alive_until = now() - interval '1 second' RETURNING id")
            await house.archive.sources.sweep()
        return not delay and not await waiting(house.archive.database)

    await house.work(claimed_again)
    assert await house.agrees() == sorted(post.id for post in of_user(house))
    assert requests["list"] > 1
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_private_or_missing_source_is_said_so_and_stops_nobody(house: House) -> None:
    shy, open_one = house.world.users[0], house.world.users[1]
    house.world.fault(shy.username, "private-account")
    for spec in (f"@{shy.username}", "@nobody.of.that.name", f"@{open_one.username}"):
        await house.source(spec)
    await house.work()
    states = {row.spec: (row.state, row.reason) for row in await house.archive.sources.list()}
    assert states == {
        f"@{shy.username}": ("unavailable", "private"),
        "@nobody.of.that.name": ("unavailable", "missing"),
        f"@{open_one.username}": ("done", ""),
    }
    assert await house.agrees() == sorted(post.id for post in of_user(house, 1))


async def test_nothing_before_since_is_wanted_and_older_pages_are_not_asked_for(house: House) -> None:
    posts = of_user(house)
    since = datetime.fromtimestamp(posts[10].created, UTC)
    row = await house.source(f"@{house.world.users[0].username}", since=since)
    await house.work()
    assert await house.agrees() == sorted(post.id for post in posts[:11])
    assert (await house.archive.sources.get(row.id)).pages <= 2


async def test_no_more_than_max_posts_are_wanted(house: House) -> None:
    await house.source(f"@{house.world.users[0].username}", max_posts=7)
    await house.work()
    assert await house.agrees() == sorted(post.id for post in of_user(house)[:7])


async def test_a_watched_source_brings_only_what_is_new(house: House) -> None:
    """The second pass ends at the first page with nothing new."""
    user = house.world.users[0]
    row = await house.source(f"@{user.username}", watch_hours=1.0)
    await house.work()
    before = await house.archive.sources.get(row.id)
    new = [post for post in house.world.publish(6) if post.author == user]
    await house.rows("UPDATE sources SET next_at = now() RETURNING id")
    await house.work()
    after = await house.archive.sources.get(row.id)
    assert after.added == before.added + len(new) == len(of_user(house))
    assert after.passes == 2 and after.pages - before.pages <= 2
    assert await house.agrees() == sorted(post.id for post in of_user(house))


async def test_listing_waits_while_more_is_waiting_than_can_be_served(house: House) -> None:
    """Pages come only as the posts of the pages before are captured."""
    house.terms = replace(house.terms, most_waiting=5)
    row = await house.source(f"@{house.world.users[0].username}")
    claim = await house.archive.sources.begin(row_id(row.id))
    assert claim
    slow = discovery(house, most_waiting=5)
    assert not await slow.behind()
    following = await slow.page(claim)
    assert following and await slow.behind()
    assert not await discovery(house, most_waiting=5000).behind()
    await house.archive.sources.put_back(following)
    await house.work()
    assert await house.agrees() == sorted(post.id for post in of_user(house))


async def test_a_list_that_is_kept_from_us_is_asked_again_later(house: House) -> None:
    user = house.world.users[0]
    house.world.fault(user.username, "list:captcha", 1)
    row = await house.source(f"@{user.username}")
    await house.work()
    assert (await house.archive.sources.get(row.id)).state == "done"
    assert await house.agrees() == sorted(post.id for post in of_user(house))


async def test_a_list_that_fails_again_and_again_is_paused(house: House) -> None:
    user = house.world.users[0]
    house.world.fault(user.username, "list:garbage")
    house.terms = replace(house.terms, first_pause=0.01)
    row = await house.source(f"@{user.username}")
    await house.work()
    found = await house.archive.sources.get(row.id)
    assert found.state == "paused" and found.detail
