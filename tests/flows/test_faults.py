"""Everything that goes wrong upstream, one test a kind: routed round, or refused with the true reason; no file left."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from clipstead.app import App, open_app
from clipstead.capture import Captured, Wanted
from clipstead.capture.naming import DEFAULT_TEMPLATE, render
from clipstead.errors import DownloadFailed, PostUnavailable, ResolveFailed, UpstreamError
from clipstead.practice import World
from clipstead.settings import load

# The whole of one lookup or download may take this long before it counts as hanging.
DEADLINE = 45.0

OpenApp = Callable[..., AbstractAsyncContextManager[App]]


@pytest.fixture
def opened(world: World, tmp_path: Path) -> OpenApp:
    """The house in that world, asking the providers that are named."""

    @asynccontextmanager
    async def with_providers(*names: str) -> AsyncIterator[App]:
        settings = load(
            data_dir=tmp_path / "data",
            connect_to=tuple(world.connect_to),
            ca_file=str(world.ca_file),
            providers=names,
            tikwm_per_second=0,
            page_seconds=3,
            stall_seconds=3,
            max_file_bytes=20_000_000,
        )
        async with open_app(settings) as app:
            yield app

    return with_providers


async def _get(app: App, link: str, folder: Path) -> Sequence[Captured]:
    resolution = await app.resolver.resolve(link)
    return await app.capture.capture(
        resolution,
        Wanted(),
        lambda media, ext: folder / render(DEFAULT_TEMPLATE, resolution.post, media, ext),
    )


@pytest.mark.parametrize("fault", ["429=1", "503", "reset", "truncated", "garbage", "html", "empty", "intercepted"])
async def test_one_fault_on_the_page_costs_nothing_but_time(world: World, opened: OpenApp, fault: str) -> None:
    """Asked again or routed round, within the deadline."""
    post = world.post("video")
    world.fault(post.id, f"page:{fault}", times=1)
    async with opened() as app, asyncio.timeout(DEADLINE):
        resolution = await app.resolver.resolve(post.url)
    assert resolution.post.id == post.id


@pytest.mark.parametrize("fault", ["stall", "endless", "oversize", "loop", "trap", "captcha", "verify", "login"])
async def test_a_page_that_stays_bad_is_routed_round(world: World, opened: OpenApp, fault: str) -> None:
    """The next provider answers; nobody reaches the trap."""
    post = world.post("video")
    world.fault(post.id, f"page:{fault}")
    async with opened("tiktok_web", "tikwm") as app, asyncio.timeout(DEADLINE):
        resolution = await app.resolver.resolve(post.url)
    assert resolution.post.id == post.id
    assert world.trap_hits == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("missing", "missing"),
        ("deleted", "deleted"),
        ("private", "private"),
        ("private-account", "private"),
        ("region", "region"),
        ("removed", "removed"),
        ("in-review", "removed"),
        ("age", "age"),
    ],
)
async def test_a_post_that_cannot_be_had_says_why_at_once(
    world: World, opened: OpenApp, fault: str, reason: str
) -> None:
    """The final answer of the first provider stops the rotation: nobody else is asked."""
    post = world.post("video")
    world.fault(post.id, fault)
    async with opened() as app, asyncio.timeout(DEADLINE):
        with pytest.raises(PostUnavailable) as caught:
            await app.resolver.resolve(post.url)
    assert caught.value.reason == reason
    assert world.requests["tikwm"] == 0


@pytest.mark.parametrize("wall", ["captcha", "verify", "login", "intercepted", "empty", "status=10000"])
async def test_a_wall_is_never_called_a_deletion(world: World, opened: OpenApp, wall: str) -> None:
    """Kept out for good, with nobody else to ask: the attempts say blocked."""
    post = world.post("video")
    world.fault(post.id, f"page:{wall}")
    world.fault(post.id, "embed:404")
    async with opened("tiktok_web") as app, asyncio.timeout(DEADLINE):
        with pytest.raises(ResolveFailed) as caught:
            await app.resolver.resolve(post.url)
    assert [attempt.outcome for attempt in caught.value.attempts] == ["blocked"]


async def test_the_challenge_is_solved(world: World, opened: OpenApp) -> None:
    """The proof of work is done and the page comes, from the first provider."""
    post = world.post("video")
    world.fault(post.id, "waf")
    async with opened("tiktok_web") as app:
        assert (await app.resolver.resolve(post.url)).post.id == post.id


@pytest.mark.parametrize("fault", ["429=1", "500", "reset", "truncated", "stall", "expired", "403", "garbage", "html"])
async def test_one_fault_on_the_cdn_costs_nothing_but_time(
    world: World, opened: OpenApp, tmp_path: Path, fault: str
) -> None:
    """Asked again, resolved again, or the next best variant: the file is good."""
    post = world.post("video")
    world.fault(post.id, f"cdn:{fault}", times=1)
    async with opened() as app, asyncio.timeout(DEADLINE):
        (captured,) = await _get(app, post.url, tmp_path / "files")
    assert captured.probe.audio == "aac"
    assert [path.name for path in (tmp_path / "files").iterdir()] == [captured.path.name]


async def test_an_expired_address_is_resolved_again_once(world: World, opened: OpenApp, tmp_path: Path) -> None:
    """One more page, not two."""
    post = world.post("video")
    world.fault(post.id, "expired", times=1)
    async with opened() as app:
        await _get(app, post.url, tmp_path / "files")
    assert world.asked(post.id) == 2


@pytest.mark.parametrize("fault", ["silent", "dead"])
async def test_a_bad_best_variant_gives_way_to_the_next(
    world: World, opened: OpenApp, tmp_path: Path, fault: str
) -> None:
    """What is kept has sound."""
    post = world.post("video")
    world.fault(post.id, fault)
    async with opened() as app, asyncio.timeout(DEADLINE):
        (captured,) = await _get(app, post.url, tmp_path / "files")
    assert captured.probe.audio == "aac"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("cdn:html", "sent text where a media file should be"),
        ("cdn:garbage", "not a media file"),
        ("cdn:truncated", "broke off"),
        ("cdn:endless", "larger than"),
        ("cdn:oversize=9000000000", "larger than"),
        ("cdn:loop", "redirect"),
        ("cdn:trap", "Refused"),
        ("cdn:redirect=http://127.0.0.1/", "Refused"),
        ("cdn:redirect=http://[::ffff:10.0.0.1]/", "Refused"),
        ("trapped-media", "Refused"),
        ("cdn:404", "404"),
    ],
)
async def test_a_file_that_stays_bad_is_refused_with_its_true_reason(
    world: World, opened: OpenApp, tmp_path: Path, fault: str, words: str
) -> None:
    """No file is left, nobody reaches the trap."""
    post = world.post("video")
    world.fault(post.id, fault)
    async with opened("tiktok_web") as app, asyncio.timeout(DEADLINE):
        with pytest.raises(DownloadFailed, match=words):
            await _get(app, post.url, tmp_path / "files")
    assert world.trap_hits == 0
    assert not (tmp_path / "files").exists() or not list((tmp_path / "files").iterdir())


@pytest.mark.parametrize("fault", ["short:loop", "short:trap", "short:redirect=http://[::1]/", "short:404"])
async def test_a_short_link_that_leads_nowhere_good_is_refused(world: World, opened: OpenApp, fault: str) -> None:
    """A loop, a private address, silence, nothing: an error of ours in time, and nobody reaches the trap."""
    post = world.post("video")
    world.fault(post.short_code, fault)
    async with opened("tiktok_web") as app, asyncio.timeout(DEADLINE):
        with pytest.raises((UpstreamError, PostUnavailable)):
            await app.resolver.resolve(post.short_url, timeout=10)
    assert world.trap_hits == 0


async def test_nothing_hangs_past_its_deadline(world: World, opened: OpenApp) -> None:
    """Everybody stalls; the error comes when the caller's time is over, with every attempt named."""
    post = world.post("video")
    for target in ("page", "embed", "tikwm"):
        world.fault(post.id, f"{target}:stall")
    async with opened() as app, asyncio.timeout(10):
        with pytest.raises(ResolveFailed) as caught:
            await app.resolver.resolve(post.url, timeout=3)
    assert {attempt.provider for attempt in caught.value.attempts} >= {"tiktok_web", "tikwm"}


async def test_many_who_ask_at_once_share_one_fetch(world: World, opened: OpenApp) -> None:
    """Twenty lookups of the same post, one page."""
    post = world.post("video")
    world.delay["page"] = 0.2
    async with opened() as app:
        await asyncio.gather(*(app.resolver.resolve(post.url) for _ in range(20)))
    assert world.asked(post.id) == 1
