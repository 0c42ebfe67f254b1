"""A worker process of the queue's measurement: trivial jobs, fifty at a time."""

from __future__ import annotations

import asyncio
import sys

from clipstead.db import Database
from clipstead.engine import Engine
from clipstead.jobs import Jobs, Result
from clipstead.jobs.attempt import Attempt
from clipstead.worker import Worker, until_told

HANDS = 100


async def trivial(attempt: Attempt) -> Result:
    """Work of no length, with a result of its own."""
    return Result(f"{attempt.job.id}-{attempt.lease.fence}", "result", "txt", "text/plain", 1, "0" * 64)


async def work(stop: asyncio.Event) -> None:
    """As `clipstead worker` does it, with its lease of 30 s."""
    async with Database.open(sys.argv[1]) as database:
        engine = Engine(database)
        jobs = Jobs(database, engine)
        worker = Worker(jobs, engine, {"tool": trivial}, {"light": HANDS})
        print("working", flush=True)
        await worker.run(stop)


if __name__ == "__main__":
    asyncio.run(until_told(work))
