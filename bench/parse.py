"""How long a recorded TikTok page takes from its bytes to a Post: `python -m bench.parse`; medians in milliseconds."""

import statistics
import timeit
from functools import partial
from pathlib import Path

from clipstead.model import Link
from clipstead.resolve.providers.tiktok_web import parse

RUNS = 400
PAGES = Path(__file__).resolve().parents[1].parent / "shared" / "samples" / "tiktok"
BAR = 0.5


def main() -> None:
    """One line a page; the bar is for a page of 300 KB."""
    pages = sorted(PAGES.glob("*_7*.html"))
    if not pages:
        print(f"no recorded pages in {PAGES.name}: nothing to measure")
    for page in pages:
        body = page.read_bytes()
        link = Link("tiktok", "", page.stem.rpartition("_")[2])
        times = timeit.repeat(partial(parse, body, link), number=1, repeat=RUNS)
        median = statistics.median(times) * 1000
        print(f"{page.name:60} {len(body) / 1000:6.0f} KB  {median:.3f} ms  (bar: {BAR} ms, {RUNS} runs)")


if __name__ == "__main__":
    main()
