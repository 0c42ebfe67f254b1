"""Part files become their targets durably and never overwrite; whatever fails leaves nothing."""

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from clipstead.errors import StorageError
from clipstead.net.partfile import PartFile

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from clipstead.errors import StorageError
from clipstead.net.partfile import PartFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
part = PartFile(Path(sys.argv[1]) / "out.mp4")
try:
    part.write(b"x" * 300_000)
except StorageError as error:
    assert error.transient
    part.discard()
    print("refused:", error)
"""


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def made(target: Path, data: bytes = b"bytes") -> PartFile:
    part = PartFile(target)
    part.write(data)
    part.close()
    return part


async def test_committing_makes_the_target_and_removes_the_part(tmp_path: Path) -> None:
    part = made(tmp_path / "a.mp4", b"one" * 1000)
    assert await part.commit(tmp_path / "b.mp4")
    assert names(tmp_path) == ["b.mp4"]
    assert (tmp_path / "b.mp4").read_bytes() == b"one" * 1000
    part.discard()
    assert (tmp_path / "b.mp4").exists()


async def test_the_file_is_as_private_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        await made(tmp_path / "a").commit(tmp_path / "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


async def test_missing_folders_are_made(tmp_path: Path) -> None:
    target = tmp_path / "x" / "y" / "a.mp4"
    assert await made(target).commit(tmp_path / "x" / "z" / "b.mp4")
    assert (tmp_path / "x" / "z" / "b.mp4").read_bytes() == b"bytes"


async def test_a_target_of_other_content_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"older")
    part = made(tmp_path / "a")
    with pytest.raises(FileExistsError):
        await part.commit(tmp_path / "a")
    part.withdraw()
    assert names(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == b"older"


async def test_a_target_of_the_same_content_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"bytes")
    inode = (tmp_path / "a").stat().st_ino
    part = made(tmp_path / "a")
    assert not await part.commit(tmp_path / "a")
    part.withdraw()
    assert names(tmp_path) == ["a"] and (tmp_path / "a").stat().st_ino == inode


@pytest.mark.parametrize("taken", ["link", "dangling", "folder"])
async def test_links_and_folders_in_the_way_are_not_followed(tmp_path: Path, taken: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    if taken == "folder":
        (tmp_path / "a").mkdir()
    else:
        (tmp_path / "a").symlink_to(elsewhere)
    if taken == "link":
        elsewhere.write_bytes(b"bytes")
    part = made(tmp_path / "a")
    with pytest.raises(FileExistsError):
        await part.commit(tmp_path / "a")
    part.discard()
    assert elsewhere.exists() == (taken == "link")
    assert not list(tmp_path.glob(".*"))


async def test_of_many_at_once_for_one_name_one_wins_and_all_others_know(tmp_path: Path) -> None:
    parts = [made(tmp_path / "a", f"content {n}".encode()) for n in range(8)]
    outcomes = await asyncio.gather(*(part.commit(tmp_path / "a") for part in parts), return_exceptions=True)
    for part in parts:
        part.discard()
    assert sum(outcome is True for outcome in outcomes) == 1
    assert sum(isinstance(outcome, FileExistsError) for outcome in outcomes) == 7
    assert names(tmp_path) == ["a"]


async def test_withdrawing_takes_back_what_was_committed(tmp_path: Path) -> None:
    part = made(tmp_path / "a")
    await part.commit(tmp_path / "a")
    part.withdraw()
    part.withdraw()
    assert not names(tmp_path)


@pytest.mark.parametrize("name", ["a" * 255, "é" * 127, "看" * 85, "."])
async def test_part_names_fit_any_file_system(tmp_path: Path, name: str) -> None:
    part = PartFile(tmp_path / name)
    assert len(part.path.name.encode()) <= 255 and part.path.name.isprintable()
    part.discard()
    assert not names(tmp_path)


async def test_a_cancelled_commit_ends_one_way_or_the_other(tmp_path: Path) -> None:
    part = made(tmp_path / "a", b"x" * 5_000_000)
    task = asyncio.create_task(part.commit(tmp_path / "a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    part.withdraw()
    assert not names(tmp_path)


async def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"Cannot write .*: Not a directory"):
        PartFile(tmp_path / "file" / "a")
    part = made(tmp_path / "a")
    with pytest.raises(StorageError):
        await part.commit(tmp_path / "file" / "b")
    part.discard()
    assert names(tmp_path) == ["file"]


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on file sizes stands in for the disk: write(2) takes a part, then refuses, just as with ENOSPC."""
    ran = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("refused: Cannot write ") and "File too large" in ran.stdout
    assert not names(tmp_path)


async def test_room_that_was_not_needed_is_given_back(tmp_path: Path) -> None:
    """What was announced and did not come is no part of the file."""
    part = PartFile(tmp_path / "a.mp4")
    part.reserve(1_000_000)
    part.write(b"abc")
    await part.commit(tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == b"abc"
    assert (tmp_path / "a.mp4").stat().st_blocks * 512 <= 64 * 1024


async def test_what_is_held_back_touches_no_disk_until_it_is_closed(tmp_path: Path) -> None:
    part = PartFile(tmp_path / "a.mp4", held=1000)
    part.reserve(600)
    for piece in (b"one" * 100, b"two" * 100):
        part.write(piece)
    assert (part.is_held, names(tmp_path)) == (True, [])
    with part.read() as file:
        assert file.read() == b"one" * 100 + b"two" * 100
    part.close(synced=True)
    assert (part.is_held, part.path.read_bytes()) == (False, b"one" * 100 + b"two" * 100)
    with part.read() as file:
        assert file.read(3) == b"one"
    assert await part.commit(tmp_path / "a.mp4")
    assert names(tmp_path) == ["a.mp4"]


async def test_more_than_may_be_held_goes_to_the_disk(tmp_path: Path) -> None:
    part = PartFile(tmp_path / "a.mp4", held=1000)
    part.write(b"x" * 600)
    part.write(b"y" * 600)
    assert (part.is_held, part.path.stat().st_size) == (False, 1200)
    part.discard()
    part.discard()
    assert names(tmp_path) == []


async def test_what_is_held_back_and_thrown_away_was_never_there(tmp_path: Path) -> None:
    part = PartFile(tmp_path / "new" / "a.mp4", held=1000)
    part.write(b"bytes")
    part.discard()
    part.discard()
    assert names(tmp_path) == []
