"""Short links: asked by HEAD hop by hop, read and never followed as they stand."""

from typing import Any

import pytest

from clipstead.errors import AddressRefused, Blocked, ClipsteadError, PostUnavailable, ProviderFailed
from clipstead.model import Link, LinkKind
from clipstead.net.pages import Pages
from clipstead.resolve.links import parse
from clipstead.resolve.tiktok.short import expand

SHORT = parse("https://vm.tiktok.com/ZMabc123/")
HERE = "vm.tiktok.com/ZMabc123"
POST = "https://www.tiktok.com/@box.cats/video/7500000000000000001?_r=1&_t=secret-of-the-sharer"


def to(location: str, status: int = 301) -> dict[str, Any]:
    return {"status": status, "headers": {"Location": location}}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_short_link_leads_to_its_post_without_a_page_being_fetched(
    status: int, site: Any, said: Any, net: Pages
) -> None:
    site.say(HERE, said(**to(POST, status)))
    link = await expand(SHORT, net)
    assert link == parse(POST)
    assert (link.kind, link.post_id) == (LinkKind.POST, "7500000000000000001")
    [asked] = site.asked
    assert (asked.method, asked.headers["User-Agent"]) == ("HEAD", "facebookexternalhit/1.1")


async def test_several_hops_and_other_forms_of_a_post(site: Any, said: Any, net: Pages) -> None:
    """Over another shortener and a relative address to the old mobile form."""
    site.say(HERE, said(**to("https://vt.tiktok.com/ZSdef456/")))
    site.say("vt.tiktok.com/ZSdef456", said(**to("https://www.tiktok.com/t/ZTghi789/")))
    site.say("www.tiktok.com/t/ZTghi789", said(**to("//m.tiktok.com/v/7500000000000000001.html")))
    assert (await expand(SHORT, net)).post_id == "7500000000000000001"
    assert [asked.host for asked in site.asked] == ["vm.tiktok.com", "vt.tiktok.com", "www.tiktok.com"]


async def test_what_is_no_short_link_is_left_alone(site: Any, net: Pages) -> None:
    post = parse(POST)
    assert await expand(post, net) is post
    assert not site.asked


async def test_a_short_link_may_lead_to_an_account(site: Any, said: Any, net: Pages) -> None:
    site.say(HERE, said(**to("https://www.tiktok.com/@box.cats?_t=1")))
    assert (await expand(SHORT, net)).kind is LinkKind.USER


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (to("https://www.tiktok.com/?_r=1"), PostUnavailable, "no such post"),
        (to("/?_r=1"), PostUnavailable, "no such post"),
        ({"status": 404}, PostUnavailable, "no such post"),
        (to("https://www.tiktok.com/login?redirect_url=a"), Blocked, "login"),
        ({"status": 200}, Blocked, "did not say"),
        ({"status": 403}, Blocked, "did not say"),
        ({"status": 302}, Blocked, "did not say"),
        ({"status": 429, "headers": {"Retry-After": "9"}}, Blocked, "too many"),
        ({"status": 502}, ProviderFailed, "error of its own"),
        (to("http://127.0.0.1/admin?token=hunter2"), AddressRefused, "out of TikTok"),
        (to("http://169.254.169.254/latest/hunter2"), AddressRefused, "out of TikTok"),
        (to("https://www.tiktok.com.evil.test/@a/video/7500000000000000001"), AddressRefused, "out of TikTok"),
        (to("https://www.youtube.com/watch?v=hunter2hunt"), AddressRefused, "out of TikTok"),
        (to("file:///etc/hunter2"), AddressRefused, "out of TikTok"),
        (to("http://[::1/hunter2"), AddressRefused, "no valid address"),
        (to("https://v16.tiktokcdn.com/hunter2/video/"), AddressRefused, "out of TikTok"),
    ],
)
async def test_what_else_it_leads_to_has_its_true_reason(
    reply: dict[str, Any], kind: type[ClipsteadError], words: str, site: Any, said: Any, net: Pages
) -> None:
    """Nothing but the short link itself is ever asked, and no address is repeated."""
    site.say(HERE, said(**reply))
    with pytest.raises(kind, match=words) as caught:
        await expand(SHORT, net)
    assert "hunter2" not in str(caught.value)
    assert len(site.asked) == 1


async def test_a_circle_is_seen_at_once(site: Any, said: Any, net: Pages) -> None:
    site.say(HERE, said(**to("https://vt.tiktok.com/ZSdef456/")))
    site.say("vt.tiktok.com/ZSdef456", said(**to("https://vm.tiktok.com/ZMabc123/")))
    with pytest.raises(ProviderFailed, match="circle") as caught:
        await expand(SHORT, net)
    assert not caught.value.transient
    assert len(site.asked) == 2


async def test_after_five_hops_it_is_over(site: Any, said: Any, net: Pages) -> None:
    site.say(HERE, said(**to("https://vt.tiktok.com/Code0000/")))
    for number in range(9):
        site.say(f"vt.tiktok.com/Code000{number}", said(**to(f"https://vt.tiktok.com/Code000{number + 1}/")))
    with pytest.raises(ProviderFailed, match="too many hops"):
        await expand(SHORT, net)
    assert len(site.asked) == 5


async def test_a_retry_after_is_handed_on(site: Any, said: Any, net: Pages) -> None:
    site.say(HERE, said(status=429, headers={"Retry-After": "9"}))
    with pytest.raises(Blocked) as caught:
        await expand(Link("tiktok", SHORT.url, None, LinkKind.SHORT, SHORT.target), net)
    assert caught.value.retry_after == 9.0
