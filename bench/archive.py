"""200 videos of 2 MB captured by one process, everything durable, beside the practice world; then by its peers."""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench.processes import python
from bench.stage import Stage, world
from clipstead.practice import World

VIDEOS = 200
VIDEO_BYTES = 2_000_000
ROUNDS = 5
LEDGERS = (1_000, 1_000_000)
_POSTS = VIDEOS * 3 // 2


def ours(stage: Stage, listing: Path, rows: int = 0) -> dict[str, float]:
    """One round with an empty store, and so many rows in the ledger before.

    In a folder of its own that goes at the very end: for minutes ext4 passes over the inodes of removed files, one by
    one, whenever somebody makes a new one.
    """
    data = Path(tempfile.mkdtemp(dir=stage.folder))
    environment = {
        **stage.environment,
        "CLIPSTEAD_DATA_DIR": str(data),
        "CLIPSTEAD_ARCHIVE_API_PER_MINUTE": "0",
        "CLIPSTEAD_ARCHIVE_API_CONCURRENT": "12",  # pages of this world are no strain on anybody
        "CLIPSTEAD_LOG_LEVEL": "error",
    }
    command = [python(), "-m", "bench.archive_child", str(listing), str(rows)]
    run = subprocess.run(command, env=os.environ | environment, check=True, capture_output=True, text=True)
    forget(data)
    return dict(json.loads(run.stdout))


def forget(folder: Path) -> None:
    """The memory that holds files which nobody will read is free again for the next round.

    Memory that was never used costs a virtual machine several times as much to fill.
    """
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def peer(stage: Stage, module: str, target: str, *arguments: str) -> tuple[float, float]:
    """Another downloader over the same links, one process as ours: wall and CPU seconds, all in; `target` is its
    option for the folder."""
    folder = stage.folder / module
    route = next(each for each in stage.environment["CLIPSTEAD_CONNECT_TO"].split(",") if ":443:" in each)
    authority = stage.environment["CLIPSTEAD_CA_FILE"]
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), authority)
    command = [python(), "-m", "bench.peer_child", route.rpartition(":")[2], module, target, str(folder), *arguments]
    before, began = _children(), time.perf_counter()
    subprocess.run(command, env=os.environ | trust, capture_output=True)
    wall, used = time.perf_counter() - began, _children() - before
    found = [path for path in folder.rglob("*.mp4") if path.stat().st_size > VIDEO_BYTES // 4]
    os.sync()  # what is not on the disk yet cannot be forgotten
    forget(folder)
    if len(found) < VIDEOS:
        raise RuntimeError(f"{module} got {len(found)} of {VIDEOS}")
    return wall, used


def peers(stage: Stage, links: Path) -> Mapping[str, tuple[float, float]]:
    """Those that are installed."""
    trusted = stage.environment["CLIPSTEAD_CA_FILE"]
    quiet = ("--ignore-config", "--no-cache-dir", "--quiet", "--no-warnings", "--compat-options", "no-certifi")
    return {
        "yt-dlp": peer(stage, "yt_dlp", "-P", *quiet, "-o", "%(id)s.%(ext)s", "-a", str(links)),
        "gallery-dl": peer(
            stage, "gallery_dl", "-D", "--config-ignore", "-q", "-o", f"verify={trusted}", "-i", str(links)
        ),
    }


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def by_ledger(stage: Stage, listing: Path) -> None:
    """What a video costs with a small ledger and with a large one, in turn."""
    pairs = [[ours(stage, listing, rows)["cpu"] / VIDEOS * 100 for rows in LEDGERS] for _ in range(ROUNDS)]
    ratios = sorted(large / small for small, large in pairs)
    for rows, column in zip(LEDGERS, zip(*pairs, strict=True), strict=True):
        print(f"{rows} rows in the ledger: {statistics.median(column):.2f} CPU-s per 100 videos")
    print(f"ratio       median {statistics.median(ratios):.2f}, {ratios[0]:.2f} to {ratios[-1]:.2f}")


def main(arguments: list[str] | None = None) -> None:
    """Prints the figures; the median of the rounds, the lowest and the highest."""
    parser = argparse.ArgumentParser(prog="python -m bench.archive", description=__doc__)
    parser.add_argument("--ledger", action="store_true", help="instead: the cost with small and large ledgers")
    options = parser.parse_args(arguments or [])
    found = [post.url for post in World(posts=_POSTS).posts if post.kind == "video"][:VIDEOS]
    with world(posts=_POSTS, video_bytes=VIDEO_BYTES) as stage:
        listing, lines = stage.folder / "links.json", stage.folder / "links.txt"
        listing.write_text(json.dumps(found))
        lines.write_text("\n".join(found) + "\n")
        if options.ledger:
            return by_ledger(stage, listing)
        rounds = [ours(stage, listing) for _ in range(ROUNDS)]
        others = peers(stage, lines)
    return tell(rounds, others)


def tell(rounds: list[dict[str, float]], others: Mapping[str, tuple[float, float]]) -> None:
    """The figures side by side."""
    rates = sorted(VIDEOS / each["wall"] for each in rounds)
    costs = sorted(each["cpu"] / VIDEOS * 100 for each in rounds)
    memory = max(each["memory"] for each in rounds)
    load = os.getloadavg()[0]
    rate, cost = statistics.median(rates), statistics.median(costs)
    print(f"{VIDEOS} videos of {VIDEO_BYTES / 1e6:g} MB from their pages, {ROUNDS} rounds, load {load:.1f}")
    print(f"clipstead   {rate:.0f} videos/s ({rates[0]:.0f} to {rates[-1]:.0f}), {memory:.0f} MB")
    print(f"clipstead   {cost:.2f} CPU-s per 100 videos ({costs[0]:.2f} to {costs[-1]:.2f})")
    for name, (wall, used) in others.items():
        print(
            f"{name:<11} {VIDEOS / wall:.0f} videos/s, {used / VIDEOS * 100:.2f} CPU-s per 100 videos, nothing synced"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
