"""A worker process of the tests: the real loop, with small tasks that write down in a diary what they do."""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

from clipstead.db import Database
from clipstead.engine import Engine
from clipstead.errors import DownloadFailed, ToolFailed
from clipstead.jobs import Jobs, Result
from clipstead.jobs.attempt import Attempt
from clipstead.worker import Supervisor, Worker, until_told

SETTINGS = json.loads(sys.argv[1])


def write(line: str) -> None:
    """One whole line, however many processes write."""
    with Path(SETTINGS["diary"]).open("a") as diary:
        diary.write(line + "\n")


async def task(attempt: Attempt) -> Result | None:
    """What the job's name says."""
    job, params = attempt.job, attempt.job.params
    write(f"begin {job.name} {job.attempts}")
    if job.name == "sleep":
        try:
            for step in range(10):
                attempt.report(10.0 * step, speed="1.0x", eta=10 - step)
                await asyncio.sleep(params["seconds"] / 10)
        except asyncio.CancelledError:
            write(f"cancelled {job.name} {time.time()}")
            await asyncio.sleep(0.05)  # cleaning up is not disturbed
            write(f"cleaned {job.name}")
            raise
    elif job.name == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    elif job.name == "flaky" and job.attempts < params["good"]:
        raise DownloadFailed("The other end fell silent")
    elif job.name == "wrong":
        raise ToolFailed("That is no video")
    elif job.name == "boom":
        raise KeyError("secret inner words")
    elif job.name == "stall" and job.attempts == 1:
        time.sleep(params["seconds"])  # the event loop hangs: no heartbeat, no answer
    write(f"end {job.name} {job.attempts}")
    return Result(f"file-{job.id}-{job.attempts}", "name", "txt", "text/plain", 1, "0" * 64)


async def work(stop: asyncio.Event) -> None:
    async with Database.open(SETTINGS["url"]) as database:
        engine = Engine(database, lease=SETTINGS["lease"], look=0.5)
        jobs = Jobs(database, engine)
        worker = Worker(
            jobs, engine, {"tool": task}, SETTINGS["lanes"], drop_result=drop_result, sweep_seconds=2, backoff=0.2
        )
        print("working", flush=True)
        await worker.run(stop, grace=0.3)


async def drop_result(_job_id: str, file_id: str) -> None:
    write(f"discarded {file_id.rpartition('-')[2]}")


async def supervise(stop: asyncio.Event) -> None:
    """Keep one worker running, which shares our standard output."""
    settings = json.dumps({**SETTINGS, "how": "work", "parent": os.getpid()})
    await Supervisor([sys.executable, __file__, settings], 1, pause=0.1).run(stop)


asyncio.run(until_told(supervise if SETTINGS["how"] == "supervise" else work, parent=SETTINGS.get("parent", 0)))
