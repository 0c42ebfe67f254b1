"""Who is asked, in which order, for how long, and what is said when nobody had the post."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from clipstead.errors import (
    AddressRefused,
    Blocked,
    DeadlineExceeded,
    InvalidParams,
    PostUnavailable,
    ProviderFailed,
    ResolveFailed,
    UnsupportedLink,
)

if TYPE_CHECKING:
    from tests.resolve.conftest import Asking, Gated, Scripted


async def test_the_first_that_has_the_post_is_the_last_asked(
    asking: Callable[..., Asking], scripted: type[Scripted]
) -> None:
    a, b, c = scripted("a", ProviderFailed("odd page")), scripted("b"), scripted("c")
    ask = asking(a, b, c)
    answer = await ask()
    assert (answer.provider, answer.post.title) == ("b", "by b")
    assert ask.outcomes() == [("a", "provider_failed"), ("b", "ok")]
    assert ask.trip.attempts[0].detail == "odd page"
    assert all(attempt.ms >= 0 for attempt in ask.trip.attempts)
    assert c.asked == []


async def test_a_final_answer_stops_the_rotation_and_is_no_failure(
    asking: Callable[..., Asking], scripted: type[Scripted]
) -> None:
    a, b = scripted("a", PostUnavailable("private")), scripted("b")
    ask = asking(a, b)
    for _ in range(10):
        with pytest.raises(PostUnavailable) as caught:
            await ask()
        assert caught.value.reason == "private"
    assert b.asked == []
    health = ask.rotation.health()[0]
    assert (health.successes, health.failures, health.resting_until) == (10, 0, None)


async def test_no_provider_takes_the_link(asking: Callable[..., Asking], scripted: type[Scripted]) -> None:
    """One that does not accept a link is not asked; nobody accepting is UnsupportedLink."""
    a, b = scripted("a", takes=False), scripted("b")
    assert (await asking(a, b)()).provider == "b"
    with pytest.raises(UnsupportedLink):
        await asking(a)()
    assert a.asked == []


async def test_a_provider_may_find_out_later_that_it_does_not_know_the_link(
    asking: Callable[..., Asking], scripted: type[Scripted]
) -> None:
    """UnsupportedLink from a fetch asks the next one, says nothing about health, and stands if nobody says more."""
    refusal = UnsupportedLink("no extractor")
    ask = asking(scripted("a", refusal), scripted("b", refusal, "known"))
    with pytest.raises(UnsupportedLink, match="no extractor"):
        await ask()
    assert (await ask()).provider == "b"
    assert [(each.successes, each.failures) for each in ask.rotation.health()] == [(0, 0), (1, 0)]


async def test_a_stalled_provider_leaves_time_for_the_next(
    asking: Callable[..., Asking], scripted: type[Scripted], gated: type[Gated]
) -> None:
    stalled = gated("stalled")
    ask = asking(stalled, scripted("b"))
    assert (await ask(0.4)).provider == "b"
    assert ask.outcomes() == [("stalled", "timeout"), ("b", "ok")]
    assert stalled.cancelled == 1


async def test_nothing_hangs_past_the_deadline(asking: Callable[..., Asking], gated: type[Gated]) -> None:
    """When all stall the error is DeadlineExceeded, and it tells who was asked."""
    stalled = [gated(name) for name in "abc"]
    ask = asking(*stalled)
    async with asyncio.timeout(5):
        with pytest.raises(DeadlineExceeded) as caught:
            await ask(0.3)
    assert [(each.provider, each.outcome) for each in caught.value.attempts] == [(name, "timeout") for name in "abc"]
    assert all(f"{name}: no answer in 0." in str(caught.value) for name in "abc")
    assert [each.cancelled for each in stalled] == [1, 1, 1]


async def test_an_extended_trip_gives_the_last_provider_more_time(
    asking: Callable[..., Asking], gated: type[Gated]
) -> None:
    only = gated("only")
    ask = asking(only)
    request = asyncio.ensure_future(ask(0.1))
    await only.reached.wait()
    ask.trip.extend(5)
    await asyncio.sleep(0.2)
    only.gate.set()
    assert (await request).provider == "only"


async def test_blocked_is_never_called_deleted(asking: Callable[..., Asking], scripted: type[Scripted]) -> None:
    ask = asking(scripted("a", Blocked("captcha")), scripted("b", Blocked("login wall")))
    with pytest.raises(ResolveFailed) as caught:
        await ask()
    assert "blocked" in str(caught.value).lower()
    assert not any(word in str(caught.value).lower() for word in ("deleted", "missing", "removed", "private"))
    assert [attempt.outcome for attempt in caught.value.attempts] == ["blocked", "blocked"]
    assert caught.value.transient


async def test_lasting_faults_alone_are_not_worth_another_try(
    asking: Callable[..., Asking], scripted: type[Scripted]
) -> None:
    refused = AddressRefused("The site led to an address that may not be dialled")
    for others, transient in (([], False), ([ProviderFailed("odd")], True)):
        ask = asking(scripted("a", refused), *(scripted(f"b{n}", other) for n, other in enumerate(others)))
        with pytest.raises(ResolveFailed) as caught:
            await ask()
        assert caught.value.transient is transient


async def test_a_fault_of_ours_is_not_swallowed(asking: Callable[..., Asking], scripted: type[Scripted]) -> None:
    """What is no UpstreamError passes through, a provider's own TimeoutError as well, and nobody else is asked."""
    for fault in (KeyError("itemStruct"), TimeoutError()):
        b = scripted("b")
        with pytest.raises(type(fault)):
            await asking(scripted("a", fault), b)()
        assert b.asked == []


async def test_only_the_named_one_is_asked(asking: Callable[..., Asking], scripted: type[Scripted]) -> None:
    """Resting or not; an unknown name is InvalidParams."""
    a, b = scripted("a"), scripted("b", Blocked("wait", retry_after=60), "well")
    ask = asking(a, b)
    with pytest.raises(ResolveFailed):
        await ask(only="b")
    assert (await ask(only="b")).provider == "b"
    assert a.asked == []
    with pytest.raises(InvalidParams, match="a, b"):
        await ask(only="c")


async def test_maintenance_is_skipped_and_named(asking: Callable[..., Asking], scripted: type[Scripted]) -> None:
    a, b = scripted("a"), scripted("b")
    a.maintenance = "moving house"
    assert (await asking(a, b)()).provider == "b"
    with pytest.raises(ResolveFailed) as caught:
        await asking(a)()
    assert [(each.outcome, each.detail) for each in caught.value.attempts] == [("maintenance", "moving house")]
    assert a.asked == []


async def test_health_counts_what_happened(asking: Callable[..., Asking], scripted: type[Scripted]) -> None:
    a = scripted("a", "one", ProviderFailed("odd"), PostUnavailable("deleted"))
    ask = asking(a, scripted("b"))
    await ask()
    await ask()
    with pytest.raises(PostUnavailable):
        await ask()
    health = ask.rotation.health()[0]
    assert dict(health.outcomes) == {"ok": 1, "provider_failed": 1, "post_unavailable": 1}
    assert (health.successes, health.failures) == (2, 1)
    assert health.latency_ms is not None and health.busy_seconds > 0
