"""Sizes and times in words that people read."""

from __future__ import annotations


def size_words(size: int | None) -> str:
    """Bytes as "2.95 MB" (powers of 1000); "" when unknown."""
    if size is None:
        return ""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} B" if unit == "B" else f"{value:.2f} {unit}"
