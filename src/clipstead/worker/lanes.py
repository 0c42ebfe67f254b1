"""How much of which work one machine does at a time."""

from __future__ import annotations

import os
import sys


def default_lanes(cores: int | None = None) -> dict[str, int]:
    """Hands for each lane: an encode keeps two cores busy, copies, images and sound are short, downloads wait."""
    cores = cores or _cores()
    return {"video": max(1, cores // 2), "light": max(2, cores), "download": 4}


def _cores() -> int:
    """Those that we may use; a container often has fewer than the machine."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
