"""Real recordings in, ClipX out: TikWM's fields one to one, since ClipX republishes them, and TikTok's own pages."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from clipstead.model import Link, Media, Resolution
from clipstead.resolve.providers import tiktok_web, tikwm
from clipstead.server.dialects.clipx.answer import data
from clipstead.server.dialects.clipx.params import Params

PAGES = {
    "video_emthenutritionist_7608826249200356630.html": "video",
    "video_mysticaquarium_7660566211100511518.html": "video",
    "photo_duolingo_7663591047909379341.html": "images",
}


def link(post_id: str) -> Link:
    return Link("tiktok", f"https://www.tiktok.com/@_/video/{post_id}", post_id)


def address(media: Media) -> str:
    return media.url


@pytest.mark.parametrize("name", ["tikwm_detail_video_a.json", "tikwm_detail_photo_7395933425804381473.json"])
def test_tikwms_post_is_clipxs_data(samples: Path, name: str) -> None:
    """Same names, same values, for everything both have."""
    body = (samples / "tikwm" / name).read_bytes()
    told: dict[str, Any] = orjson.loads(body)["data"]
    post = tikwm.parse(body, link(told["id"]))
    made = data(Resolution(post, "tikwm"), Params(), address)
    assert made["title"] == told["title"] or (not told["title"] and made["title"].startswith("TikTok by @"))
    for field in ("id", "region", "duration", "create_time", "cover", "ai_dynamic_cover", "origin_cover"):
        if field in told:
            assert made[field] == told[field]
    for field in ("play_count", "digg_count", "comment_count", "share_count", "collect_count", "download_count"):
        assert made["stats"][field] == told[field]
    assert (made["stats"]["views"], made["stats"]["favourite_count"]) == (told["play_count"], told["collect_count"])
    assert made["author"]["username"] == told["author"]["unique_id"]
    assert made["author"]["nickname"] == told["author"]["nickname"]
    for field in ("id", "title", "author", "original", "duration", "album"):
        assert made["audio"][field] == told["music_info"][field]
    if "images" in told:
        assert made["images"] == told["images"]
        assert "video" not in made
    else:
        assert made["video"]["standard_mp4"] == told["play"]
        assert made["video"]["wmplay"] == told["wmplay"]
        assert made["video"].get("hd_mp4") == told.get("hdplay")
        assert (made["video"]["standard_mp4_size"], made["video"]["wmplay_size"]) == (told["size"], told["wm_size"])


@pytest.mark.parametrize(("name", "kind"), PAGES.items())
@pytest.mark.parametrize("nicely", [False, True])
def test_tiktoks_pages_make_whole_answers(samples: Path, name: str, kind: str, nicely: bool) -> None:
    """Every field of the contract is there, of its type, and nothing is null."""
    post_id = name.rpartition("_")[2].removesuffix(".html")
    post = tiktok_web.parse((samples / "tiktok" / name).read_bytes(), link(post_id))
    made = data(Resolution(post, "tiktok_web"), Params(format=nicely), address)
    assert b"null" not in orjson.dumps({**made, "title": "", "audio": {}})
    assert made["id"] == post_id
    for field in ("title", "cover", "ai_dynamic_cover", "origin_cover"):
        assert isinstance(made[field], str)
        assert made[field]
    figure = str if nicely else int
    assert isinstance(made["duration"], figure)
    assert isinstance(made["create_time"], figure)
    assert all(isinstance(value, figure) for value in made["stats"].values())
    assert len(made["stats"]) == 9
    assert isinstance(made["audio"]["original"], bool)
    assert ("images" in made, "video" in made) == (kind == "images", kind == "video")
    if kind == "video":
        assert made["video"]["hd_mp4"]
        assert made["video"]["standard_mp4"]
        assert isinstance(made["video"]["hd_mp4_size"], figure)
    else:
        assert len(made["images"]) == 5
