"""`clipstead get` as a person uses it, in the practice world."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from clipstead.media import probe
from clipstead.practice import World

Command = Callable[..., Awaitable[Any]]


@pytest.fixture
def here(tmp_path: Path, command: Command) -> Path:
    """The folder that commands run in."""
    return tmp_path / "here"


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_video_becomes_one_playable_file_with_sound(command: Command, world: World, here: Path) -> None:
    """The best variant, named by author and id, complete; exit 0; the page is asked for once."""
    post = world.post("video")
    ended = await command("get", post.url)
    assert ended.code == 0, ended.err
    (name,) = _names(here)
    assert name == f"{post.author.username}_{post.id}.mp4"
    found = probe(here / name)
    assert (found.video, found.audio) == ("h264", "aac")
    assert name in ended.out
    assert world.asked(post.id) == 1


async def test_a_photo_post_becomes_numbered_images_and_its_sound(command: Command, world: World, here: Path) -> None:
    """By its short link, too."""
    post = world.post("photo")
    ended = await command("get", post.short_url)
    assert ended.code == 0, ended.err
    names = _names(here)
    assert [name for name in names if name.endswith(".jpg")] == [
        f"{post.author.username}_{post.id}_{n:02d}.jpg" for n in range(1, len(names))
    ]
    assert f"{post.author.username}_{post.id}.mp3" in names


async def test_everything_beside_it_on_request(command: Command, world: World, here: Path) -> None:
    """Cover, subtitles and the info file, which holds no address and no cookie."""
    posts = [world.post("video", n) for n in range(4)]  # some posts have no subtitles
    ended = await command("get", *(post.url for post in posts), "--cover", "--subs", "--info-json", "-o", "{id}.{ext}")
    assert ended.code == 0, ended.err
    names = _names(here)
    assert {f"{posts[0].id}.mp4", f"{posts[0].id}_cover.jpg", f"{posts[0].id}.info.json"} < set(names)
    assert any(name.endswith(".vtt") for name in names)
    info = (here / f"{posts[0].id}.info.json").read_text()
    assert json.loads(info)["id"] == posts[0].id
    assert "tk=" not in info
    assert "tt_chain_token" not in info


async def test_only_the_sound(command: Command, world: World, here: Path) -> None:
    """--audio takes the sound and nothing else."""
    ended = await command("get", world.post("video").url, "--audio")
    assert ended.code == 0, ended.err
    assert [Path(name).suffix for name in _names(here)] == [".mp3"]


async def test_the_second_time_nothing_is_downloaded(command: Command, world: World, here: Path) -> None:
    """Files that are there are skipped, and said to be."""
    post = world.post("video")
    await command("get", post.url)
    before = world.requests["cdn"]
    ended = await command("get", post.url)
    assert ended.code == 0
    assert "there already" in ended.out
    assert world.requests["cdn"] == before


async def test_one_failure_is_named_and_does_not_end_the_run(command: Command, world: World, here: Path) -> None:
    """Exit 1; the others are there; the reason is the true one."""
    good, gone = world.post("video"), world.post("video", 1)
    world.fault(gone.id, "private")
    ended = await command("get", gone.url, "no link at all", good.url)
    assert ended.code == 1
    assert len(_names(here)) == 1
    assert "The post is private" in ended.err
    assert gone.id in ended.err
    assert "no link at all" in ended.err
    assert "Traceback" not in ended.err


async def test_links_from_a_file_and_from_standard_input(command: Command, world: World, here: Path) -> None:
    """Comments and blank lines are passed over; a link given twice is one."""
    posts = [world.post("video", n) for n in range(3)]
    listed = "# mine\n\n" + "\n".join([posts[0].url, posts[1].url, posts[0].url]) + "\n"
    (here / "links.txt").write_text(listed)
    ended = await command("get", "-a", "links.txt", "-o", "file/{id}.{ext}")
    assert ended.code == 0, ended.err
    assert _names(here / "file") == sorted(f"{post.id}.mp4" for post in posts[:2])
    ended = await command("get", "-a", "-", "-o", "stdin/{id}.{ext}", stdin=posts[2].url)
    assert ended.code == 0, ended.err
    assert _names(here / "stdin") == [f"{posts[2].id}.mp4"]


async def test_a_dead_sound_does_not_cost_the_photos(command: Command, world: World, here: Path) -> None:
    """The images are kept; what is missing is named; exit 1."""
    post = world.post("photo")
    for sound in world.sounds:
        world.fault(sound.id, "cdn:404")
    ended = await command("get", post.url)
    assert ended.code == 1
    assert {Path(name).suffix for name in _names(here)} == {".jpg"}
    assert "(sound)" in ended.err


async def test_a_name_that_is_taken_is_one_failure(command: Command, world: World, here: Path) -> None:
    """Another file of that name is never overwritten, and the other links go on."""
    first, second = world.post("video"), world.post("video", 1)
    (here / f"{first.id}.mp4").write_bytes(b"something else")
    ended = await command("get", first.url, second.url, "-o", "{id}.{ext}")
    assert ended.code == 1
    assert (here / f"{first.id}.mp4").read_bytes() == b"something else"
    assert (here / f"{second.id}.mp4").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["get"],
        ["get", "x", "-o", "{nothing}"],
        ["get", "x", "-o", "same.mp4"],
        ["get", "x", "-o", "{id:d}"],
        ["get", "x", "-o", "{id:{ext}}{id:{x}}"],
        ["get", "x", "-o", "{id:/>30}"],
        ["get", "x", "-o", "{id!x}"],
        ["get", "x", "--quality", "8k"],
        ["get", "x", "-j", "0"],
        ["get", "-a", "no-such-file"],
        ["info", "https://tiktok.com.evil.example/@a/video/7542123392531439343"],
        ["info"],
        ["no-such-command"],
    ],
)
async def test_wrong_usage_is_a_line_and_exit_2(command: Command, arguments: list[str]) -> None:
    """Whatever is wrong is said; nothing of a traceback."""
    ended = await command(*arguments)
    assert ended.code == 2, ended
    assert ended.err.strip()
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONNECT_TO", "nonsense"),
        ("PROVIDERS", "tiktok_web,nobody"),
        ("PORT", "eight"),
        ("PROXY", "socks5://1.2.3.4"),
        ("PROXY_HOSTS", "a/b"),
        ("COOKIES_FILE", __file__),
    ],
)
async def test_a_wrong_setting_is_one_line(command: Command, name: str, value: str) -> None:
    """It names the variable."""
    ended = await command("info", "7542123392531439343", **{f"CLIPSTEAD_{name}": value})
    assert ended.code == 2
    assert ended.err.startswith(f"clipstead: CLIPSTEAD_{name}: ")
    assert ended.err.count("\n") == 1


async def test_a_folder_that_cannot_be_written_is_exit_3(command: Command, world: World, here: Path) -> None:
    """A file stands where the folder should be."""
    (here / "taken").write_text("")
    ended = await command("get", world.post("video").url, "-o", "taken/{id}.{ext}")
    assert ended.code == 3, ended
    assert "Traceback" not in ended.err


async def test_a_folder_name_beyond_all_measure_is_exit_3(command: Command, world: World) -> None:
    """The file system says no, and that is what is told."""
    ended = await command("get", world.post("video").url, "-o", "x" * 300 + "/{id}.{ext}")
    assert ended.code == 3, ended
    assert "File name too long" in ended.err
    assert "Traceback" not in ended.err


async def test_a_disk_that_fails_ends_the_run_in_one_line(command: Command, world: World, here: Path) -> None:
    """Downloads under way are called off, and not reported as failures of their own."""
    first, slow = world.post("video"), world.post("video", 1)
    (here / first.id).write_text("a file where a folder should be")
    world.fault(slow.id, "cdn:slow=3")
    ended = await command("get", slow.url, first.url, "-o", "{id}/file.{ext}")
    assert ended.code == 3, ended
    assert ended.err.count("\n") == 1, ended.err
    assert slow.id not in ended.err


async def test_posts_of_the_same_name_are_not_taken_for_each_other(command: Command, world: World, here: Path) -> None:
    """Where a template names two posts alike, the second one is a failure with its reason, never "there already"."""
    twins: dict[str, list[str]] = {}
    for post in world.posts:
        if post.kind == "video" and post.title:
            twins.setdefault(post.title, []).append(post.url)
    links = next(found for found in twins.values() if len(found) > 1)[:2]
    ended = await command("get", *links, "-o", "{title}.{ext}", "-j", "1")
    assert ended.code == 1, ended
    assert len(_names(here)) == 1
    assert "there already" not in ended.out
    assert "{id}" in ended.err
    again = await command("get", links[0], links[0] + "?x=1", "-o", "{title}.{ext}", "-j", "1")
    assert again.code == 0, again


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_leaves_no_rubbish(
    environment: Mapping[str, str], world: World, tmp_path: Path, number: signal.Signals
) -> None:
    """Interrupted in the middle of a download, the folder is as it was."""
    here = tmp_path / "empty"
    here.mkdir()
    world.bytes_per_second = 20_000
    child = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("clipstead"),
        "get",
        world.post("video").url,
        cwd=here,
        env=dict(environment),
        stderr=asyncio.subprocess.PIPE,
    )
    for _ in range(600):
        if any(path.stat().st_size for path in here.iterdir()):
            break
        await asyncio.sleep(0.02)
    else:
        child.kill()
        pytest.fail("the download never began")
    child.send_signal(number)
    _, err = await asyncio.wait_for(child.communicate(), 20)
    assert child.returncode == 130
    assert b"Traceback" not in err
    assert _names(here) == []


async def test_info_tells_what_there_is(command: Command, world: World) -> None:
    """For people by default, everything as JSON with --json."""
    post = world.post("video")
    ended = await command("info", post.url)
    assert ended.code == 0, ended.err
    assert post.id in ended.out
    assert "watermark" in ended.out
    ended = await command("info", f"look at this {post.url} !!", "--json")
    told = json.loads(ended.out)
    assert told["id"] == post.id
    assert told["provider"] == "tiktok_web"
    assert told["attempts"][0]["outcome"] == "ok"
    assert any(media["variant"] == "sd" and media["url"].startswith("https://") for media in told["media"])
