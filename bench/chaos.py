"""`make chaos`: workers that capture are killed all the time; then every post, object and call is accounted for."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.stage import Stage, world
from clipstead.archive.layout import place_of
from clipstead.archive.waiting import waiting
from clipstead.cli.archive_shelves import Shelves, open_shelves
from clipstead.practice import World
from clipstead.resolve.sources import parse_source
from clipstead.settings import load

WORKERS = 3
FATES = {"deleted": 40, "private": 60, "region": 150}  # one post in so many
_COMMAND = [sys.executable, "-c", "from clipstead.cli import main; main()", "archive", "run", "--one"]
_FIGURES = """
SELECT (SELECT count(*) FROM archive_queue) AS wanted,
       (SELECT count(*) FROM archive_queue WHERE state = 'done') AS done,
       (SELECT count(*) FROM archive_queue WHERE state NOT IN ('done', 'dead')) AS open,
       (SELECT count(*) FROM posts) AS posts,
       (SELECT count(DISTINCT storage_key) FROM posts) AS places,
       (SELECT count(*) FROM post_metrics_history) AS metrics,
       (SELECT count(*) FROM archive_queue WHERE attempts > 1) AS again
"""


@dataclass
class Account:
    """What came of it; `faults` are sentences, and none is what we want."""

    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def note(self, line: str, *, good: bool = True) -> None:
        """A line, and whether it is as it should be."""
        self.lines.append(f"{'ok ' if good else 'BAD'} {line}")
        if not good:
            self.faults.append(line)


class Switchboard:
    """The world's own, over HTTP."""

    def __init__(self, stage: Stage) -> None:
        route = next(each for each in stage.environment["CLIPSTEAD_CONNECT_TO"].split(",") if ":80:" in each)
        self._address = "http://" + route.split(":80:")[1]

    def ask(self, command: str, **query: str) -> Any:
        """What it answers."""
        address = f"{self._address}/_/{command}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=30) as reply:
            return json.loads(reply.read())


class Workers:
    """Worker processes: killed one by one, and started again."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = {**os.environ, **environment}
        self._log = log.open("ab")
        self._running: list[subprocess.Popen[bytes]] = []
        self.killed = 0

    def start(self) -> None:
        """One more."""
        command = [*_COMMAND, "--parent", str(os.getpid())]
        self._running.append(subprocess.Popen(command, env=self._environment, stdout=self._log, stderr=self._log))

    def kill(self, dice: random.Random) -> None:
        """SIGKILL for any of them but the youngest, which may still be starting; and another in its place."""
        one = self._running.pop(dice.randrange(len(self._running) - 1))
        if one.poll() is None:
            self.killed += 1
        one.kill()
        one.wait()
        self.start()

    def mend(self) -> None:
        """Another for each that has ended by itself."""
        for one in [each for each in self._running if each.poll() is not None]:
            self._running.remove(one)
            self.start()

    def stop(self) -> None:
        """All of them, gently."""
        for one in self._running:
            one.terminate()
        for one in self._running:
            one.wait(40)
        self._log.close()


@contextmanager
def settings_of(stage: Stage, **more: str) -> Iterator[dict[str, str]]:
    """The environment of all processes; ours as well for a while."""
    environment = {
        **stage.environment,
        "CLIPSTEAD_DATA_DIR": str(stage.folder / "data"),
        "CLIPSTEAD_ARCHIVE_API_PER_MINUTE": "0",
        "CLIPSTEAD_PROVIDERS": "tiktok_web",
        "CLIPSTEAD_LOG_LEVEL": "error",
        **more,
    }
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield environment
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def fates_of(posts: int) -> tuple[list[str], dict[str, str]]:
    """The ids of the world's posts, and what shall be wrong with some of them."""
    ids = [post.id for post in World(posts=posts).posts]
    wrong: dict[str, str] = {}
    for number, (fate, share) in enumerate(FATES.items()):
        wrong |= {post_id: fate for post_id in ids[number::share] if post_id not in wrong}
    return ids, wrong


async def rampage(shelves: Shelves, workers: Workers, posts: int, kills: int, dice: random.Random) -> float:
    """Kill all along the way, at random points of it, then let them finish; seconds."""
    began = time.perf_counter()
    points = sorted(dice.randrange(posts * 19 // 20) for _ in range(kills))
    while await waiting(shelves.database):
        done = await _done(shelves)
        while points and done >= points[0]:
            points.pop(0)
            await asyncio.sleep(dice.uniform(0, 0.3))
            workers.kill(dice)
        workers.mend()
        await asyncio.sleep(0.05)
    return time.perf_counter() - began


async def _done(shelves: Shelves) -> int:
    async with shelves.database.each() as connection:
        done = await connection.scalar(text("SELECT count(*) FROM archive_queue WHERE state = 'done'"))
    return int(done or 0)


async def accounted(shelves: Shelves, stage: Stage, ids: list[str], wrong: dict[str, str], kills: int) -> Account:
    """Everything against everything."""
    account = Account()
    async with shelves.database.each() as connection:
        found = dict((await connection.execute(text(_FIGURES))).mappings().one())
        letters = {row.aweme_id: row.reason for row in await connection.execute(text("SELECT * FROM dead_letters"))}
        captured = set(await connection.scalars(text("SELECT aweme_id FROM posts")))
        keys = Counter(await connection.scalars(text("SELECT key FROM post_files")))
    good = set(ids) - wrong.keys()
    account.note(f"{found['wanted']} posts wanted, {found['open']} still open", good=found["open"] == 0)
    account.note(f"{len(good - captured)} of {len(good)} lost", good=not good - captured)
    account.note(f"{len(captured - good)} captured that should not be", good=not captured - good)
    account.note(f"dead letters: {dict(Counter(letters.values()))}", good=letters == wrong)
    once = found["posts"] == found["places"] == found["metrics"] == found["done"] == len(good)
    account.note(f"{found['posts']} rows of posts, {found['metrics']} of metrics, {found['places']} places", good=once)
    await _objects(shelves, keys, captured, account)
    asked = Switchboard(stage).ask("requests")["total"]
    calls = asked.get("page", 0)
    extra = calls - len(ids)
    account.note(f"{calls} calls for {len(ids)} posts: {extra} extra, {kills} kills", good=extra <= kills)
    account.note(f"{found['again']} posts were begun again; lists: {asked.get('list', 0)} calls")
    return account


async def _objects(shelves: Shelves, keys: Counter[str], captured: set[str], account: Account) -> None:
    there = [listed.key async for listed in shelves.store.keys("")]
    places = [(key, place_of(key)) for key in there]
    sidecars = Counter(place.post_id for _, place in places if place and place.role == "sidecar")
    files = {key for key, place in places if place and place.role in ("file", "cover")}
    strays = [key for key, place in places if place is None]
    account.note(f"{len(there)} objects: {len(files)} files, {sum(sidecars.values())} sidecars, {len(strays)} strays")
    account.note(f"{len(keys.keys() - files)} files missing, {len(files - keys.keys())} that no row names",
                 good=files == keys.keys() and not strays)  # fmt: skip
    single = sidecars.keys() == captured and set(sidecars.values()) <= {1} and set(keys.values()) <= {1}
    account.note("one sidecar a post, one row a file", good=single)


def verified(account: Account) -> None:
    """The command's own word, every byte read again."""
    run = subprocess.run([*_COMMAND[:3], "archive", "verify", "--read-data"], capture_output=True, text=True)
    last = (run.stdout.strip() or run.stderr.strip() or "nothing said").splitlines()[-1]
    account.note(f"archive verify --read-data: {last}", good=run.returncode == 0)


async def play(stage: Stage, options: argparse.Namespace, environment: dict[str, str]) -> Account:
    """Sources added, workers let loose and killed, everything accounted for."""
    ids, wrong = fates_of(options.posts)
    board = Switchboard(stage)
    for post_id, fate in wrong.items():
        board.ask("fault", post=post_id, name=fate)
    dice = random.Random(options.seed)
    async with open_shelves(load()) as shelves:
        for user in World(posts=options.posts).users:
            await shelves.sources.add(parse_source(f"@{user.username}"))
        workers = Workers(environment, stage.folder / "workers.log")
        try:
            for _ in range(WORKERS):
                workers.start()
            seconds = await rampage(shelves, workers, options.posts, options.kills, dice)
        finally:
            workers.stop()
        print(f"{options.posts} posts, {workers.killed} kills, {seconds:.0f} s")
        account = await accounted(shelves, stage, ids, wrong, workers.killed)
        account.note(f"{workers.killed} of {options.kills} kills", good=workers.killed == options.kills)
        await asyncio.to_thread(verified, account)
    return account


def main(arguments: list[str] | None = None) -> int:
    """Prints the account; 1 if anything is wrong with it."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--posts", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--video-bytes", type=int, default=200_000)
    # What is under way when the kill comes is lost, and one call is what a kill may cost.
    parser.add_argument("--calls", type=int, default=1, help="calls under way, times the number of workers")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args(arguments)
    print(f"seed {options.seed}", flush=True)
    with (
        world(posts=options.posts, video_bytes=options.video_bytes) as stage,
        settings_of(stage, CLIPSTEAD_ARCHIVE_API_CONCURRENT=str(options.calls * WORKERS)) as environment,
    ):
        account = asyncio.run(play(stage, options, environment))
        log = (stage.folder / "workers.log").read_text()
    print("\n".join(account.lines))
    if account.faults:
        print(log[-4000:])
    return 1 if account.faults else 0


if __name__ == "__main__":
    sys.exit(main())
