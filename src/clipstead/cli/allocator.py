"""The C library's allocator, told to keep what a process that moves files will want again in a moment."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's numbers for mallopt
_KEPT = 32 * 1024**2  # bytes that may lie free before any go back
_LARGE = 4 * 1024**2  # what is larger comes from the system, and goes back to it, by itself


def keep_memory() -> None:
    """Pieces of a file are taken and given back thousands of times a second: without this glibc returns their pages to
    the system each time, and takes them again, zeroed, which costs an upload 8 % of its CPU. Only glibc knows it.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_TRIM_THRESHOLD, _KEPT)
            mallopt(_MMAP_THRESHOLD, _LARGE)
