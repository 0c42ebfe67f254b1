"""The process that is measured: `python -m bench.archive_child LINKS ROWS`, an archive of its own, with so many rows in
its ledger already, worked for to the end."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path

from sqlalchemy import text

from clipstead.archive.ledger import Entry
from clipstead.cli.archive_run import tune
from clipstead.cli.archive_shop import archive_work, open_archive
from clipstead.cli.loop import fast_loop
from clipstead.settings import load

_FILL = text("""
INSERT INTO archive_queue (aweme_id, source, state, attempts, resolved_at, url, storage_key)
SELECT '6' || lpad(n::text, 18, '0'), '', 'done', 1, now(), '', 'videos/dt=2026-01-01/author=somebody/' || n
FROM generate_series(1, :rows) AS n
""")

_NEAR = 20  # posts before the end: from there it is looked at more closely


async def work(links: list[str], rows: int = 0) -> dict[str, float]:
    """Everything captured: wall and CPU seconds from the first claim to the last commit, bytes, memory in MB."""
    async with open_archive(load()) as (archive, shelves):
        async with archive.database.begin() as connection:
            await connection.execute(_FILL, {"rows": rows})
        await archive.ledger.add([Entry(link.rpartition("/")[2], link) for link in links], "")
        stop, database = asyncio.Event(), archive.database
        duty = archive_work(archive, shelves)
        tune()
        importlib.import_module("clipstead.engine.shift")  # what the engine loads when it runs for the first time
        await asyncio.to_thread(os.sync)  # a new database and a million rows are no part of what a video costs
        cpu, began = _cpu(), time.perf_counter()
        async with duty.under_way():
            run = asyncio.create_task(archive.engine.run(stop, grace=1.0))
            while True:
                async with database.each() as connection:
                    found = await connection.scalar(text("SELECT count(*) FROM posts"))
                if found == len(links):
                    break
                await asyncio.sleep(0.1 if len(links) - (found or 0) > _NEAR else 0.02)
            wall, used = time.perf_counter() - began, _cpu() - cpu
            stop.set()
            await run
        async with database.each() as connection:
            size = await connection.scalar(text("SELECT sum(bytes) FROM posts"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall": wall, "cpu": used, "bytes": float(size or 0), "memory": peak}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Prints the figures as JSON."""
    links = json.loads(Path(sys.argv[1]).read_text())
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        print(json.dumps(runner.run(work(links, int(sys.argv[2])))))


if __name__ == "__main__":
    main()
