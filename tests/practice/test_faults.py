"""Every fault of the table happens where and as often as planned, and no other request feels it."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import orjson
import pytest

from clipstead.practice import World, faults

_SCRIPT = re.compile(rb'REHYDRATION__" type="application/json">(.*?)</script>', re.DOTALL)


async def detail(browser: Any, url: str, headers: dict[str, str] | None = None) -> Any:
    """The page's webapp.video-detail, or None."""
    page = await browser.get(url, headers=headers)
    found = _SCRIPT.search(page.body)
    assert found
    return orjson.loads(found[1])["__DEFAULT_SCOPE__"].get("webapp.video-detail")


def test_the_table_names_every_fault() -> None:
    """What the docstring tables, the parser knows, and the other way round."""
    table = (faults.__doc__ or "").split("name             default", 1)[1]
    for name in faults.STATES + faults.WALLS + faults.TWISTS + faults.WIRE + faults.TIKWM + ("expired",):
        assert re.search(rf"(?m)(^|\s){name}\s", table), name
        assert faults.parse(name).name == name


@pytest.mark.parametrize(
    "text", ["", "sneeze", "399", "600", "moon:503", "page:", "cdn:nothing", "cdn:captcha", "page:limit", "list:waf"]
)
def test_unknown_faults_are_refused(text: str) -> None:
    """A misspelt fault is an error at once, which lists the choices."""
    with pytest.raises(ValueError, match=r"say \[target:\]name"):
        faults.parse(text)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("deleted", 10204), ("missing", 10204), ("private", 10216), ("private-account", 10222), ("region", 10231),
        ("removed", 10219), ("in-review", 10217), ("captcha", 10000), ("status=10101", 10101),
    ],
)  # fmt: skip
async def test_states_are_status_codes(world: World, browser: Any, name: str, code: int) -> None:
    """A post that cannot be seen is HTTP 200 and a statusCode; other posts stay as they are."""
    post, other = world.post("video"), world.post("video", 1)
    world.fault(post.id, name)
    assert (await detail(browser, post.url))["statusCode"] == code
    assert "itemInfo" not in await detail(browser, post.url)
    assert (await detail(browser, other.url))["statusCode"] == 0
    world.clear(post.id)
    assert (await detail(browser, post.url))["statusCode"] == 0


async def test_a_status_may_carry_a_message(world: World, browser: Any) -> None:
    """status=CODE:message says both."""
    post = world.post("video")
    world.fault(post.id, "status=10204:person_geo_fencing")
    assert await detail(browser, post.url) == {"statusCode": 10204, "statusMsg": "person_geo_fencing"}


async def test_age_gated_posts_have_no_video(world: World, browser: Any) -> None:
    """Classified, status 0, no video."""
    post = world.post("video")
    world.fault(post.id, "age")
    item = (await detail(browser, post.url))["itemInfo"]["itemStruct"]
    assert item["isContentClassified"] is True
    assert "video" not in item


async def test_walls_before_the_page(world: World, browser: Any) -> None:
    """Login redirects; the intercepted page is small and marked; verify is no post; the empty page has no detail."""
    post = world.post("video")
    world.fault(post.id, "login", times=1)
    reply = await browser.get(post.url)
    assert (reply.status, reply.headers["Location"].split("?")[0]) == (302, "https://www.tiktok.com/login")
    assert (await browser.get(reply.headers["Location"])).status == 200
    world.fault(post.id, "intercepted", times=1)
    reply = await browser.get(post.url)
    assert (reply.status, reply.headers["X-TT-System-Error"]) == (200, "3")
    assert 500 < len(reply.body) < 700
    world.fault(post.id, "verify", times=1)
    assert b"<title>Security Check</title>" in (await browser.get(post.url)).body
    world.fault(post.id, "empty", times=1)
    assert await detail(browser, post.url) is None
    assert (await detail(browser, post.url))["statusCode"] == 0


async def test_the_challenge_wants_its_answer(world: World, browser: Any) -> None:
    """The challenge comes back to whoever brings no answer or a wrong one."""
    post = world.post("video")
    world.fault(post.id, "waf")
    for cookie in ("", "_wafchallengeid=nonsense", "_wafchallengeid=e30="):
        page = await browser.get(post.url, headers={"Cookie": cookie})
        assert b"Please wait..." in page.body
        assert all(f'id="{name}"'.encode() in page.body for name in ("cs", "wci", "rci", "rs"))


async def test_statuses_with_retry_after(world: World, browser: Any) -> None:
    """A 429 says how long to wait; a planned 503 is over after its times."""
    post = world.post("video")
    world.fault(post.id, "429=7", times=1)
    reply = await browser.get(post.url)
    assert (reply.status, reply.headers["Retry-After"]) == (429, "7")
    world.fault(post.id, "503", times=2)
    assert [(await browser.get(post.url)).status for _ in range(3)] == [503, 503, 200]
    assert world.asked(post.id) == 4


@pytest.mark.parametrize("target", ["page", "short", "list", "embed", "oembed", "tikwm", "tiklive", "cdn"])
@pytest.mark.parametrize("name", ["500", "reset", "truncated", "garbage", "html", "loop", "trap"])
async def test_wire_faults_happen_at_every_target(world: World, browser: Any, target: str, name: str) -> None:
    """Each way to break an answer works wherever it is planned, once, and leaves the next answer whole."""
    url, headers = await _address(world, browser, target)
    world.fault(
        "*", f"{target}:{name}", times=2 if name == "reset" else 1
    )  # aiohttp asks again by itself after a reset
    first: Any
    try:
        first = await browser.get(url, headers=headers)
    except aiohttp.ClientError as error:
        first = error
    second = await browser.get(url, headers=headers)
    assert second.status in (200, 301)
    match name:
        case "500":
            assert first.status == 500
        case "reset":
            assert isinstance(first, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError))
        case "truncated":
            assert isinstance(first, aiohttp.ClientPayloadError)
        case "garbage":
            assert (len(first.body), first.headers["Content-Type"]) == (
                len(second.body),
                second.headers["Content-Type"],
            )
            assert first.body != second.body
        case "html":
            assert first.body.startswith(b"<!DOCTYPE html>")
            assert first.headers["Content-Type"] == second.headers["Content-Type"]
        case "loop":
            assert first.headers["Location"] == url
        case "trap":
            assert first.headers["Location"].startswith(f"http://127.0.0.1:{world.trap_port}/")
    assert world.trap_hits == 0


@pytest.mark.parametrize("target", ["page", "cdn"])
@pytest.mark.parametrize("name", ["stall", "endless"])
async def test_some_answers_never_end(world: World, browser: Any, target: str, name: str) -> None:
    """A stalled or endless answer lasts until the client gives up, and leaves the next answer whole."""
    url, headers = await _address(world, browser, target)
    world.fault("*", f"{target}:{name}", times=1)
    with pytest.raises(TimeoutError):
        await browser.get(url, headers=headers, timeout=1.5)
    assert (await browser.get(url, headers=headers)).status == 200


async def _address(world: World, browser: Any, target: str) -> tuple[str, dict[str, str]]:
    post = world.post("video")
    if target == "cdn":
        page = await browser.get(post.url)
        found = re.search(rb'"playAddr":"([^"]+)"', page.body)
        assert found
        cookie = f"tt_chain_token={page.cookies['tt_chain_token']}"
        url = found[1].decode().replace("\\u002F", "/")
        return url, {"Referer": "https://www.tiktok.com/", "Cookie": cookie}
    return {
        "page": post.url,
        "short": post.short_url,
        "list": f"https://www.tiktok.com/api/creator/item_list/?secUid={post.author.sec_uid}&count=1&cursor=0",
        "embed": f"https://www.tiktok.com/embed/v2/{post.id}",
        "oembed": f"https://www.tiktok.com/oembed?url={post.url}",
        "tikwm": f"https://www.tikwm.com/api/?url={post.id}",
        "tiklive": f"https://api.tikliveapi.com/post-detail/?url={post.id}",
    }[target], {"X-Api-Key": world.tiklive_key}


async def test_slow_bodies_come_whole(world: World, browser: Any) -> None:
    """A slow answer is late, not broken."""
    post = world.post("video")
    world.fault(post.id, "slow=0.2", times=1)
    slow, quick = await browser.get(post.url), await browser.get(post.url)
    assert len(slow.body) == len(quick.body)


async def test_oversize_bodies_declare_their_size(world: World, browser: Any) -> None:
    """The length is declared before the first byte."""
    post = world.post("video")
    world.fault(post.id, "oversize=9000000000", times=1)
    reply = await browser.get(post.url, method="HEAD")
    assert reply.headers["Content-Length"] == "9000000000"


async def test_an_expired_address_stays_dead_until_the_page_is_asked_again(world: World, browser: Any) -> None:
    """The refused address never comes back; a new page's addresses work."""
    world.fault(world.post("video").id, "expired", times=1)
    url, headers = await _address(world, browser, "cdn")
    assert [(await browser.get(url, headers=headers)).status for _ in range(3)] == [403, 403, 403]
    url, headers = await _address(world, browser, "cdn")
    assert (await browser.get(url, headers=headers)).status == 200


async def test_media_faults_are_in_the_item(world: World, browser: Any) -> None:
    """silent, dead, mute, trapped-media and no-media change what the item names."""
    post, photo = world.post("video"), world.post("photo")

    async def video(name: str) -> Any:
        world.fault(post.id, name, times=1)
        return (await detail(browser, post.url))["itemInfo"]["itemStruct"]["video"]

    async def status_of_the_dead() -> int:
        token = (await browser.get(post.url)).cookies["tt_chain_token"]
        headers = {"Referer": "https://www.tiktok.com/", "Cookie": f"tt_chain_token={token}"}
        world.fault(post.id, "dead", times=1)
        page = await detail(browser, post.url, headers)
        url = page["itemInfo"]["itemStruct"]["video"]["bitrateInfo"][0]["PlayAddr"]["UrlList"][0]
        return int((await browser.get(url, headers=headers)).status)

    for name in ("silent", "dead"):
        best, *others = (await video(name))["bitrateInfo"]
        assert "/media-video-hvc1/?" in best["PlayAddr"]["UrlList"][0]
        assert not any("media-video-hvc1" in other["PlayAddr"]["UrlList"][0] for other in others)
    assert await status_of_the_dead() == 404
    trap = f"http://127.0.0.1:{world.trap_port}/"
    assert (await video("trapped-media"))["playAddr"].startswith(trap)
    world.fault(photo.id, "trapped-media", times=1)
    item = (await detail(browser, photo.url.replace("/photo/", "/video/")))["itemInfo"]["itemStruct"]
    assert item["imagePost"]["images"][0]["imageURL"]["urlList"][0].startswith(trap)
    assert (await video("no-media"))["playAddr"] == ""
    mute = await video("mute")
    assert "media-video-hvc1" not in mute["bitrateInfo"][0]["PlayAddr"]["UrlList"][0].split("/media")[0]


async def test_rates_hit_their_share(world: World, browser: Any) -> None:
    """A rate of a half hits about half the requests, the same ones in every run of the same seed."""
    post = world.post("video")
    world.fault_rate("503", 0.5)
    statuses = [(await browser.get(post.url)).status for _ in range(40)]
    assert 8 < statuses.count(503) < 32
    world.clear()
    assert (await browser.get(post.url)).status == 200


async def test_the_trap_counts_whoever_comes(world: World) -> None:
    """A connection to the private address is counted and answered."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{world.trap_port}/x") as reply:
        assert await reply.read() == b"internal secret\n"
    assert world.trap_hits == 1


async def test_private_and_unknown_users(world: World, browser: Any) -> None:
    """A user may be private (10222, no posts told) or gone (10221)."""
    user = world.users[0]
    for name, code in (("private", 10222), ("missing", 10221)):
        world.clear()
        world.fault(user.username, name)
        found = _SCRIPT.search((await browser.get(user.url)).body)
        assert found
        assert orjson.loads(found[1])["__DEFAULT_SCOPE__"]["webapp.user-detail"]["statusCode"] == code
