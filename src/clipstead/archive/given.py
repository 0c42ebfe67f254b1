"""What somebody gives to be kept: a source, or a link to a post; understood without asking anybody. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from clipstead.archive import layout
from clipstead.errors import InvalidParams, UnsupportedLink
from clipstead.model import Link, LinkKind, Source, SourceKind
from clipstead.resolve import links
from clipstead.resolve.sources import parse_source, spec

_YEARS = range(2000, 2200)
_LONGEST_SPEC = 1000  # bytes; sources are found by an index, whose lines end at 2.7 kB


def moment_of(text: str) -> datetime | None:
    """`since` as somebody writes it: a day, or a moment of ISO 8601, in UTC unless it says otherwise; "" is None.
    Raises InvalidParams, also for times in which nobody has posted anything.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min
    if moment.year not in _YEARS:
        raise InvalidParams({"since": "must be a day like 2026-05-29, or a moment"})
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def understood(text: str) -> Source | Link:
    """A source, or a link to a post (a short one may turn out to lead to either). Raises UnsupportedLink."""
    try:
        return _source(text)
    except UnsupportedLink as error:
        try:
            link = links.parse(text)
        except UnsupportedLink:
            raise error from None
        if link.kind is LinkKind.SHORT:
            return link
        if link.kind is not LinkKind.POST:
            raise
        layout.post_id(link)
        return link


def source_of(link: Link) -> Source | Link:
    """What a short link has turned out to lead to. Raises UnsupportedLink."""
    return link if link.kind is LinkKind.POST else _source(link.url)


def _source(text: str) -> Source:
    source = parse_source(text)
    if len(spec(source).encode()) > _LONGEST_SPEC:
        raise UnsupportedLink("The link is too long for a source")
    return source


def is_short(given: Source | Link) -> bool:
    """Whether somebody has to be asked what it leads to."""
    return isinstance(given, Link) and given.kind is LinkKind.SHORT


def narrowed(source: Source, region: str, publish_time: int, sort_by: int) -> Source:
    """With what narrows a search or a tag, as far as it can be narrowed; "" and 0 leave it as it is."""
    if source.kind is SourceKind.SEARCH:
        return replace(
            source,
            region=region.upper() or source.region,
            publish_time=publish_time or source.publish_time,
            sort_by=sort_by or source.sort_by,
        )
    return replace(source, region=region.upper() or source.region) if source.kind is SourceKind.TAG else source
