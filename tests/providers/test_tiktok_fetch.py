"""TikTokWeb over the wire: challenges, passing faults, detours and dead ends, through the real Pages."""

import base64
import hashlib
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from clipstead.errors import Blocked, DownloadFailed, PostUnavailable, ProviderFailed
from clipstead.model import Link, LinkKind
from clipstead.net.pace import Pace
from clipstead.net.pages import Pages
from clipstead.resolve.providers.tiktok_web import TikTokWeb

Shape = Callable[[str], dict[str, Any]]
PageOf = Callable[..., bytes]

ID = "7500000000000000001"
LINK = Link("tiktok", f"https://www.tiktok.com/@_/video/{ID}", ID)
PAGE, EMBED = f"/@_/video/{ID}", f"/embed/v2/{ID}"
CHAIN = {"Set-Cookie": "tt_chain_token=abc==; Domain=.tiktok.com; Path=/; Secure"}


@pytest.fixture
def web() -> TikTokWeb:
    return TikTokWeb(Pace(concurrent=2))


@pytest.fixture
def good(shape: Shape, post_page: PageOf) -> bytes:
    return post_page(shape("tiktok/video.json"))


@pytest.fixture
def embedded(shape: Shape) -> bytes:
    state = json.dumps(shape("tiktok/embed_video.json"))
    return f'<script id="__FRONTITY_CONNECT_STATE__">{state}</script>'.encode()


def challenge(answer: int) -> bytes:
    digest = hashlib.sha256(b"salt%d" % answer).digest()
    body = {"v": {"a": base64.b64encode(b"salt").decode(), "c": base64.b64encode(digest).decode()}}
    told = base64.b64encode(json.dumps(body).encode()).decode()
    return (
        f'<title>Please wait...</title><p id="cs" class="{told}"></p><p id="wci" class="_wafchallengeid"></p>'.encode()
    )


async def test_a_post_comes_with_the_cookie_of_its_page(
    web: TikTokWeb, site: Any, said: Any, net: Pages, good: bytes
) -> None:
    """And with the Referer, on each of its files; one request is all it takes."""
    site.say(PAGE, said(good, headers=CHAIN))
    post = await web.fetch(LINK, net)
    assert site.paths() == [PAGE]
    assert post.link is LINK
    for media in post.media:
        assert media.cookies == {"tt_chain_token": "abc=="}
        assert media.headers == {"Referer": "https://www.tiktok.com/"}


@pytest.mark.parametrize(("language", "sent"), [("en", "en-US,en;q=0.9"), ("de", "de,en;q=0.5"), ("pt-br", "pt-br,pt")])
async def test_each_visit_has_its_language_and_headers_of_its_own(
    language: str, sent: str, web: TikTokWeb, site: Any, said: Any, net: Pages, good: bytes
) -> None:
    site.say(PAGE, said(good))
    await web.fetch(LINK, net, language=language)
    await web.fetch(LINK, net, language=language)
    first, second = ({name.lower() for name in asked.headers} for asked in site.asked)
    assert site.asked[0].headers["Accept-Language"].startswith(sent)
    assert 2 <= len(first - second) <= 8
    assert all(name.isalpha() and not set(name) & set("aeiouy") for name in first - second)


async def test_a_challenge_is_answered_once_and_its_cookie_not_kept(
    web: TikTokWeb, site: Any, said: Any, net: Pages, good: bytes
) -> None:
    site.say(PAGE, said(challenge(1234), headers={**CHAIN, "X-TT-System-Error": "3"}), said(good))
    post = await web.fetch(LINK, net)
    before, after = site.asked
    assert "_wafchallengeid" not in before.cookies
    answer = json.loads(base64.b64decode(after.cookies["_wafchallengeid"]))
    assert base64.b64decode(answer["d"]) == b"1234"
    assert after.cookies["tt_chain_token"] == "abc=="
    assert post.media[0].cookies == {"tt_chain_token": "abc=="}


async def test_a_challenge_that_comes_again_is_blocked(web: TikTokWeb, site: Any, said: Any, net: Pages) -> None:
    site.say(PAGE, said(challenge(5)))
    site.say(EMBED, said(b"<html></html>"))
    with pytest.raises(Blocked):
        await web.fetch(LINK, net)
    assert site.paths() == [PAGE, PAGE, EMBED]


async def test_a_challenge_without_an_answer_is_blocked(
    web: TikTokWeb, site: Any, said: Any, net: Pages, embedded: bytes
) -> None:
    impossible = {"v": {"a": "", "c": base64.b64encode(bytes(32)).decode()}}
    told = base64.b64encode(json.dumps(impossible).encode()).decode()
    site.say(PAGE, said(f'<p id="cs" class="{told}"></p><p id="wci" class="w"></p>'.encode()))
    with pytest.raises(Blocked, match="no answer"):
        await TikTokWeb(clock=itertools.count(0, 10).__next__).fetch(LINK, net)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429},
        {"status": 429, "headers": {"Retry-After": "0"}},
        {"status": 500},
        {"status": 503, "body": b"<html>try later</html>"},
        {"body": b'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">{"__DEFAULT_SCOPE__":{"webapp.vi'},
        {"body": b"<html>half a page", "cut": True},
    ],
    ids=["429", "429 now", "500", "503", "cut off in its data", "cut off on the wire"],
)
async def test_one_passing_fault_is_met_with_a_second_try(
    fault: dict[str, Any], web: TikTokWeb, site: Any, said: Any, net: Pages, good: bytes
) -> None:
    site.say(PAGE, said(**fault), said(good))
    assert (await web.fetch(LINK, net)).id == ID
    assert site.paths() == [PAGE, PAGE]


async def test_there_is_one_second_try_and_no_third(web: TikTokWeb, site: Any, said: Any, net: Pages) -> None:
    site.say(PAGE, said(status=503))
    with pytest.raises(ProviderFailed):
        await web.fetch(LINK, net)
    assert site.paths() == [PAGE, PAGE, EMBED]


async def test_a_long_retry_after_is_left_to_the_rotation(web: TikTokWeb, site: Any, said: Any, net: Pages) -> None:
    """Nothing more is asked of a site that has had enough, not even its embed page."""
    site.say(PAGE, said(status=429, headers={"Retry-After": "30"}))
    with pytest.raises(Blocked) as caught:
        await web.fetch(LINK, net)
    assert caught.value.retry_after == 30.0
    assert site.paths() == [PAGE]


async def test_a_slow_failure_leaves_the_time_to_others(site: Any, said: Any, net: Pages) -> None:
    site.say(PAGE, said(status=500))
    with pytest.raises(ProviderFailed):
        await TikTokWeb(clock=itertools.count(0, 10).__next__).fetch(LINK, net)
    assert site.paths() == [PAGE]


async def test_a_connection_that_always_breaks_is_passed_on(web: TikTokWeb, site: Any, said: Any, net: Pages) -> None:
    site.say(PAGE, said(b"<html>half", cut=True))
    with pytest.raises(DownloadFailed):
        await web.fetch(LINK, net)
    assert site.paths() == [PAGE, PAGE]


async def test_a_page_without_the_post_is_left_for_the_posts_own_address(
    web: TikTokWeb, site: Any, said: Any, net: Pages, good: bytes, page_of: PageOf
) -> None:
    """Of the address it names, only the handle is used; `/photo/` becomes `/video/`."""
    own = page_of({"seo.abtest": {"canonical": f"https://www.tiktok.com/@box.cats/photo/{ID}?x=1"}})
    site.say(PAGE, said(own, headers=CHAIN))
    site.say(f"/@box.cats/video/{ID}", said(good))
    post = await web.fetch(LINK, net)
    assert site.paths() == [PAGE, f"/@box.cats/video/{ID}"]
    assert site.asked[1].cookies == {"tt_chain_token": "abc=="}
    assert post.media[0].cookies == {"tt_chain_token": "abc=="}


@pytest.mark.parametrize(
    "named",
    [
        f"https://evil.test/@box.cats/video/{ID}",
        "https://www.tiktok.com/@box.cats/video/7500000000000000999",
        f"https://www.tiktok.com/@_/video/{ID}",
        f"https://www.tiktok.com/@a/../../b/video/{ID}",
        f"https://www.tiktok.com.evil.test/@box.cats/video/{ID}",
    ],
)
async def test_an_address_of_anything_else_is_not_followed(
    named: str, web: TikTokWeb, site: Any, said: Any, net: Pages, page_of: PageOf
) -> None:
    site.say(PAGE, said(page_of({"seo.abtest": {"canonical": named}})))
    with pytest.raises(Blocked):
        await web.fetch(LINK, net)
    assert site.paths() == [PAGE, EMBED]


@pytest.mark.parametrize(
    "closed",
    [
        {"body": b""},
        {"body": b"<html><div id='captcha_container'></div></html>"},
        {"body": b"<html>Access Denied</html>", "headers": {"X-TT-System-Error": "3"}},
        {"body": b"<html>403</html>", "status": 403},
    ],
    ids=["empty", "captcha", "intercepted", "403"],
)
async def test_the_embed_page_helps_where_the_page_is_closed(
    closed: dict[str, Any], web: TikTokWeb, site: Any, said: Any, net: Pages, embedded: bytes
) -> None:
    site.say(PAGE, said(**closed))
    site.say(EMBED, said(embedded, headers=CHAIN))
    post = await web.fetch(LINK, net)
    assert site.paths() == [PAGE, EMBED]
    assert post.variant("sd") is not None
    assert post.media[0].cookies == {"tt_chain_token": "abc=="}


async def test_where_the_embed_page_fails_too_the_pages_own_error_stands(
    web: TikTokWeb, site: Any, said: Any, net: Pages
) -> None:
    """An embed page that does not know the post says nothing final about it."""
    site.say(PAGE, said(b"<html>Access Denied</html>", headers={"X-TT-System-Error": "3"}))
    site.say(EMBED, said(status=400))
    with pytest.raises(Blocked, match="intercepted"):
        await web.fetch(LINK, net)


async def test_a_redirect_to_the_login_is_a_login_wall(web: TikTokWeb, site: Any, said: Any, net: Pages) -> None:
    site.say(PAGE, said(status=302, headers={"Location": "/login?redirect_url=x"}))
    site.say("/login", said(b"<html>Log in</html>"))
    with pytest.raises(Blocked, match="login"):
        await web.fetch(LINK, net)


async def test_a_final_answer_is_not_asked_for_again(
    web: TikTokWeb, site: Any, said: Any, net: Pages, post_page: PageOf, embedded: bytes
) -> None:
    site.say(PAGE, said(post_page(None, statusCode=10204, statusMsg="status_deleted")))
    site.say(EMBED, said(embedded))
    with pytest.raises(PostUnavailable) as caught:
        await web.fetch(LINK, net)
    assert caught.value.reason == "deleted"
    assert site.paths() == [PAGE]


async def test_another_post_than_the_one_asked_for_is_not_handed_out(
    web: TikTokWeb, site: Any, said: Any, net: Pages, post_page: PageOf, shape: Shape
) -> None:
    site.say(PAGE, said(post_page({**shape("tiktok/video.json"), "id": "7500000000000000009"})))
    with pytest.raises(ProviderFailed, match="another post"):
        await web.fetch(LINK, net)


async def test_the_recorded_pages_come_through_the_wire(
    web: TikTokWeb, site: Any, said: Any, net: Pages, recorded: Callable[[str], bytes]
) -> None:
    number = "7660566211100511518"
    body = recorded(f"tiktok/video_mysticaquarium_{number}.html")
    site.say(f"/@_/video/{number}", said(body, headers=CHAIN))
    post = await web.fetch(Link("tiktok", "", number), net)
    assert (post.id, post.author.username) == (number, "mysticaquariumct")


def test_posts_of_tiktok_with_an_id_are_accepted_and_nothing_else(web: TikTokWeb) -> None:
    assert web.accepts(LINK)
    assert not web.accepts(Link("tiktok", "", None))
    assert not web.accepts(Link("instagram", "", "1"))
    assert not web.accepts(Link("tiktok", "", ID, LinkKind.SOUND))
