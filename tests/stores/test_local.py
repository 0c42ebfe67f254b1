"""A folder keeps the contract; what is particular to folders besides."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clipstead.archive.store import AtOnce, Conflict, Parcel, Put, Store, open_store
from clipstead.errors import StorageError
from clipstead.net.partfile import PartFile

from .contract import StoreContract
from .contract_staging import KEY, listing, nobody, sha256, staged


class TestLocal(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return open_store(str(tmp_path / "store"), tmp_path / "unused")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> Store:
    return open_store(f"file://{root}", root / "unused")


async def test_a_staged_file_becomes_the_object_without_being_copied(store: Store, root: Path) -> None:
    path = staged(store, b"bytes")
    inode = path.stat().st_ino
    await store.put(KEY, path, sha256(b"bytes"))
    assert (root / KEY).stat().st_ino == inode
    await store.drop(path.parent)
    assert [p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()] == [KEY]


async def test_a_conflict_tells_what_is_there(store: Store) -> None:
    await store.put_bytes(KEY, b"there")
    with pytest.raises(Conflict) as caught:
        await store.put_bytes(KEY, b"other")
    assert caught.value.there.sha256 == sha256(b"there")


async def test_a_symlink_or_a_folder_in_the_place_of_an_object_is_none(
    store: Store, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"bytes")
    (root / KEY).parent.mkdir(parents=True)
    (root / KEY).symlink_to(tmp_path / "secret")
    (root / "videos" / "link").symlink_to(tmp_path)
    assert await store.head(KEY) is None
    assert await listing(store) == []
    with pytest.raises(Conflict):
        await store.put_bytes(KEY, b"bytes")
    with pytest.raises(Conflict):
        await store.put_bytes("videos", b"bytes")
    assert (tmp_path / "secret").read_bytes() == b"bytes"


async def test_a_file_where_a_folder_must_be_is_an_error_of_the_storage(store: Store, root: Path) -> None:
    root.mkdir()
    (root / "videos").write_bytes(b"")
    with pytest.raises(StorageError, match="disk failed"):
        await store.put_bytes(KEY, b"bytes")


async def test_strange_files_are_listed_and_hidden_ones_are_not(store: Store, root: Path) -> None:
    (root / "videos").mkdir(parents=True)
    for name in (b"stray", b"not-utf8-\xff", b".hidden", b"new\nline"):
        Path(os.fsdecode(os.fsencode(root / "videos") + b"/" + name)).write_bytes(b"x")
    assert await listing(store) == ["videos/new\nline", "videos/not-utf8-\ufffd", "videos/stray"]


async def test_thousands_of_keys_stream(store: Store, root: Path) -> None:
    (root / "videos" / "a").mkdir(parents=True)
    for number in range(2500):
        (root / "videos" / "a" / f"{number}.json").touch()
    assert len(await listing(store)) == 2500


async def test_the_last_object_takes_its_folders_with_it(store: Store, root: Path) -> None:
    await store.put_bytes("videos/dt=2026-05-29/author=alice/1.json", b"1")
    await store.put_bytes("videos/dt=2026-05-29/author=bob/2.json", b"2")
    await store.delete("videos/dt=2026-05-29/author=alice/1.json")
    assert [path.name for path in (root / "videos" / "dt=2026-05-29").iterdir()] == ["author=bob"]
    assert await store.put_bytes("videos/dt=2026-05-29/author=alice/1.json", b"1") is Put.CREATED


async def test_folders_that_others_remove_are_made_again(store: Store, root: Path) -> None:
    other = open_store(str(root), root)
    for number in range(3):
        await store.put_bytes(KEY, b"%d" % number)
        await other.delete(KEY)
        assert not (root / "videos").exists()


async def test_temp_files_of_a_process_that_died_are_swept(store: Store, root: Path) -> None:
    (root / ".staging").mkdir(parents=True)
    (root / ".staging" / "0123456789abcdef.part").write_bytes(b"half")
    (root / ".staging" / "no attempt").mkdir()
    swept = await store.sweep_temp(nobody)
    assert (swept.files, swept.uploads) == (2, 0)
    assert list((root / ".staging").iterdir()) == []


async def test_a_store_that_cannot_be_written_says_so_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = open_store(str(tmp_path / "file"), tmp_path)
    with pytest.raises(StorageError, match="disk failed"):
        await store.probe()


def parcel(store: Store, key: str, data: bytes) -> Parcel:
    """A file that is in memory still."""
    part = PartFile(store.stem("7387261234567890123", 1).with_name("7387261234567890123.1.video.mp4"), held=1000)
    part.write(data)
    return Parcel(key, part, sha256(data))


async def test_a_post_in_memory_is_put_whole_and_its_part_files_are_gone(store: Store, root: Path) -> None:
    assert isinstance(store, AtOnce)
    cover, marker = KEY.replace("videos", "covers").replace(".mp4", ".jpg"), KEY.replace(".mp4", ".json")
    await store.put_all([parcel(store, KEY, b"video"), parcel(store, cover, b"cover")], marker, b"{}")
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert found == {KEY: b"video", cover: b"cover", marker: b"{}"}


async def test_a_post_of_which_one_file_is_refused_has_no_marker(store: Store, root: Path) -> None:
    assert isinstance(store, AtOnce)
    cover, marker = KEY.replace("videos", "covers").replace(".mp4", ".jpg"), KEY.replace(".mp4", ".json")
    await store.put_bytes(cover, b"another")
    parcels = [parcel(store, KEY, b"video"), parcel(store, cover, b"cover")]
    with pytest.raises(Conflict):
        await store.put_all(parcels, marker, b"{}")
    assert await store.head(marker) is None
    for each in parcels:
        assert each.part.path.exists()  # its owner may look at it, or put it again
        each.part.discard()
    assert not list((root / ".staging").iterdir())
