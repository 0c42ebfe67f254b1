"""How long things are kept, as the operator writes it: `days=365 @alice=30 #ads=7 @bob=forever dead=90`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from clipstead.archive import words

DEAD_DAYS = 365
"""For dead letters, unless a rule says otherwise; the ledger remembers their reasons for good."""

_RULE = re.compile(r"(?P<who>days|dead|@[^\s=,]{1,100}|#[^\s=,]{1,200})=(?P<days>0*[1-9][0-9]{0,4}|forever)")


@dataclass(frozen=True, slots=True)
class Retention:
    """Days from the capture; None is forever, `days` for what no other rule names, `dead` for dead letters.

    An author's rule goes before those of tags, and among several tags the longest time wins. Handles are in lower
    case, tags folded as the catalog folds them.
    """

    days: int | None = None
    authors: Mapping[str, int | None] = field(default_factory=dict)
    tags: Mapping[str, int | None] = field(default_factory=dict)
    dead: int | None = DEAD_DAYS


def parse_retention(rules: Iterable[str]) -> Retention:
    """What the rules say; ValueError, in words for the operator, for what is none."""
    general: dict[str, int | None] = {}
    authors: dict[str, int | None] = {}
    tags: dict[str, int | None] = {}
    for rule in rules:
        match = _RULE.fullmatch(rule)
        if match is None:
            raise ValueError("must be rules like days=365 @author=30 #tag=7 @author=forever dead=90, of 1 day at least")
        who, days = match["who"], None if match["days"] == "forever" else int(match["days"])
        if who[0] == "@":
            authors[who[1:].lower()] = days
        elif who[0] == "#":
            tags[words.fold(who[1:])] = days
        else:
            general[who] = days
    return Retention(general.get("days"), authors, tags, general.get("dead", DEAD_DAYS))
