"""Real third-party clients take the practice world for TikTok: yt-dlp's and gallery-dl's own extractors, unmodified."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clipstead.practice import World

pytestmark = pytest.mark.peer


async def run(world: World, *command: str) -> tuple[int, str, str]:
    """A client in a child process that trusts the world's CA: exit code, output, complaints."""
    bundles = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), str(world.ca_file))
    environment = {**os.environ, **bundles, "PYTHONUTF8": "1"}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(child.communicate(), 90)
    except TimeoutError:
        child.kill()
        await child.wait()
        raise
    assert child.returncode is not None
    return child.returncode, out.decode(), err.decode()


async def ytdlp(world: World, tunnel: str, *arguments: str) -> tuple[int, str, str]:
    common = ("--ignore-config", "--no-cache-dir", "--no-progress", "--compat-options", "no-certifi", "--proxy", tunnel)
    return await run(world, "yt_dlp", *common, *arguments)


async def gallery(world: World, tunnel: str, folder: Path, *arguments: str) -> tuple[int, str, str]:
    common = ("--config-ignore", "-o", f"proxy={tunnel}", "-o", f"verify={world.ca_file}", "-D", str(folder))
    return await run(world, "gallery_dl", *common, *arguments)


async def test_ytdlp_downloads_a_video_in_its_best_quality(world: World, tunnel: str, tmp_path: Path) -> None:
    """yt-dlp reads the page, picks the best variant and gets its bytes past the cookie and Referer checks."""
    post = world.post("video")
    code, out, err = await ytdlp(
        world, tunnel, "-o", str(tmp_path / "%(id)s.%(ext)s"), "--print", "after_move:%()j", post.url
    )
    assert code == 0, err
    info = json.loads(out)
    assert info["id"] == post.id
    assert info["description"] == post.title
    assert info["uploader"] == post.author.username
    assert info["timestamp"] == post.created
    assert info["view_count"] == post.views
    assert info["track"] == post.sound.title
    assert (tmp_path / f"{post.id}.mp4").stat().st_size == info["filesize"] == 200_000
    assert world.asked(post.id, "page") == 1


async def test_ytdlp_lists_a_user(world: World, tunnel: str) -> None:
    """The user list pages by its time cursor until there is no more."""
    user = world.users[0]
    code, out, err = await ytdlp(world, tunnel, "--flat-playlist", "--print", "id", user.url)
    assert code == 0, err
    assert out.split() == [world.posts[number].id for number in world.posts.of_user(user)]
    assert world.requests["list"] >= 1


async def test_ytdlp_follows_short_links(world: World, tunnel: str) -> None:
    """vm, vt and /t/ links lead yt-dlp to the post by HEAD."""
    post = world.post("video", 3)
    for link in (post.short_url, post.short_url.replace("vm.", "vt."), post.share_url):
        code, out, err = await ytdlp(world, tunnel, "--simulate", "--print", "id", link)
        assert (code, out.strip()) == (0, post.id), err


async def test_ytdlp_solves_the_challenge(world: World, tunnel: str) -> None:
    """The "Please wait..." page passes yt-dlp's own solver, and only a right answer opens the page."""
    post = world.post("video")
    world.fault(post.id, "waf")
    code, out, err = await ytdlp(world, tunnel, "--simulate", "--print", "id", post.url)
    assert (code, out.strip()) == (0, post.id), err
    assert world.asked(post.id, "page") == 2


async def test_ytdlp_reads_the_states_of_posts(world: World, tunnel: str) -> None:
    """Private, age-gated and login-walled posts make yt-dlp ask for an account; a missing one is an error."""
    for name, word in (
        ("private", "permission"),
        ("age", "comfortable"),
        ("login", "requiring login"),
        ("missing", ""),
    ):
        world.clear()
        world.fault("*", name)
        code, _, err = await ytdlp(world, tunnel, "--simulate", world.post("video").url)
        assert code == 1, name
        assert word in err, name


async def test_ytdlp_finds_the_sound_of_a_photo_post(world: World, tunnel: str) -> None:
    """A photo post gives yt-dlp its sound, and only that."""
    post = world.post("photo")
    code, out, err = await ytdlp(
        world, tunnel, "--simulate", "--print", "%(ext)s", post.url.replace("/photo/", "/video/")
    )
    assert (code, out.strip()) == (0, post.sound.ext), err


async def test_gallery_dl_downloads_a_video(world: World, tunnel: str, tmp_path: Path) -> None:
    """gallery-dl gets the best quality first."""
    post = world.post("video")
    code, _, err = await gallery(world, tunnel, tmp_path, post.url)
    assert code == 0, err
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [200_000]


async def test_gallery_dl_downloads_a_photo_post(world: World, tunnel: str, tmp_path: Path) -> None:
    """gallery-dl finds every picture and the sound, although the link says /photo/."""
    post = world.post("photo")
    code, _, err = await gallery(world, tunnel, tmp_path, post.url)
    assert code == 0, err
    kinds = sorted(path.suffix for path in tmp_path.iterdir())
    assert kinds.count(".jpg") == post.images
    assert len(kinds) == post.images + 1


async def test_gallery_dl_solves_the_challenge(world: World, tunnel: str, tmp_path: Path) -> None:
    """The challenge page passes gallery-dl's own solver too."""
    post = world.post("video")
    world.fault(post.id, "waf")
    code, _, err = await gallery(world, tunnel, tmp_path, post.url)
    assert code == 0, err
    assert len(list(tmp_path.iterdir())) == 1


async def test_gallery_dl_lists_a_user(world: World, tunnel: str) -> None:
    """gallery-dl reads the profile and pages through the creator list."""
    user = world.users[1]
    code, out, err = await run(
        world, "gallery_dl", "--config-ignore", "-o", f"proxy={tunnel}", "-o", f"verify={world.ca_file}",
        "--simulate", "-o", "range=1-4", f"{user.url}/posts",
    )  # fmt: skip
    assert code == 0, err
    assert world.requests["list"] >= 1
    assert world.posts[world.posts.of_user(user)[0]].id in out
