"""Figures as ClipX's `format=true` writes them; each function takes the plain value and gives text."""

from __future__ import annotations

from datetime import UTC, datetime

_COUNT_UNITS = ((1_000, "K"), (1_000_000, "M"), (1_000_000_000, "B"))
_SIZE_UNITS = ("B", "KB", "MB", "GB", "TB")


def count(number: int) -> str:
    """1234 -> "1.2K", 1500000 -> "1.5M", 2000 -> "2K"; half a tenth goes up, as toFixed(1) has it."""
    if number < 1000:
        return str(number)
    rounded = ((_tenths(number, unit), letter) for unit, letter in _COUNT_UNITS)
    tenths, letter = next(((tenths, letter) for tenths, letter in rounded if tenths < 10_000 or letter == "B"))
    whole, tenth = divmod(tenths, 10)
    return f"{whole}.{tenth}{letter}" if tenth else f"{whole}{letter}"


def _tenths(number: int, unit: int) -> int:
    return (number * 10 + unit // 2) // unit


def clock(seconds: float) -> str:
    """15 -> "0:00:15"."""
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}"


def date(unix: int) -> str:
    """Unix seconds -> "YYYY-MM-DD HH:MM:SS", UTC."""
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M:%S")


def size(number: int) -> str:
    """3093299 -> "2.95 MB"; units of 1024, two decimals, bytes whole."""
    value, unit = float(number), 0
    while value >= 1023.995 and unit < len(_SIZE_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.2f} {_SIZE_UNITS[unit]}" if unit else f"{number} B"
