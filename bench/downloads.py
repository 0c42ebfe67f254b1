"""200 files of 2 MB, 16 at a time, against `curl --parallel` on the same addresses, in turn, by CPU seconds a GB."""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from bench.processes import python
from bench.stage import Stage, world
from clipstead.app import open_app
from clipstead.model import MediaKind
from clipstead.settings import load

ROUNDS = 5
FILES = 200
FILE_BYTES = 2_000_000
T = TypeVar("T")


async def resolve_all(stage: Stage, links: list[str]) -> dict[str, Any]:
    """Addresses, headers and cookies of the best variant of each post."""
    settings = load(
        data_dir=stage.folder / "data",
        connect_to=tuple(stage.environment["CLIPSTEAD_CONNECT_TO"].split(",")),
        ca_file=stage.environment["CLIPSTEAD_CA_FILE"],
    )
    files = []
    async with open_app(settings) as app:
        for link in links:
            best = (await app.resolver.resolve(link)).post.of_kind(MediaKind.VIDEO)[0]
            files.append((best.url, dict(best.headers), dict(best.cookies)))
    return {"files": files, "connect_to": settings.connect_to, "ca_file": settings.ca_file}


def ours(listing: Path, folder: Path) -> tuple[float, float]:
    """CPU seconds a GB of our downloader: of the work, and of the whole process with its imports."""
    before = _children()
    run = subprocess.run([python(), "-m", "bench.fetch", listing, folder], check=True, capture_output=True, text=True)
    told = json.loads(run.stdout)
    return told["cpu"] / told["bytes"] * 1e9, (_children() - before) / told["bytes"] * 1e9


def curl(config: Path, folder: Path) -> float:
    """CPU seconds a GB of curl, all in."""
    before = _children()
    subprocess.run(["curl", "-K", str(config)], cwd=folder, check=True)
    written = sum(path.stat().st_size for path in folder.iterdir())
    if written != FILES * FILE_BYTES:
        raise RuntimeError(f"curl wrote {written} bytes")
    return (_children() - before) / (written / 1e9)


def curl_config(job: dict[str, Any]) -> str:
    """One config file; HTTP/1.1, no retries, the same headers and cookies as ours."""
    blocks = []
    for number, (url, headers, cookies) in enumerate(job["files"]):
        block = [f'url = "{url}"', f'output = "{number}.mp4"', "fail", "http1.1", f'cacert = "{job["ca_file"]}"']
        block += [f'connect-to = "{host}:443:{rest}"' for host, rest in hosts(job)]
        block += [f'header = "{name}: {value}"' for name, value in headers.items()]
        block.append(f'header = "Cookie: {"; ".join(f"{name}={value}" for name, value in cookies.items())}"')
        blocks.append("\n".join(block))
    return "parallel\nparallel-max = 16\nno-progress-meter\n" + "\nnext\n".join(blocks)


def hosts(job: dict[str, Any]) -> list[tuple[str, str]]:
    """curl knows no wildcards: each host by its name."""
    names = {url.split("/")[2] for url, _, _ in job["files"]}
    port = next(entry for entry in job["connect_to"] if entry.startswith("*.tiktok.com:443:")).rsplit(":", 1)[1]
    return [(name, f"127.0.0.1:{port}") for name in sorted(names)]


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return float(used.ru_utime + used.ru_stime)


def main() -> None:
    """In turn, each into an empty folder; prints medians and the ratio of each round."""
    with world(posts=FILES + FILES // 4, video_bytes=FILE_BYTES) as stage:
        links = json.loads(subprocess.run([python(), "-c", _LINKS, str(FILES)], check=True, capture_output=True).stdout)
        job = asyncio.run(resolve_all(stage, links))
        listing, config = stage.folder / "list.json", stage.folder / "curl.txt"
        listing.write_text(json.dumps(job))
        config.write_text(curl_config(job))
        _in_empty(ours, listing, stage)
        rounds = [(*_in_empty(ours, listing, stage), _in_empty(curl, config, stage)) for _ in range(ROUNDS)]
    work, whole, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = sorted(mine / other for mine, _, other in rounds)
    wholes = sorted(mine / other for _, mine, other in rounds)
    print(f"{FILES} files of {FILE_BYTES / 1e6:g} MB over TLS, 16 at a time, {ROUNDS} rounds")
    print(f"clipstead  {work:.2f} CPU-s/GB, each file durable; {whole:.2f} with starting Python and its imports")
    print(f"curl       {theirs:.2f} CPU-s/GB, all in")
    print(f"ratio      median {statistics.median(ratios):.2f}, {ratios[0]:.2f} to {ratios[-1]:.2f}")
    print(f"whole      median {statistics.median(wholes):.2f}, {wholes[0]:.2f} to {wholes[-1]:.2f}")


_LINKS = """
import json, sys
from clipstead.practice import World
catalog = World(posts=int(sys.argv[1]) * 5 // 4).posts
print(json.dumps([post.url for post in catalog.of_kind("video")][: int(sys.argv[1])]))
"""


def _in_empty(measure: Callable[[Path, Path], T], listing: Path, stage: Stage) -> T:
    folder = stage.folder / "files"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return measure(listing, folder)


if __name__ == "__main__":
    main()
