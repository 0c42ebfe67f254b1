"""A capture killed at each of its system calls that matter, or told that the disk is full, and begun again: it must
come to the same end."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from bench.kills_child import AGAIN
from clipstead.archive.ledger import Entry
from clipstead.cli.archive_shelves import Shelves, open_shelves
from clipstead.db import embedded, upgrade
from clipstead.practice import World
from clipstead.settings import load

CALLS = ("fallocate", "fsync", "link", "linkat", "rename", "unlink", "mkdir", "openat", "write")
DISK = ("fallocate", "fsync", "linkat", "mkdir", "write")  # those that a full or broken disk fails
ERRORS = ("ENOSPC", "EIO")
_KILLED = -signal.SIGKILL


@dataclass
class Tally:
    """Points at which a capture was killed, by system call; and what was wrong afterwards."""

    points: dict[str, int] = field(default_factory=dict)
    errors: int = 0
    faults: list[str] = field(default_factory=list)
    most_calls: int = 0


class Subject:
    """The process that forks captures."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.kills_child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer("ready")

    def capture(self, post_id: str) -> int:
        """Undisturbed; the exit status."""
        self._ask(f"{post_id} go")
        return int(self._answer("ended"))

    def hurt_at(self, post_id: str, call: str, when: int, how: str = "signal=SIGKILL") -> int:
        """Hurt as it enters `call` for the `when`-th time; the exit status, 0 where it does not come that far."""
        self._ask(f"{post_id} stop")
        pid = self._answer("stopped")
        inject = f"inject={call}:{how}:when={when}"
        command = ["strace", "-f", "-p", pid, "-o", "/dev/null", "-e", f"trace={call}", "-e", inject]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
            assert strace.stderr
            while "attached" not in (line := strace.stderr.readline()):
                if not line:
                    raise RuntimeError("strace could not attach")
            os.kill(int(pid), signal.SIGCONT)
            status = int(self._answer("ended"))
        return status

    def close(self) -> None:
        """End it."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _ask(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _answer(self, word: str) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line.startswith(word):
            raise RuntimeError(f"not {word}: {line!r}")
        return line.removeprefix(word).strip()


async def check(shelves: Shelves, world: World, post_id: str, status: int) -> list[str]:
    """What is wrong with a post that was killed once and then captured."""
    async with shelves.database.each() as connection:
        state = await connection.scalar(text("SELECT state FROM archive_queue WHERE aweme_id = :id"), {"id": post_id})
        keys = set(await connection.scalars(text("SELECT key FROM post_files WHERE aweme_id = :id"), {"id": post_id}))
        base = await connection.scalar(text("SELECT storage_key FROM posts WHERE aweme_id = :id"), {"id": post_id})
    there = {listed.key async for listed in shelves.store.keys("") if post_id in listed.key}
    wrong = []
    if status or state != "done":
        wrong.append(f"ended with {status}, {state}")
    if there != keys | {f"{base}.json"}:
        wrong.append(f"objects are {sorted(there)}, rows name {sorted(keys)}")
    if world.asked(post_id) > 2:
        wrong.append(f"{world.asked(post_id)} calls")
    return wrong


async def torture(shelves: Shelves, world: World, calls: Sequence[str], most: int) -> Tally:
    """Each call, the first time, the second time..., up to `most` times (0: to the end), on a post of its own."""
    tally = Tally()
    ids = iter([post.id for post in world.posts if post.kind == "video"])
    subject = await asyncio.to_thread(Subject)
    try:
        for call in calls:
            when, status = 0, _KILLED
            while status == _KILLED and (not most or when < most):
                when += 1
                post_id = next(ids)
                await shelves.ledger.add([Entry(post_id)], "")
                status = await asyncio.to_thread(subject.hurt_at, post_id, call, when)
                if status == _KILLED:
                    tally.points[call] = when
                    after = await asyncio.to_thread(subject.capture, post_id)
                    wrong = await check(shelves, world, post_id, after)
                    tally.faults += [f"{call} {when}: {each}" for each in wrong]
                    tally.most_calls = max(tally.most_calls, world.asked(post_id))
                elif status:
                    tally.faults.append(f"{call} {when}: ended with {status} before it was killed")
        for point in _errors(tally):
            tally.faults += await _with_error(shelves, world, subject, next(ids), point)
            tally.errors += 1
    finally:
        await asyncio.to_thread(subject.close)
    left = [path.name for path in (load().data_dir / "archive" / ".staging").iterdir()]
    await shelves.janitor.sweep()
    kept = [path.name for path in (load().data_dir / "archive" / ".staging").iterdir()]
    tally.faults += [f"{name} is left behind" for name in kept]
    print(f"{len(left)} files were left behind, {len(kept)} after a sweep")
    return tally


def _errors(tally: Tally) -> list[tuple[str, int, str]]:
    """Wherever a call that may fail for the disk's sake was killed: the call, the how manieth, the error."""
    points = [(call, when) for call in DISK for when in range(1, tally.points.get(call, 0) + 1)]
    return [(call, when, error) for error in ERRORS for call, when in points]


async def _with_error(
    shelves: Shelves, world: World, subject: Subject, post_id: str, point: tuple[str, int, str]
) -> list[str]:
    """A disk that fails once: nothing is torn, nothing counts against the post, and the next attempt keeps it."""
    call, when, error = point
    await shelves.ledger.add([Entry(post_id)], "")
    status = await asyncio.to_thread(subject.hurt_at, post_id, call, when, f"error={error}")
    row = await shelves.ledger.get(post_id)
    faults = [] if status in (0, AGAIN) else [f"ended with {status}"]
    if status == AGAIN and (row is None or row.attempts or row.state != "pending"):
        faults.append(f"counted: {row}")
    if status == AGAIN:
        status = await asyncio.to_thread(subject.capture, post_id)
    faults += await check(shelves, world, post_id, status)
    return [f"{call} {when} {error}: {fault}" for fault in faults]


@contextmanager
def settings_of(folder: Path, world: World, url: str) -> Iterator[None]:
    """The environment of this process and its children."""
    environment = {
        **world.environment,
        "CLIPSTEAD_DATA_DIR": str(folder / "data"),
        "CLIPSTEAD_DATABASE_URL": url,
        "CLIPSTEAD_ARCHIVE_API_PER_MINUTE": "0",
        "CLIPSTEAD_PROVIDERS": "tiktok_web",
    }
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


async def measure(calls: Sequence[str], most: int) -> Tally:
    """In a world and a database of its own."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="clipstead-kills-", dir=memory if memory.is_dir() else None))
    try:
        async with World(posts=2000, video_bytes=600_000) as world, embedded(folder) as url:
            await upgrade(url)
            with settings_of(folder, world, url):
                async with open_shelves(load()) as shelves:
                    return await torture(shelves, world, calls, most)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments: list[str] | None = None) -> int:
    """Prints how many points there were; 1 if a capture came to another end."""
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__)
    parser.add_argument("--most", type=int, default=0, help="at most so many points of each call (0: all)")
    parser.add_argument("--calls", default=",".join(CALLS))
    options = parser.parse_args(arguments)
    if shutil.which("strace") is None:
        print("strace is not on this machine")
        return 2
    tally = asyncio.run(measure(options.calls.split(","), options.most))
    total = sum(tally.points.values())
    print(f"killed at {total} points ({', '.join(f'{call} {many}' for call, many in tally.points.items())})")
    print(f"{tally.errors} times the disk was full or broken")
    print(f"{len(tally.faults)} came to another end; at most {tally.most_calls} calls a post")
    print("\n".join(tally.faults))
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
