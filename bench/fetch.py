"""The bulk half of the download measurement, as a process of its own: `python -m bench.fetch LIST FOLDER`."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from clipstead.net.download import Fetcher
from clipstead.net.guard import Guard

AT_ONCE = 16


async def fetch_all(job: dict[str, Any], folder: Path) -> int:
    """Every file of the list into `folder`, each durable; the sum of bytes."""
    guard = Guard(connect_to=job["connect_to"])
    fetcher = Fetcher(guard, ca_file=job["ca_file"], limit=AT_ONCE)

    async def one(number: int, url: str, headers: dict[str, str], cookies: dict[str, str]) -> int:
        path = folder / f"{number}.mp4"
        fetched = await fetcher.to_file(url, path, headers=headers, cookies=cookies, max_bytes=1 << 30)
        await fetched.part.commit(path)
        return fetched.bytes

    files = enumerate(job["files"])
    try:
        return sum(await asyncio.gather(*(one(number, *file) for number, file in files)))
    finally:
        await fetcher.close()


def main() -> None:
    """Prints bytes, CPU seconds of the work itself and wall seconds as JSON."""
    job, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    before, started = _cpu(), time.perf_counter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        total = runner.run(fetch_all(job, folder))
    print(json.dumps({"bytes": total, "cpu": _cpu() - before, "wall": time.perf_counter() - started}))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
