"""Byte ranges, one at a time: what a client asks for, and may have already, and what an upstream says it sent."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE | re.ASCII)
_CONTENT_RANGE = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18})\s*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `last`, both included; `last` None = to the end."""

    start: int
    last: int | None


@dataclass(frozen=True, slots=True)
class Sent:
    """What a 206 carries: bytes `start` to `last` of `total`."""

    start: int
    last: int
    total: int


class Unsatisfiable(ValueError):
    """A well-formed range that lies wholly beyond the file."""


def asked(header: str | None, size: int | None) -> Span | None:
    """The one range asked for, or None: no header, several ranges and nonsense are answered in full (RFC 9110).

    `size` is the file's in bytes where known: it turns `-500` into a span, which without it is answered in full.
    """
    match = _ONE_RANGE.fullmatch(header) if header and len(header) <= 100 else None
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if not first:
        return _tail(int(last), size)
    span = Span(int(first), int(last) if last else None)
    if span.last is not None and span.last < span.start:
        return None
    if size is None:
        return span
    if span.start >= size:
        raise Unsatisfiable
    return Span(span.start, min(size - 1, span.last if span.last is not None else size - 1))


def _tail(length: int, size: int | None) -> Span | None:
    if size is None:
        return None
    if length == 0 or size == 0:
        raise Unsatisfiable
    return Span(max(0, size - length), size - 1)


def sent(content_range: str | None) -> Sent | None:
    """What a Content-Range header says, or None where it says nothing usable."""
    match = _CONTENT_RANGE.fullmatch(content_range.strip()) if content_range else None
    if match is None:
        return None
    start, last, total = (int(number) for number in match.groups())
    return Sent(start, last, total) if start <= last < total else None


def has_already(if_none_match: str | None, tag: str) -> bool:
    """Whether a client's If-None-Match names `tag`, the strong tag of what there is."""
    known = [each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")[:64]]
    return tag in known or known == ["*"]
