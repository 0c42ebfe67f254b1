"""Sizes, times and strangers' texts as people read them."""

from __future__ import annotations

from datetime import datetime


def printable(text: str) -> str:
    """On one line, with blanks for what would command a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def when(moment: datetime | None) -> str:
    """A moment as people read it; "" for none."""
    return moment.strftime("%Y-%m-%d %H:%M UTC") if moment else ""


def duration_words(seconds: float) -> str:
    """A span of time as people say it: "40 s", "12 min", "3.5 h", "2.1 days"."""
    for size, unit in ((86_400, "days"), (3_600, "h")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


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
