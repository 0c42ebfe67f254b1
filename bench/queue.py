"""The queue: 5,000 trivial jobs through two workers, and again with kill -9 of one of them in the middle."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from clipstead.db import Database, embedded, upgrade
from clipstead.engine import Engine
from clipstead.jobs import Jobs

JOBS = 5_000
WORKERS = 2
SUBMITTERS = 50

_FIGURES = text("""
SELECT count(*) FILTER (WHERE status = 'completed') AS done, count(*) FILTER (WHERE version = 3) AS stored_once,
       count(DISTINCT result->>'file_id') AS results, count(*) FILTER (WHERE attempts > 1) AS again,
       extract(epoch FROM max(finished_at) - min(started_at))::float8 AS seconds,
       extract(epoch FROM max(finished_at))::float8 AS last
FROM jobs
""")


@contextmanager
def workers(url: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Two worker processes that have begun to work."""
    command = [sys.executable, "-m", "bench.queue_worker", url]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(WORKERS)]
    try:
        for child in started:
            assert child.stdout
            assert child.stdout.readline() == "working\n"
        yield started
    finally:
        for child in started:
            child.terminate()
        for child in started:
            child.wait(40)
            assert child.stdout
            child.stdout.close()


async def fill(jobs: Jobs, many: int) -> float:
    """Queue so many jobs, one transaction each, fifty at a time: jobs a second."""
    left = iter(range(many))

    async def submitter() -> None:
        for _ in left:
            await jobs.submit("tool", "trivial", {}, key_id=None, lane="light")

    began = time.perf_counter()
    await asyncio.gather(*(submitter() for _ in range(SUBMITTERS)))
    return many / (time.perf_counter() - began)


async def finished(database: Database, many: int) -> None:
    """Until so many jobs are over."""
    while True:
        async with database.each() as connection:
            if await connection.scalar(text("SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL")) >= many:
                return
        await asyncio.sleep(0.05)


async def figures(database: Database) -> dict[str, float]:
    """What became of all jobs."""
    async with database.each() as connection:
        return dict((await connection.execute(_FIGURES)).mappings().one())


async def clear(database: Database) -> None:
    """No jobs."""
    async with database.each() as connection:
        await connection.execute(text("TRUNCATE jobs, pgqueuer, pgqueuer_log"))
        await connection.execute(text("VACUUM jobs, pgqueuer, pgqueuer_log"))


async def straight(database: Database, jobs: Jobs) -> None:
    """All queued, then worked off."""
    rate = await fill(jobs, JOBS)
    with workers(database.url):
        await finished(database, JOBS)
    found = await figures(database)
    check(found)
    print(f"queued {rate:.0f} jobs a second; {WORKERS} workers do {JOBS / found['seconds']:.0f} a second")


async def with_a_death(database: Database, jobs: Jobs) -> None:
    """kill -9 of one worker when two fifths are done."""
    await fill(jobs, JOBS)
    with workers(database.url) as started:
        await finished(database, JOBS * 2 // 5)
        killed_at = time.time()
        started[0].kill()
        await finished(database, JOBS)
    found = await figures(database)
    check(found)
    print(
        f"kill -9 of one in the middle: all done, each result stored once, {found['again']:.0f} begun again,"
        f" the last {found['last'] - killed_at:.1f} s after the kill (lease 30 s)"
    )


def check(found: dict[str, float]) -> None:
    """All done, and no result stored twice: a completion raises a job's version, from 2 to 3."""
    assert found["done"] == found["stored_once"] == found["results"] == JOBS, found


async def measure() -> None:
    """On an embedded Postgres of its own, which syncs to the disk as always."""
    folder = Path(tempfile.mkdtemp(prefix="clipstead-bench-"))
    try:
        async with embedded(folder) as url:
            await upgrade(url)
            async with Database.open(url, connections=20) as database:
                jobs = Jobs(database, Engine(database))
                for block in (straight, straight, straight, with_a_death):
                    await clear(database)
                    await block(database, jobs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Prints the figures."""
    asyncio.run(measure())


if __name__ == "__main__":
    main()
