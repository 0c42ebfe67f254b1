"""Whom a ticket makes us ask, and how often, when its own provider is down or another one answers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from clipstead.errors import ProviderFailed
from clipstead.model import Author, Link, Media, MediaKind, Post
from clipstead.net.guard import Guard
from clipstead.net.pages import Pages
from clipstead.resolve.cache import PostCache
from clipstead.resolve.providers.base import Net
from clipstead.resolve.resolver import Resolver
from clipstead.resolve.rotation import Rotation
from clipstead.server.tokens import Ticket
from clipstead.server.tunnel_source import Sources

POST_ID = "7608826249200356630"
POST = Post(
    id=POST_ID,
    link=Link("tiktok", f"https://www.tiktok.com/@_/video/{POST_ID}", POST_ID),
    title="",
    author=Author("1", "someone"),
    media=(Media(kind=MediaKind.VIDEO, variant="hd", url="http://cdn.test/hd.mp4", ext="mp4"),),
)


@dataclass
class One:
    """A provider that knows one post, or is down."""

    name: str
    down: bool = False
    asked: int = 0
    home: str = ""
    maintenance: str = ""

    def accepts(self, link: Link) -> bool:
        return True

    async def fetch(self, link: Link, net: Net, *, language: str = "en") -> Post:
        self.asked += 1
        if self.down:
            raise ProviderFailed("down")
        return replace(POST, link=link)


@dataclass
class Time:
    now: float = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Stage:
    first: One
    second: One
    sources: Sources
    time: Time


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Two providers and a cache."""
    first, second, time, net = One("first"), One("second"), Time(), Pages(Guard())
    resolver = Resolver(Rotation([first, second]), PostCache(300.0, clock=time), net, clock=time)
    yield Stage(first, second, Sources(resolver, time), time)
    await resolver.close()
    await net.close()


def ticket(provider: str) -> Ticket:
    """For the one file there is."""
    return Ticket(provider, POST_ID, "hd", None, "en", 2_000_000_000)


async def test_a_provider_that_is_down_is_not_asked_for_every_range(stage: Stage) -> None:
    """The other one stands in, and for ten seconds nobody is asked again."""
    stage.first.down = True
    for _ in range(20):
        assert (await stage.sources.find(ticket("first"))).provider == "second"
    before = stage.first.asked
    assert before <= 2
    stage.time.now += 11
    await stage.sources.find(ticket("first"))
    assert (stage.first.asked, stage.second.asked) == (before + 1, 1)


async def test_tickets_of_two_providers_do_not_chase_each_other_out(stage: Stage) -> None:
    """The cache holds one answer a post; asking by turns costs one request each."""
    for _ in range(10):
        for provider in ("first", "second"):
            assert (await stage.sources.find(ticket(provider))).provider == provider
    assert (stage.first.asked, stage.second.asked) == (1, 1)
