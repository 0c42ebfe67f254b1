"""What somebody gave to `archive add` or to another command of the archive: files, posts, days, options."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clipstead.archive import layout
from clipstead.errors import InvalidParams, UnsupportedLink
from clipstead.resolve import links
from clipstead.resolve.sources import PUBLISH_TIMES, SORT_ORDERS

_REGION = re.compile(r"[A-Za-z]{2}")
_OWN_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_LONGEST_LINE = 8192


def as_file(text: str) -> Path | None:
    """The file of that name, unless the text means something else already."""
    if text == "-" or len(text) > _LONGEST_LINE or "\x00" in text:
        return None
    try:
        path = Path(text)
        return path if path.is_file() or path.is_fifo() else None
    except OSError:
        return None


def lines_of(path: Path | None) -> Iterator[str]:
    """The lines of a file, or of standard input, without blank ones and comments: `# words`, but `#tag` is a tag."""
    try:
        if path is None:
            yield from filter(_counts, map(_line, sys.stdin.buffer if sys.stdin else ()))
        else:
            with path.open("rb") as file:
                yield from filter(_counts, map(_line, file))
    except OSError as error:
        raise InvalidParams({"SOURCE": f"{path or '-'} cannot be read: {error.strerror}"}) from None


def _line(line: bytes) -> str:
    return line.decode("utf-8-sig", "replace").strip()[: _LONGEST_LINE + 1]


def _counts(line: str) -> bool:
    return bool(line) and not (line[0] == "#" and (len(line.split()) > 1 or len(line) == 1))


def post_id_of(text: str) -> str:
    """The ledger's id of what is given as an id or a link. Raises InvalidParams."""
    try:
        return layout.post_id(links.parse(text))
    except UnsupportedLink:
        if _OWN_ID.fullmatch(text):
            return text
    raise InvalidParams({"POST": f"must be a post's id or a link to one, and {text[:80]!r} is neither"})


@contextmanager
def in_options(**options: str) -> Iterator[None]:
    """Errors about the archive's parameters name the options that they were given by."""
    try:
        yield
    except InvalidParams as error:
        raise InvalidParams({options.get(name, name): rule for name, rule in error.fields.items()}) from None


def check_terms(region: str, publish_time: int, sort_by: int) -> None:
    """Raises InvalidParams for options that mean nothing."""
    wrong = {}
    if region and not _REGION.fullmatch(region):
        wrong["--region"] = "must be a country code of two letters"
    if publish_time not in PUBLISH_TIMES:
        wrong["--publish-time"] = f"must be one of {', '.join(map(str, PUBLISH_TIMES))}"
    if sort_by not in SORT_ORDERS:
        wrong["--sort-by"] = f"must be one of {', '.join(map(str, SORT_ORDERS))}"
    if wrong:
        raise InvalidParams(wrong)


def seconds_of(days: str) -> float:
    """An age as it is typed, in days; "" is 0. Raises InvalidParams."""
    if not days:
        return 0.0
    if re.fullmatch(r"[0-9]{1,5}(?:\.[0-9]{1,6})?", days):
        return float(days) * 86_400
    raise InvalidParams({"--older-than": "must be a number of days"})
