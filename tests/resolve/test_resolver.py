"""From what a user gave to a Resolution: looked up, fetched once for all who wait, refused without a packet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from clipstead.errors import (
    Blocked,
    DeadlineExceeded,
    InvalidParams,
    PostUnavailable,
    ProviderFailed,
    ResolveFailed,
    UnsupportedLink,
)
from clipstead.model import Link, LinkKind
from clipstead.resolve import PostCache, Resolver, Rotation
from clipstead.resolve.resolver import clean_language

if TYPE_CHECKING:
    from tests.resolve.conftest import Clock, Gated, NoNet, Scripted

ID = "7106594312292453675"
URL = f"https://www.tiktok.com/@somebody/video/{ID}"
DAY = 86_400


class House:
    """A resolver over given providers, its cache and clock in reach."""

    def __init__(self, clock: Clock, net: NoNet) -> None:
        self.clock = clock
        self.net = net
        self.cache = PostCache(300, 1024 * 1024, clock)

    def __call__(self, *providers: Scripted) -> Resolver:
        rotation = Rotation(providers, clock=self.clock, smallest_share=0.01)
        return Resolver(rotation, self.cache, self.net, clock=self.clock)


@pytest.fixture
def house(clock: Clock, no_net: NoNet) -> House:
    return House(clock, no_net)


async def test_text_becomes_a_resolution(house: House, scripted: type[Scripted], clock: Clock) -> None:
    resolver = house(scripted("a", ProviderFailed("odd")), scripted("b"))
    resolution = await resolver.resolve(f"look at this {URL}?lang=en !")
    assert resolution.post.id == ID
    assert resolution.provider == "b"
    assert [attempt.outcome for attempt in resolution.attempts] == ["provider_failed", "ok"]
    assert (resolution.fetched_at, resolution.expires_at) == (clock.now, clock.now + 300)
    assert not resolution.cached


async def test_the_second_request_asks_nobody(house: House, scripted: type[Scripted], clock: Clock) -> None:
    """And says so: cached, no attempts, the time of the first fetch."""
    a = scripted("a")
    resolver = house(a)
    first = await resolver.resolve(URL)
    clock.passes(100)
    second = await resolver.resolve(URL)
    assert len(a.asked) == 1
    assert (second.cached, second.attempts, second.fetched_at) == (True, (), first.fetched_at)
    assert second.post is first.post
    stats = resolver.cache_stats()
    assert (stats.hits, stats.misses, stats.entries) == (1, 1, 1)
    clock.passes(201)
    assert not (await resolver.resolve(URL)).cached


async def test_fresh_asks_again_and_renews_the_cache(house: House, scripted: type[Scripted]) -> None:
    a = scripted("a", "old", "new")
    resolver = house(a)
    await resolver.resolve(URL)
    assert (await resolver.resolve(URL, fresh=True)).post.title == "new"
    assert (await resolver.resolve(URL)).post.title == "new"
    assert len(a.asked) == 2


async def test_languages_are_told_apart_and_passed_on(house: House, scripted: type[Scripted]) -> None:
    a = scripted("a")
    resolver = house(a)
    for language in ("en", "de-AT", "DE-at", "en"):
        await resolver.resolve(URL, language=language)
    assert [language for _, language in a.asked] == ["en", "de-at"]


def test_a_language_never_breaks_out_of_a_header() -> None:
    """What is no language tag is English."""
    assert [clean_language(tag) for tag in ("fr", "zh-Hant-TW", "sgn-BE-FR")] == ["fr", "zh-hant-tw", "sgn-be-fr"]
    bad = ["", "e", "en\r\nX-Evil: 1", "en\n", "en-", "*", "en,de;q=0.5", "ｅｎ", "en-" + "a" * 9, "en" + "-ab" * 9]
    assert {clean_language(tag) for tag in bad} == {"en"}


async def test_all_who_ask_at_once_share_one_fetch(house: House, gated: type[Gated]) -> None:
    a = gated("a")
    resolver = house(a)
    forms = [URL, f"https://m.tiktok.com/v/{ID}.html", ID, f"https://www.tiktok.com/embed/v2/{ID}"]
    requests = [asyncio.ensure_future(resolver.resolve(form)) for form in forms * 10]
    await a.reached.wait()
    a.gate.set()
    resolutions = await asyncio.gather(*requests)
    assert len(a.asked) == 1
    assert {resolution.post.id for resolution in resolutions} == {ID}


async def test_a_client_that_leaves_does_not_end_the_others_fetch(house: House, gated: type[Gated]) -> None:
    a = gated("a")
    resolver = house(a)
    first = asyncio.ensure_future(resolver.resolve(URL))
    second = asyncio.ensure_future(resolver.resolve(URL))
    await a.reached.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    a.gate.set()
    assert (await second).post.id == ID
    assert a.cancelled == 0


async def test_a_fetch_that_nobody_waits_for_ends(house: House, gated: type[Gated]) -> None:
    a = gated("a")
    resolver = house(a)
    request = asyncio.ensure_future(resolver.resolve(URL))
    await a.reached.wait()
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    await resolver.close()
    assert (a.cancelled, a.asked) == (1, [])


async def test_a_deadline_is_kept_and_tells_who_was_asked(house: House, gated: type[Gated]) -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        await house(gated("a"), gated("b")).resolve(URL, timeout=0.2)
    assert [(each.provider, each.outcome) for each in caught.value.attempts] == [("a", "timeout"), ("b", "timeout")]


async def test_errors_are_not_remembered(house: House, scripted: type[Scripted]) -> None:
    a = scripted("a", PostUnavailable("private"), Blocked("captcha"), "there")
    resolver = house(a)
    with pytest.raises(PostUnavailable):
        await resolver.resolve(URL)
    with pytest.raises(ResolveFailed):
        await resolver.resolve(URL)
    assert (await resolver.resolve(URL)).post.title == "there"


async def test_one_provider_can_be_asked_by_name(house: House, scripted: type[Scripted]) -> None:
    """What another one gave is no answer then; a name nobody has is InvalidParams."""
    a, b = scripted("a"), scripted("b")
    resolver = house(a, b)
    await resolver.resolve(URL)
    assert (await resolver.resolve(URL, provider="b")).provider == "b"
    assert (await resolver.resolve(URL, provider="b")).cached
    assert (await resolver.resolve(URL)).provider == "b"
    with pytest.raises(InvalidParams) as caught:
        await resolver.resolve(URL, provider="c")
    assert caught.value.fields == {"provider": "must be one of a, b"}


@pytest.mark.parametrize(
    "post_id",
    [
        "1234567890123456789",  # 1979
        str((1_388_534_400 << 32) - 1),  # the second before 2014
        str((1_800_000_000 + 2 * DAY) << 32),  # the day after tomorrow
        "20240325123456010101",
        "9" * 40,
        "9" * 5000,
        "0",
    ],
)
async def test_an_id_that_cannot_exist_costs_no_packet(house: House, scripted: type[Scripted], post_id: str) -> None:
    a = scripted("a")
    link = Link("tiktok", f"https://www.tiktok.com/@_/video/{post_id}", post_id)
    with pytest.raises(PostUnavailable) as caught:
        await house(a).resolve(link)
    assert (caught.value.reason, a.asked) == ("missing", [])


async def test_ids_at_the_edges_of_time_are_asked_for(house: House, scripted: type[Scripted]) -> None:
    """And so is any id of another platform."""
    edges = [1_388_534_400 << 32, (1_800_000_000 + DAY // 2) << 32]
    links = [Link("tiktok", f"https://www.tiktok.com/@_/video/{edge}", str(edge)) for edge in edges]
    for link in [*links, Link("youtube", "https://youtu.be/x", "5"), Link("web", "https://a.example/p")]:
        assert (await house(scripted("a")).resolve(link)).post.link == link


@pytest.mark.parametrize("kind", [kind for kind in LinkKind if kind not in (LinkKind.POST, LinkKind.SHORT)])
async def test_only_posts_are_resolved(house: House, scripted: type[Scripted], kind: LinkKind) -> None:
    a = scripted("a")
    with pytest.raises(UnsupportedLink, match=kind.value):
        await house(a).resolve(Link("tiktok", "https://www.tiktok.com/@u", kind=kind, target="u"))
    assert a.asked == []


async def test_a_peek_sees_the_cache_and_asks_nobody(house: House, scripted: type[Scripted]) -> None:
    a = scripted("a")
    resolver = house(a)
    link = Link("tiktok", URL, ID)
    assert resolver.peek(link) is None
    resolution = await resolver.resolve(link, language="fr")
    assert resolver.peek(link) is None
    peeked = resolver.peek(link, language="fr")
    assert peeked is not None and peeked.post is resolution.post
    assert (len(a.asked), resolver.cache_stats().hits) == (1, 0)


async def test_health_is_told_in_order(house: House, scripted: type[Scripted]) -> None:
    resolver = house(scripted("b"), scripted("a"))
    await resolver.resolve(URL)
    assert [(each.name, each.successes) for each in resolver.health()] == [("b", 1), ("a", 0)]
