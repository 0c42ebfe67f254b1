"""What becomes of a command's own streams: a reader that leaves, a closed or full output, a narrow character set."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from clipstead.practice import World

COMMAND = Path(sys.executable).with_name("clipstead")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """An empty folder that commands run in."""
    folder = tmp_path / "streams"
    folder.mkdir()
    return folder


async def _shell(line: str, here: Path, environment: Mapping[str, str], **settings: str) -> tuple[int, str, str]:
    """Run a line of shell in which $CLIP is the command: (code, out, err)."""
    child = await asyncio.create_subprocess_exec(
        "sh",
        "-c",
        line,
        cwd=here,
        env={**environment, "CLIP": str(COMMAND), **settings},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(child.communicate(), 60)
    return child.returncode or 0, out.decode(), err.decode()


def _with_emoji(world: World) -> str:
    return next(post.url for post in world.posts if post.kind == "video" and not post.title.isascii())


async def test_a_reader_that_leaves_stops_no_download(environment: Mapping[str, str], world: World, here: Path) -> None:
    """`get ... | head -1`: every file is fetched all the same, and the exit code is that of the downloads."""
    links = [world.post("video", n).url for n in range(8)]
    (here / "links").write_text("\n".join(links))
    line = '{ "$CLIP" get -a links -j 1 -o "files/{id}.{ext}"; echo "code $?" >&2; } | head -1'
    _, out, err = await _shell(line, here, environment)
    assert out.count("\n") == 1
    assert "Traceback" not in err
    assert "code 0" in err
    assert len(list((here / "files").iterdir())) == len(links)


@pytest.mark.parametrize("option", ["", "--json"])
async def test_a_reader_of_info_may_leave(
    environment: Mapping[str, str], world: World, here: Path, option: str
) -> None:
    """`info ... | true` ends well: there was nothing left to do."""
    line = f'{{ "$CLIP" info {option} {world.post("video").url}; echo "code $?" >&2; }} | true'
    _, _, err = await _shell(line, here, environment)
    assert err.strip() == "code 0"


@pytest.mark.parametrize("arguments", ["get", "info", "info --json"])
async def test_a_closed_output_is_no_obstacle(
    environment: Mapping[str, str], world: World, here: Path, arguments: str
) -> None:
    """As cron jobs and daemons have it."""
    code, _, err = await _shell(f'"$CLIP" {arguments} {world.post("video").url} >&-', here, environment)
    assert code == 0, err
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", ["get", "info", "info --json"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_an_output_on_a_full_disk_is_one_line(
    environment: Mapping[str, str], world: World, here: Path, arguments: str
) -> None:
    """Exit 3 with the reason."""
    code, _, err = await _shell(f'"$CLIP" {arguments} {world.post("video").url} >/dev/full', here, environment)
    assert code == 3, err
    assert err.strip() == "clipstead: No space left on device"


async def test_titles_that_the_output_cannot_show(environment: Mapping[str, str], world: World, here: Path) -> None:
    """Outside of UTF-8 an emoji is written as an escape; the file keeps its name, and JSON stays JSON."""
    link = _with_emoji(world)
    code, out, err = await _shell(
        f'"$CLIP" get {link} -o "{{title}}" && "$CLIP" info {link}', here, environment, PYTHONIOENCODING="ascii"
    )
    assert code == 0, err
    assert "\\" in out
    assert not any(path.name.isascii() for path in here.iterdir())
    code, out, err = await _shell(f'"$CLIP" info --json {link}', here, environment, PYTHONIOENCODING="ascii")
    assert code == 0, err
    assert not json.loads(out)["title"].isascii()


async def test_a_list_of_links_in_whatever_encoding(environment: Mapping[str, str], world: World, here: Path) -> None:
    """A byte order mark begins no link and hides no comment; bytes that are no UTF-8 spoil their own line alone."""
    link = world.post("video").url
    (here / "links").write_bytes(b"\xef\xbb\xbf# caf\xe9\r\n" + link.encode() + b"\r\n")
    code, _, err = await _shell('"$CLIP" get -a links', here, environment)
    assert code == 0, err
    code, _, err = await _shell('"$CLIP" get -a - < links', here, environment, PYTHONIOENCODING="utf-8:strict")
    assert code == 0, err
