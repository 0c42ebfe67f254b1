"""The catalog is a function of its seed: big, cheap, the same every time."""

from __future__ import annotations

from clipstead.practice.catalog import NEWEST, Catalog


def test_ids_and_codes_lead_back_to_their_posts() -> None:
    """Every id and short code of a large world finds exactly its post."""
    catalog = Catalog(3, 20_000)
    for number in range(0, 20_000, 997):
        post = catalog[number]
        assert catalog.by_id(post.id) is post
        assert catalog.by_code(post.short_code) is post
    assert catalog.by_id("7660566211100511518") is None
    assert catalog.by_id("x" * 19) is None
    assert catalog.by_code("ZPr000000") is None


def test_an_id_tells_its_time() -> None:
    """As on TikTok the upper half of an id is the unix time of the post, and it is never in the future."""
    for post in Catalog(1, 60):
        assert int(post.id) >> 32 == post.created <= NEWEST


def test_time_runs_forward() -> None:
    """Posts come in order of time and each at a second of its own."""
    times = [post.created for post in Catalog(1, 2000)]
    assert times == sorted(set(times))


def test_lists_partition_the_posts() -> None:
    """Each post is in the list of its author, its tag and its sound, newest first."""
    catalog = Catalog(1, 100)
    assert sorted(n for user in catalog.users for n in catalog.of_user(user)) == list(range(100))
    assert sorted(n for tag in catalog.tags for n in catalog.of_tag(tag)) == list(range(100))
    assert sorted(n for sound in catalog.sounds for n in catalog.of_sound(sound)) == list(range(100))
    assert list(catalog.of_tag(catalog.everything)) == list(range(99, -1, -1))
    for user in catalog.users:
        assert all(catalog[n].author is user for n in catalog.of_user(user))


def test_publishing_adds_the_newest_post_and_moves_nothing() -> None:
    """A new post is the newest of its author; all others keep their ids."""
    catalog = Catalog(1, 60)
    before = [post.id for post in catalog]
    (post,) = catalog.publish()
    assert [p.id for p in catalog[:60]] == before
    assert catalog[catalog.of_user(post.author)[0]] is post
    assert catalog.by_id(post.id) is post


def test_another_seed_is_another_world() -> None:
    """Two seeds share no id and no code."""
    one, two = Catalog(1, 60), Catalog(2, 60)
    assert not {post.id for post in one} & {post.id for post in two}
    assert not {user.sec_uid for user in one.users} & {user.sec_uid for user in two.users}
