"""Posts are remembered for their time and within their bytes, and told apart by language."""

from __future__ import annotations

import random
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

from clipstead.model import Author, Link, Media, MediaKind, Post, Resolution
from clipstead.resolve.cache import PostCache, weigh

if TYPE_CHECKING:
    from tests.resolve.conftest import Clock

MB = 1024 * 1024


def link(n: int = 1) -> Link:
    return Link("tiktok", f"https://www.tiktok.com/@_/video/{n}", str(n))


def post(n: int = 1, *, raw: int = 1000, media: int = 3) -> Post:
    files = tuple(
        Media(
            kind=MediaKind.VIDEO,
            variant=f"v{m}",
            url=f"https://v16-webapp-prime.tiktok.com/video/{n}/{m}/" + "x" * 600,
            headers={"Referer": f"https://www.tiktok.com/{n}/{m}"},
            mirrors=(f"https://v19-webapp-prime.tiktok.com/video/{n}/{m}/" + "x" * 600,),
        )
        for m in range(media)
    )
    author = Author(
        id=str(n), username=f"user{n}", nickname=f"Üser {n}", avatar=f"https://p16.example/{n}/" + "x" * 300
    )
    return Post(id=str(n), link=link(n), title=f"Title {n}", author=author, media=files, raw=bytes(raw))


def kept(cache: PostCache, clock: Clock, n: int = 1, *, language: str = "en", raw: int = 1000) -> Resolution:
    now = clock()
    resolution = Resolution(post(n, raw=raw), "a", fetched_at=now, expires_at=now + cache.seconds)
    cache.put(cache.key(link(n), language), resolution)
    return resolution


def test_a_post_is_kept_until_its_time_is_over(clock: Clock) -> None:
    cache = PostCache(300, MB, clock)
    key = cache.key(link(), "en")
    assert cache.get(key) is None
    resolution = kept(cache, clock)
    clock.passes(299.9)
    assert cache.get(key) is resolution
    clock.passes(0.2)
    assert cache.get(key) is None
    stats = cache.stats()
    assert (stats.hits, stats.misses, stats.entries, stats.size) == (1, 2, 0, 0)


def test_a_clock_set_back_gives_nothing_a_longer_life(clock: Clock) -> None:
    cache = PostCache(300, MB, clock)
    kept(cache, clock)
    clock.passes(-3600)
    assert cache.get(cache.key(link(), "en")) is None


def test_language_and_platform_are_part_of_the_key(clock: Clock) -> None:
    cache = PostCache(300, MB, clock)
    kept(cache, clock, language="de")
    assert cache.get(cache.key(link(), "en")) is None
    assert cache.get(cache.key(link(), "de")) is not None
    elsewhere = Link("youtube", "https://youtu.be/1", "1")
    assert cache.get(cache.key(elsewhere, "de")) is None
    assert cache.key(Link("web", "https://a.example/x"), "en") != cache.key(Link("web", "https://a.example/y"), "en")


def test_a_peek_is_not_counted_and_keeps_nothing_alive(clock: Clock) -> None:
    cache = PostCache(300, 3 * weigh(post()), clock)
    for n in (1, 2, 3):
        kept(cache, clock, n)
    assert cache.peek(cache.key(link(1), "en")) is not None
    kept(cache, clock, 4)
    assert cache.peek(cache.key(link(1), "en")) is None, "the oldest went, though it was looked at"
    assert (cache.stats().hits, cache.stats().misses) == (0, 0)


def test_the_least_recently_used_goes_first(clock: Clock) -> None:
    cache = PostCache(300, 3 * weigh(post()), clock)
    for n in (1, 2, 3):
        kept(cache, clock, n)
    assert cache.get(cache.key(link(1), "en")) is not None
    kept(cache, clock, 4)
    there = [n for n in (1, 2, 3, 4) if cache.peek(cache.key(link(n), "en")) is not None]
    assert there == [1, 3, 4]


def test_the_bytes_are_bounded_whatever_comes(clock: Clock) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    cache = PostCache(300, MB, clock)
    for _ in range(1000):
        kept(cache, clock, dice.randrange(60), raw=dice.choice([0, 10_000, 300_000, 2 * MB]))
        assert cache.stats().size <= MB
    assert cache.stats().entries > 0


def test_what_is_heavier_than_the_whole_cache_is_not_kept(clock: Clock) -> None:
    cache = PostCache(300, MB, clock)
    kept(cache, clock, 1)
    kept(cache, clock, 2, raw=2 * MB)
    assert cache.peek(cache.key(link(1), "en")) is not None
    assert cache.peek(cache.key(link(2), "en")) is None


def test_zero_seconds_or_bytes_keep_nothing(clock: Clock) -> None:
    for cache in (PostCache(0, MB, clock), PostCache(300, 0, clock)):
        kept(cache, clock)
        assert cache.get(cache.key(link(), "en")) is None
        assert cache.stats().max_size == 0


def test_the_estimate_is_about_what_a_post_holds() -> None:
    """Within a third of what the interpreter says, for posts of few and of many files."""
    for media, raw in ((1, 0), (12, 20_000), (60, 300_000)):
        tracemalloc.start()
        posts = [post(n, media=media, raw=raw) for n in range(20)]
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        estimate = sum(map(weigh, posts))
        assert 0.67 < estimate / held < 1.5, (media, raw, estimate / held)


def test_a_playlist_that_was_told_is_weighed() -> None:
    plain = post()
    told = replace(plain, media=tuple(replace(each, playlist=b"x" * 10_000) for each in plain.media))
    assert weigh(told) - weigh(plain) == 10_000 * len(plain.media)
