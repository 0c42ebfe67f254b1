"""The workspace: hashed on the way in, within its limits, gone when its time is over, nothing left of what failed."""

import asyncio
import hashlib
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from clipstead.db import Database
from clipstead.errors import NotFound
from clipstead.jobs import Jobs, Result
from clipstead.jobs.storage import StorageFull
from clipstead.jobs.workspace import StoredFile, Workspace

MEGABYTE = 1024**2

MakeWorkspace = Callable[..., Workspace]


@pytest.fixture
def make(database: Database, tmp_path: Path) -> MakeWorkspace:
    """A workspace with the given limits."""

    def make(*, quota: int = 100 * MEGABYTE, floor: int = 0) -> Workspace:
        return Workspace(database, tmp_path / "work", quota_bytes=quota, free_floor_bytes=floor)

    return make


def on_disk(tmp_path: Path) -> list[str]:
    """Every file there is."""
    return sorted(path.name for path in (tmp_path / "work").rglob("*") if path.is_file())


async def execute(database: Database, statement: str, **values: object) -> None:
    """Do something behind everybody's back."""
    async with database.begin() as connection:
        await connection.execute(text(statement), values)


async def upload(workspace: Workspace, data: bytes, *, expected: int = 0) -> StoredFile:
    """A small upload, in one piece."""
    async with workspace.open_upload(expected=expected, key_id="key") as file:
        await file.write(data)
        return await file.keep(name="holiday.mp4")


async def test_an_upload_is_hashed_while_it_is_written(workspace: Workspace) -> None:
    """Pieces of any size become the file they were, with its size and SHA-256, in a folder of ours alone."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    source = random.Random(seed)
    pieces = [source.randbytes(source.choice([0, 1, 1000, 65536, 3 * MEGABYTE])) for _ in range(30)]
    async with workspace.open_upload(expected=1000) as file:
        for piece in pieces:
            await file.write(piece)
        kept = await file.keep(name="holiday.mp4")
    whole = b"".join(pieces)
    assert kept.path.read_bytes() == whole
    assert (kept.bytes, kept.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    assert (kept.name, kept.kind) == ("holiday.mp4", "upload")
    assert len(kept.id) == 32
    assert await workspace.find(kept.id) == kept
    assert kept.path.stat().st_mode & 0o077 == 0
    assert kept.path.parent.stat().st_mode & 0o077 == 0


async def test_a_result_is_what_a_program_wrote(workspace: Workspace, jobs: Jobs) -> None:
    """Kept with the ending it was made with, under its job."""
    job = await jobs.submit("tool", "x", {}, key_id="key", lane="light")
    async with workspace.open_result(job.id, "gif", key_id="key") as draft:
        draft.path.write_bytes(b"GIF89a")
        kept = await draft.keep(name="result.gif")
    assert kept.path.suffix == ".gif"
    assert (kept.bytes, kept.sha256, kept.job_id) == (6, hashlib.sha256(b"GIF89a").hexdigest(), job.id)


async def test_what_is_not_kept_is_gone(workspace: Workspace, tmp_path: Path, database: Database) -> None:
    """Whether it was given up, failed, or was cancelled; neither the disk nor the quota remembers."""

    async def fails() -> None:
        async with workspace.open_upload(expected=MEGABYTE) as file:
            await file.write(bytes(2 * MEGABYTE))
            raise RuntimeError

    async def hangs() -> None:
        async with workspace.open_result("1", "mp4", expected=MEGABYTE) as draft:
            draft.path.write_bytes(b"half")
            await asyncio.sleep(60)

    async with workspace.open_upload() as file:
        await file.write(b"never mind")
    with pytest.raises(RuntimeError):
        await fails()
    hanging = asyncio.create_task(hangs())
    await asyncio.sleep(0.2)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert on_disk(tmp_path) == []
    async with database.begin() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM files")) == 0


async def test_what_is_not_whole_is_not_found(workspace: Workspace) -> None:
    """Nobody gets half a file, or one that there never was."""
    async with workspace.open_upload() as file:
        await file.write(b"x")
        with pytest.raises(NotFound):
            await workspace.find(file.id)
    with pytest.raises(NotFound):
        await workspace.find("0" * 32)


async def test_a_file_too_large_for_the_quota_is_refused_before_its_first_byte(
    make: MakeWorkspace, tmp_path: Path
) -> None:
    """When its size is known; nothing is left."""
    workspace = make(quota=MEGABYTE)
    with pytest.raises(StorageFull, match="Storage full"):
        async with workspace.open_upload(expected=MEGABYTE + 1):
            pass
    assert on_disk(tmp_path) == []


async def test_a_file_of_unknown_size_is_stopped_at_the_quota(make: MakeWorkspace, tmp_path: Path) -> None:
    """At the piece that would be too much; what fits, fits to the last byte."""
    workspace = make(quota=3 * MEGABYTE)
    first = await upload(workspace, bytes(MEGABYTE))
    with pytest.raises(StorageFull):
        async with workspace.open_upload() as file:
            for _ in range(3):
                await file.write(bytes(MEGABYTE))
    assert on_disk(tmp_path) == [first.path.name]
    await upload(workspace, bytes(2 * MEGABYTE))
    with pytest.raises(StorageFull):
        await upload(workspace, b"x")


async def test_many_at_once_do_not_pass_the_quota_together(make: MakeWorkspace) -> None:
    """Of twenty uploads of a megabyte at the same time, exactly the five that fit are kept."""
    workspace = make(quota=5 * MEGABYTE)
    outcomes = await asyncio.gather(
        *(upload(workspace, bytes(MEGABYTE), expected=MEGABYTE) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(outcome, StoredFile) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, StorageFull) for outcome in outcomes) == 15


async def test_the_disk_is_left_its_floor(make: MakeWorkspace, tmp_path: Path) -> None:
    """With less free than is to stay free, nothing is taken, and nothing left."""
    with pytest.raises(StorageFull):
        async with make(floor=1 << 60).open_upload():
            pass
    assert on_disk(tmp_path) == []


async def test_the_sweep_goes_by_the_databases_clock(
    workspace: Workspace, jobs: Jobs, database: Database, tmp_path: Path
) -> None:
    """Expired files go, others stay, and what an unfinished job needs stays until it is over."""
    expired, kept, needed = [await upload(workspace, b"x") for _ in range(3)]
    job = await jobs.submit("tool", "x", {}, key_id="key", lane="light", source_file=needed.id)
    await execute(database, "UPDATE files SET expires_at = now() - interval '1 second' WHERE id <> :id", id=kept.id)
    with pytest.raises(NotFound):
        await workspace.find(expired.id)
    assert await workspace.sweep() == 1
    assert on_disk(tmp_path) == sorted([kept.path.name, needed.path.name])
    await execute(database, "UPDATE jobs SET status = 'failed' WHERE id = :id", id=job.id)
    assert await workspace.sweep() == 1
    assert on_disk(tmp_path) == [kept.path.name]


async def test_a_long_encode_keeps_its_unfinished_result(
    workspace: Workspace, jobs: Jobs, database: Database, tmp_path: Path
) -> None:
    """However long it writes: as long as its job goes on, the file is somebody's."""
    job = await jobs.submit("tool", "x", {}, key_id="key", lane="light")
    async with workspace.open_result(job.id, "mp4") as draft:
        draft.path.write_bytes(b"half")
        await execute(database, "UPDATE files SET expires_at = now() - interval '1 hour'")
        assert await workspace.sweep() == 0
        assert (await draft.keep()).bytes == 4


async def test_what_nobody_knows_is_swept_and_what_is_not_ours_is_not(workspace: Workspace, tmp_path: Path) -> None:
    """A crash between the disk and the database leaves a file without a row; other names are left alone."""
    kept = await upload(workspace, b"x")
    uploads = tmp_path / "work" / "uploads"
    (uploads / ("a" * 32)).write_bytes(b"orphan")
    (tmp_path / "work" / "results" / f"{'b' * 32}.mp4").write_bytes(b"orphan")
    (uploads / "README").write_bytes(b"not ours")
    async with workspace.open_upload() as file:
        await file.write(bytes(MEGABYTE))
        assert await workspace.sweep() == 2
        assert file.path.exists()
    assert on_disk(tmp_path) == sorted([kept.path.name, "README"])


async def test_calling_a_job_off_lets_go_of_what_was_uploaded_for_it(
    workspace: Workspace, jobs: Jobs, tmp_path: Path
) -> None:
    """With the next sweep nothing is left, and the job cannot be done afresh."""
    source = await upload(workspace, b"x")
    job = await jobs.submit("tool", "x", {}, key_id="key", lane="light", source_file=source.id)
    await jobs.cancel(job.id, by="key")
    with pytest.raises(NotFound):
        await jobs.retry(job.id, by="key")
    await workspace.sweep()
    assert on_disk(tmp_path) == []


async def test_a_result_that_came_too_late_is_dropped_unless_it_counts(workspace: Workspace, jobs: Jobs) -> None:
    """Of two attempts' files the one that the job was completed with stays, and so does one that another job reuses."""
    job = await jobs.submit("tool", "x", {}, key_id="key", lane="light")
    made = []
    for _ in range(2):
        async with workspace.open_result(job.id, "gif") as draft:
            draft.path.write_bytes(b"GIF89a")
            made.append(await draft.keep())
    begun = await jobs.attempts.begin(job.id)
    assert begun
    for file in made:
        await workspace.drop_result(job.id, file.id)  # the job is not over: either may yet count
    assert await workspace.find(made[0].id)
    await jobs.attempts.complete(begun[1], Result(made[1].id, "x", "gif", "image/gif", 6, made[1].sha256))
    for file in made:
        await workspace.drop_result(job.id, file.id)
    assert await workspace.find(made[1].id)
    with pytest.raises(NotFound):
        await workspace.find(made[0].id)
    assert not made[0].path.exists()


async def test_a_discarded_file_is_gone_at_once(workspace: Workspace, tmp_path: Path) -> None:
    """Before its time; twice does no harm."""
    kept = await upload(workspace, b"x")
    await workspace.discard(kept.id)
    await workspace.discard(kept.id)
    assert on_disk(tmp_path) == []


async def test_ids_cannot_be_used_to_leave_the_folder(workspace: Workspace) -> None:
    """An id is looked up, never taken as a path."""
    for wrong in ("../secret", "/etc/passwd", f"{'0' * 32}/../x", ""):
        with pytest.raises(NotFound):
            await workspace.find(wrong)


async def test_a_large_upload_takes_little_memory(workspace: Workspace) -> None:
    """Eighty megabytes in pieces of 64 kB: no more than a few are held at a time."""
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("the peak of memory is read from /proc")
    piece = os.urandom(65536)

    def peak() -> int:
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024

    await upload(workspace, piece)
    before = peak()
    async with workspace.open_upload(expected=80 * MEGABYTE) as file:
        for _ in range(1280):
            await file.write(piece)
        await file.keep()
    assert peak() - before < 16 * MEGABYTE
