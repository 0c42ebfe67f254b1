"""What the published clients do with an answer, written down from reading them: none of it may fail."""

from typing import Any

import orjson
import pytest

VIDEO = "https://www.tiktok.com/@someone/video/7608826249200356601"
PHOTO = "https://www.tiktok.com/@someone/photo/7608826249200356602"
BARE = "https://www.tiktok.com/@someone/video/7608826249200356603"


async def _json(clipx: Any, target: str, **headers: str) -> Any:
    return orjson.loads((await clipx.ask("GET", target, headers))[2])


@pytest.mark.parametrize("link", [VIDEO, PHOTO, BARE])
async def test_the_command_line_client_gets_through(clipx: Any, link: str) -> None:
    """zamdevio/tiktok-downloader-cli: the call it makes, and every key it reads, in the way it reads them."""
    body = await _json(clipx, f"/?url={link}&format=true&rate_limit=true")
    data = body.get("data") or {}
    assert data
    assert body.get("success")
    assert data.get("title", "").strip()
    play = data.get("audio", {}).get("play")
    assert play is None or play.startswith("http")
    assert (data.get("author") or {}).get("username")
    stats = data.get("stats", {})
    for name in ("views", "digg_count", "comment_count", "favourite_count", "share_count", "download_count"):
        assert isinstance(stats.get(name), str)
    assert (body.get("meta") or {}).get("parameters_used", {}).get("quality") == "best"
    assert (body.get("trace") or {}).get("worker_location")
    assert (body.get("contact") or {}).get("email")
    limits = body.get("rate_limit") or (data.get("rate_limit") or {})
    assert limits.get("remaining") == 9
    videos = data.get("video") if isinstance(data.get("video"), dict) else None
    images = data.get("images") if isinstance(data.get("images"), list) else None
    assert bool(videos) != bool(images)
    assert images or (videos or {}).get("hd_mp4") or (videos or {}).get("standard_mp4")


async def test_the_command_line_clients_menus(clipx: Any) -> None:
    """Contact out of a bare GET, limits out of data, ten times over without spending any."""
    for _ in range(12):
        contact = (await _json(clipx, "/")).get("contact") or {}
        assert contact.get("email")
        assert contact.get("message")
        limits = ((await _json(clipx, "/?rate_limit=true")).get("data") or {}).get("rate_limit") or {}
        assert limits.get("remaining") == limits.get("limit") == 10


async def test_the_seeds_javascript(clipx: Any) -> None:
    """`data.data.video?.hd_mp4 || data.data.video?.standard_mp4`."""
    data = await _json(clipx, f"/?url={VIDEO}&quality=best&format=true")
    assert data["success"]
    assert (data["data"].get("video") or {}).get("hd_mp4") or (data["data"].get("video") or {}).get("standard_mp4")
    failed = await _json(clipx, "/?url=nonsense")
    assert not failed["success"]
    assert f"{failed['status_code']}: {failed['error']}" == "400: Invalid TikTok URL"
