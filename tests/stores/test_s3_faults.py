"""What S3 and the way there can do to a put: outages, conflicts, lost replies, weaker promises, dead uploads."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from clipstead.archive.store import Conflict, Put, Store, open_store
from clipstead.archive.store.s3.requests import Bucket
from clipstead.archive.store.s3.signing import Credentials
from clipstead.archive.store.s3.uploads import Uploads
from clipstead.errors import StorageError

from .conftest import SECRET, Seen, Spoiler
from .contract_staging import KEY, kept, listing, nobody, sha256, staged

LARGE = random.Random(5).randbytes(17 * 1024**2)
PREFIX = "pre/fix"


@pytest.fixture
async def store(spoiler: Spoiler, bucket: str, tmp_path: Path) -> AsyncIterator[Store]:
    """One that reaches its bucket through the spoiler alone."""
    store = open_store(f"s3://{bucket}/{PREFIX}/?endpoint={spoiler.address}", tmp_path / "s", patience=0.01)
    yield store
    await store.close()


@pytest.fixture
async def uploads(moto: str, bucket: str, credentials: Credentials) -> AsyncIterator[Uploads]:
    """The same bucket, seen directly."""
    uploads = Uploads(Bucket(f"{moto}/{bucket}", "us-east-1", credentials), f"{PREFIX}/")
    yield uploads
    await uploads.close()


def first(times: int, fault: int | str, wanted: Callable[[Seen], bool]) -> Callable[[Seen], int | str | None]:
    """That fault for so many of the requests that are wanted."""
    left = [times]

    def judge(seen: Seen) -> int | str | None:
        if not wanted(seen) or not left[0]:
            return None
        left[0] -= 1
        return fault

    return judge


def is_put(seen: Seen) -> bool:
    return seen.method == "PUT"


def is_complete(seen: Seen) -> bool:
    return seen.method == "POST" and "uploadId" in seen.query


async def unfinished(uploads: Uploads) -> list[str]:
    return [upload.key async for upload in uploads.unfinished()]


@pytest.mark.parametrize("fault", [500, 503, 429, 409, "lose", "refuse"])
@pytest.mark.parametrize("times", [1, 3])
async def test_a_put_survives_passing_faults(store: Store, spoiler: Spoiler, fault: int | str, times: int) -> None:
    spoiler.fault = first(times, fault, is_put)
    path = staged(store, b"bytes")
    assert await store.put(KEY, path, sha256(b"bytes"), "video/mp4") in (Put.CREATED, Put.SAME)
    assert await store.read(KEY) == b"bytes"
    assert await listing(store) == [KEY]


async def test_a_put_says_what_it_is_and_that_nothing_may_be_there(store: Store, spoiler: Spoiler) -> None:
    await store.put(KEY, staged(store, b"bytes"), sha256(b"bytes"), "video/mp4")
    (seen,) = spoiler.seen
    assert seen.path.endswith(f"/{PREFIX}/{KEY}")
    assert seen.headers["if-none-match"] == "*"
    assert seen.headers["content-type"] == "video/mp4"
    assert seen.headers["x-amz-meta-sha256"] == sha256(b"bytes")
    assert seen.headers["x-amz-checksum-sha256"]


@pytest.mark.parametrize("fault", [500, 503, "refuse"])
async def test_an_outage_is_a_passing_error_and_leaves_nothing(
    store: Store, spoiler: Spoiler, fault: int | str
) -> None:
    spoiler.fault = lambda seen: fault
    path = staged(store, b"bytes")
    for door in (
        lambda: store.put(KEY, path, sha256(b"bytes")),
        lambda: store.put_bytes(KEY, b"bytes"),
        lambda: store.head(KEY),
        lambda: store.read(KEY),
        lambda: kept(store, KEY),
        lambda: store.delete(KEY),
        lambda: listing(store),
        lambda: store.quarantine(KEY),
        store.probe,
        lambda: store.sweep_temp(nobody),
    ):
        with pytest.raises(StorageError) as caught:
            await door()
        assert caught.value.transient
        assert "127.0.0.1" not in str(caught.value)
        assert SECRET not in str(caught.value)
    spoiler.fault = lambda seen: None
    assert await listing(store) == []


async def test_missing_rights_and_buckets_are_told_at_once(
    store: Store, spoiler: Spoiler, moto: str, tmp_path: Path
) -> None:
    spoiler.fault = lambda seen: 403
    with pytest.raises(StorageError, match="refuses access") as caught:
        await store.put_bytes(KEY, b"bytes")
    assert caught.value.transient
    assert len(spoiler.seen) == 1
    nowhere = open_store(f"s3://no-such-bucket?endpoint={moto}", tmp_path, patience=0.01)
    for door in (nowhere.probe, lambda: nowhere.put_bytes(KEY, b"x"), lambda: nowhere.read(KEY)):
        with pytest.raises(StorageError, match="no such bucket"):
            await door()
    await nowhere.close()


async def test_a_conflict_that_is_told_by_409_is_found_out(store: Store, spoiler: Spoiler) -> None:
    await store.put_bytes(KEY, b"there")
    spoiler.fault = lambda seen: 409 if is_put(seen) else None
    with pytest.raises(Conflict):
        await store.put_bytes(KEY, b"other")
    assert await store.put_bytes(KEY, b"there") is Put.SAME


async def test_an_object_without_our_hash_is_read_to_compare(store: Store, spoiler: Spoiler) -> None:
    spoiler.strip = "x-amz-meta-sha256"
    await store.put_bytes(KEY, b"there")
    head = await store.head(KEY)
    assert head is not None and head.sha256 == ""
    assert await store.put_bytes(KEY, b"there") is Put.SAME
    with pytest.raises(Conflict):
        await store.put_bytes(KEY, b"THERE")


async def test_a_store_that_overwrites_is_found_out_and_asked_instead(store: Store, spoiler: Spoiler) -> None:
    spoiler.strip = "if-none-match"
    found = await store.probe()
    assert not found.conditional
    assert any("overwrites" in note for note in found.notes)
    for data in (b"bytes", LARGE):
        paths = [staged(store, data, 1), staged(store, data, 2), staged(store, data[::-1], 3)]
        assert await store.put(KEY, paths[0], sha256(data)) is Put.CREATED
        assert await store.put(KEY, paths[1], sha256(data)) is Put.SAME
        with pytest.raises(Conflict):
            await store.put(KEY, paths[2], sha256(data[::-1]))
        assert await store.read(KEY) == data
        await store.delete(KEY)


async def test_a_store_that_knows_no_condition_at_all_is_found_out(store: Store, spoiler: Spoiler) -> None:
    spoiler.fault = lambda seen: 501 if "if-none-match" in seen.headers else None
    assert not (await store.probe()).conditional
    assert await store.put_bytes(KEY, b"bytes") is Put.CREATED
    with pytest.raises(Conflict):
        await store.put_bytes(KEY, b"other")


async def test_a_store_that_checks_hashes_is_known_by_it(store: Store, spoiler: Spoiler) -> None:
    assert not (await store.probe()).checksums
    spoiler.fault = lambda seen: 400 if seen.headers.get("x-amz-content-sha256") == "0" * 64 else None
    found = await store.probe()
    assert found.checksums
    assert found.notes == ()


@pytest.mark.parametrize(
    ("fault", "at"), [("lose", "begin"), (500, "part"), ("refuse", "part"), (500, "complete"), ("lose", "complete")]
)
async def test_a_large_put_survives_passing_faults_and_leaves_no_upload(
    store: Store, spoiler: Spoiler, uploads: Uploads, fault: int | str, at: str
) -> None:
    wanted: dict[str, Callable[[Seen], bool]] = {
        "begin": lambda seen: "uploads" in seen.query and seen.method == "POST",
        "part": is_put,
        "complete": is_complete,
    }
    spoiler.fault = first(1, fault, wanted[at])
    path = staged(store, LARGE)
    assert await store.put(KEY, path, sha256(LARGE), "video/mp4") in (Put.CREATED, Put.SAME)
    head = await store.head(KEY)
    assert head is not None and head.sha256 == sha256(LARGE)
    assert await kept(store, KEY) == LARGE
    left = await unfinished(uploads)
    assert left == ([KEY] if (fault, at) == ("lose", "begin") else [])  # its id was in the lost reply: for the sweep
    assert (await store.sweep_temp(nobody)).uploads == len(left)
    assert await unfinished(uploads) == []


async def test_a_large_put_that_meets_409_begins_again(store: Store, spoiler: Spoiler, uploads: Uploads) -> None:
    spoiler.fault = first(1, 409, is_complete)
    path = staged(store, LARGE)
    assert await store.put(KEY, path, sha256(LARGE)) is Put.CREATED
    assert await kept(store, KEY) == LARGE
    assert await unfinished(uploads) == []


async def test_a_large_put_that_is_cancelled_is_aborted(store: Store, spoiler: Spoiler, uploads: Uploads) -> None:
    arrived = asyncio.Event()

    def notice(seen: Seen) -> None:
        if is_put(seen):
            arrived.set()

    spoiler.fault = notice
    path = staged(store, LARGE)
    task = asyncio.ensure_future(store.put(KEY, path, sha256(LARGE)))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await unfinished(uploads) == []
    assert await listing(store) == []


async def test_uploads_of_the_dead_are_swept_and_those_of_the_living_spared(
    store: Store, moto: str, bucket: str, credentials: Credentials, uploads: Uploads
) -> None:
    begin = Bucket(f"{moto}/{bucket}", "us-east-1", credentials)
    dead, live = KEY, KEY.replace("7387261234567890123", "7387261234567890124")
    for key in (f"{PREFIX}/{dead}", f"{PREFIX}/{live}", f"{PREFIX}/somebody/elses", KEY):
        assert (await begin.ask("POST", key, {"uploads": ""})).ok
    await begin.close()
    asked: list[str] = []

    async def living(ids: Sequence[str]) -> set[str]:
        asked.extend(ids)
        return {"7387261234567890124"}

    assert (await store.sweep_temp(living)).uploads == 1
    assert sorted(asked) == ["7387261234567890123", "7387261234567890124"]
    assert sorted(await unfinished(uploads)) == ["somebody/elses", live]


async def test_without_a_key_to_sign_with_a_large_file_goes_in_one_request(
    spoiler: Spoiler, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")
    store = open_store(f"s3://{bucket}?endpoint={spoiler.address}/{bucket}", tmp_path / "s", patience=0.01)
    assert any("one request" in note for note in (await store.probe()).notes)
    spoiler.seen.clear()
    spoiler.fault = first(1, "lose", is_put)
    path = staged(store, LARGE)
    assert await store.put(KEY, path, sha256(LARGE)) in (Put.CREATED, Put.SAME)
    assert await kept(store, KEY) == LARGE
    assert not any("uploads" in seen.query for seen in spoiler.seen)
    await store.close()


async def test_many_puts_through_a_bad_line_all_arrive(store: Store, spoiler: Spoiler) -> None:
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    dice = random.Random(seed)
    faults: list[int | str] = [500, 503, 409, "lose", "refuse"]

    def mostly_fine(seen: Seen) -> int | str | None:
        return dice.choice(faults) if is_put(seen) and dice.random() < 0.2 else None

    spoiler.fault = mostly_fine
    keys = [f"videos/dt=2026-05-29/author=a/{number}.json" for number in range(100)]
    slots = asyncio.Semaphore(10)

    async def put(key: str) -> Put:
        async with slots:
            return await store.put_bytes(key, key.encode())

    assert set(await asyncio.gather(*map(put, keys))) <= {Put.CREATED, Put.SAME}
    spoiler.fault = lambda seen: None
    assert await listing(store) == sorted(keys)
    for key in keys[::10]:
        assert await store.read(key) == key.encode()


async def test_whoever_writes_finds_out_first_what_the_store_can_do(
    spoiler: Spoiler, bucket: str, database_url: str, tmp_path: Path
) -> None:
    """Also a command that captures nothing: an erasure sets up its tombstone where no condition is known."""
    spoiler.fault = lambda seen: 501 if "if-none-match" in seen.headers else None
    settings = {
        "CLIPSTEAD_ARCHIVE_STORE": f"s3://{bucket}/{PREFIX}/?endpoint={spoiler.address}",
        "CLIPSTEAD_DATABASE_URL": database_url,
        "CLIPSTEAD_DATA_DIR": str(tmp_path),
    }
    command = Path(sys.executable).with_name("clipstead")
    child = await asyncio.create_subprocess_exec(
        command, "archive", "erase", "--post", "7123456789012345678", env={**os.environ, **settings}, stderr=PIPE
    )
    _, err = await child.communicate()
    assert (child.returncode, b"erased 1 posts" in err) == (0, True), err
    assert any(seen.method == "PUT" and "/tombstones/" in seen.path for seen in spoiler.seen)
