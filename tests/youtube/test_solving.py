"""YouTube's files are given to whoever solves its player script: yt-dlp does, confined as it is."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clipstead.errors import ProviderFailed
from clipstead.media import ffmpeg
from clipstead.net.egress import Egress
from clipstead.net.guard import Guard
from clipstead.resolve import ytdlp_runtimes, ytdlp_worker
from clipstead.resolve.links import parse
from clipstead.resolve.providers.ytdlp import YtDlp
from clipstead.resolve.ytdlp_child import Setup
from clipstead.resolve.ytdlp_pool import Pool

if TYPE_CHECKING:
    from tests.youtube.conftest import YouTube

LINK = "https://www.youtube.com/watch?v=aBcDeFgHiJk"
LEAST = {"deno": (2, 3), "node": (22,), "quickjs": (0,), "bun": (1, 2, 11)}
Worker = Callable[[dict[str, str]], Awaitable[dict[str, Any]]]


def usable() -> dict[str, str]:
    """The runtimes on this machine that yt-dlp takes: where they are, by its names."""
    found = ytdlp_runtimes.find()
    return {name: path for name, path in found.items() if _version(path) >= LEAST[name]}


def _version(program: str) -> tuple[int, ...]:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False)
    words = done.stdout.removeprefix("deno ").lstrip("v").split()
    return tuple(int(part) for part in words[0].split(".") if part.isdigit()) or (0,) if words else (0,)


needs_one = pytest.mark.skipif(not usable(), reason="no JavaScript runtime that yt-dlp takes is installed")


@pytest.fixture
async def egress(youtube: YouTube) -> AsyncIterator[Egress]:
    """The way out, which leads to our YouTube only."""
    egress = Egress(Guard(connect_to=list(youtube.connect_to)))
    await egress.start()
    yield egress
    await egress.stop()


@pytest.fixture
async def ask_worker(youtube: YouTube, egress: Egress, tmp_path: Path) -> Worker:
    """Asks a worker of yt-dlp's that is given these runtimes only; its whole answer."""

    async def ask(runtimes: dict[str, str]) -> dict[str, Any]:
        told = Setup(ca_file=str(youtube.ca_file)).told(egress.lease()) | {"runtimes": runtimes}
        lines = (told, {"url": LINK, "language": "en", "entries": None})
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(Path(ytdlp_worker.__file__)), cwd=tmp_path, start_new_session=True,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PATH": str(tmp_path / "bin")},
            limit=1 << 24,
        )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        try:
            async with asyncio.timeout(60):
                answer: dict[str, Any] = json.loads(await process.stdout.readline())
        finally:
            process.stdin.close()
            await process.wait()
        return answer

    return ask


@needs_one
async def test_a_link_ends_as_a_file(youtube: YouTube, tmp_path: Path) -> None:
    """The best picture with its sound, by the whole road; the runtime may stand beside Python and not on PATH."""
    settings = {
        "CLIPSTEAD_CA_FILE": str(youtube.ca_file),
        "CLIPSTEAD_CONNECT_TO": ",".join(youtube.connect_to),
        "CLIPSTEAD_DATA_DIR": str(tmp_path / "data"),
        "CLIPSTEAD_PROVIDERS": "ytdlp",
    }
    code = "import sys; from clipstead.cli import main; sys.exit(main())"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, "get", LINK, "-o", str(tmp_path / "{author}_{id}.{ext}"),
        env={**os.environ, **settings}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    assert (sorted(youtube.given), youtube.refused) == (["136", "140"], [])
    looked = ffmpeg.find().path, "-hide_banner", "-i", str(tmp_path / "cook_aBcDeFgHiJk.mp4")
    streams = subprocess.run(looked, capture_output=True, text=True, check=False).stderr
    assert "h264" in streams and "1280x720" in streams and "aac" in streams


@pytest.mark.parametrize("name", LEAST)
async def test_every_runtime_solves(youtube: YouTube, ask_worker: Worker, tmp_path: Path, name: str) -> None:
    """As a worker is given it: the addresses are those that the site gives its files for."""
    if name not in usable():
        pytest.skip(f"{name} is not installed, or not as new as yt-dlp wants it")
    runtimes = ytdlp_runtimes.offer(tmp_path / "bin")
    answer = await ask_worker({name: runtimes[name]})
    addresses = {each["format_id"]: each["url"] for each in answer["info"]["formats"]}
    assert {"18", "136", "140"} <= set(addresses)
    assert all(youtube.opens(addresses[each]) for each in ("18", "136", "140"))
    assert "unsolved" not in answer["info"]


@pytest.mark.parametrize("name", LEAST)
async def test_a_script_reaches_nobody(youtube: YouTube, ask_worker: Worker, tmp_path: Path, name: str) -> None:
    """Though somebody listens on this machine; what it computes is taken all the same."""
    if name not in usable():
        pytest.skip(f"{name} is not installed, or not as new as yt-dlp wants it")
    reached: list[object] = []
    listener = await asyncio.start_server(lambda reader, writer: reached.append(writer), "127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
    dial = f'address.set("alr","yes");if(typeof fetch==="function")fetch("{address}").catch(function(){{}});'
    youtube.script = youtube.script.replace(b'address.set("alr","yes");', dial.encode())
    answer = await ask_worker({name: ytdlp_runtimes.offer(tmp_path / "bin")[name]})
    listener.close()
    await listener.wait_closed()
    assert "unsolved" not in answer["info"]
    assert reached == []


async def test_without_a_runtime_the_worker_says_so(ask_worker: Worker) -> None:
    """All that is left are pictures of the film, which nobody asked for."""
    answer = await ask_worker({})
    assert answer["info"]["unsolved"] is True
    assert [each["format_id"] for each in answer["info"]["formats"]] == ["sb0"]


@needs_one
async def test_a_script_that_cannot_be_solved_is_named(youtube: YouTube, egress: Egress, no_net: Any) -> None:
    """Not by what happens to be left of the post; and the same worker solves the next script."""
    good, youtube.script = youtube.script, b"var signatureTimestamp = {signatureTimestamp:20412};"
    async with AsyncExitStack() as stack:
        ytdlp = YtDlp(Pool(egress, ca_file=str(youtube.ca_file)))
        stack.push_async_callback(ytdlp.close)
        with pytest.raises(ProviderFailed, match="player script could not be run"):
            await ytdlp.fetch(parse(LINK), no_net)
        youtube.script, youtube.version = good, "1badcafe"
        post = await ytdlp.fetch(parse(LINK), no_net)
        assert all(youtube.opens(media.url) for media in post.media if "googlevideo" in media.url)
        assert {media.variant for media in post.media} >= {"yt-18", "yt-136", "yt-140"}


@needs_one
async def test_files_behind_an_advertisement_are_handed_out_when_they_are_given(
    youtube: YouTube, egress: Egress, no_net: Any
) -> None:
    """Not before: whoever comes too early is refused."""
    youtube.ad = 2
    ytdlp = YtDlp(Pool(egress, ca_file=str(youtube.ca_file)))
    post = await ytdlp.fetch(parse(LINK), no_net)
    assert all(youtube.opens(media.url) for media in post.media if "googlevideo" in media.url)
    await ytdlp.close()


@needs_one
async def test_a_script_without_end_goes_when_nobody_waits(youtube: YouTube, egress: Egress, no_net: Any) -> None:
    """With the worker that has it run, as when a request's time is up."""
    youtube.script = youtube.script.replace(b'address.set("alr","yes");', b'address.set("alr","yes");while(true){}')
    ytdlp = YtDlp(Pool(egress, ca_file=str(youtube.ca_file)))
    asked = asyncio.ensure_future(ytdlp.fetch(parse(LINK), no_net))
    while not (running := _solving()):
        assert not asked.done()
        await asyncio.sleep(0.02)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    await ytdlp.close()
    async with asyncio.timeout(10):
        while running & _solving():
            await asyncio.sleep(0.02)


def _solving() -> set[int]:
    """Processes of the runtimes that run a script for a worker of ours."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            group = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if group[0] != "Z" and {b"-", b"--script"} & set(words) and _is_ours(int(group[2])):
            found.add(int(process.name))
    return found


def _is_ours(group: int) -> bool:
    """Whether the leader of a process group is a worker."""
    try:
        return b"ytdlp_worker" in Path(f"/proc/{group}/cmdline").read_bytes()
    except OSError:
        return False
