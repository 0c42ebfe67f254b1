"""DASH manifests made plain and bounded before yt-dlp reads them, and the pieces it found told as one HLS playlist.

Part of the child process, where nothing of ours is imported. In HLS's words, one reader downstairs reads both.
"""

import base64
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

MOST_PIECES = 50_000
"""Of one stream; ten times as many of a whole manifest, whose streams are all listed at once."""

_PACKED = "packed_playlist"  # yt-dlp's own "playlist" is the name of a list
_MARK = "#bytes="  # how a range travels through yt-dlp, which has no other place for one
_OWN = ("format_id", "fragments", "manifest_stream_number")
_RANGE = re.compile(r"(\d{1,15})-(\d{1,15})")


class TooMuch(Exception):
    """The manifest lists more pieces than anybody should count."""


def install(extractor: Any, refusal: Callable[[str], Exception], seconds: Callable[[str | None], float | None]) -> None:
    """Have `extractor` (yt-dlp's InfoExtractor) read tidied manifests; `seconds` reads a duration as they write it."""
    read = extractor._parse_mpd_periods

    def parse(self: Any, document: Element, *args: Any, **options: Any) -> Iterator[dict[str, Any]]:
        try:
            tidy(document, seconds)
        except (TooMuch, ValueError, OverflowError) as error:
            raise refusal(str(error) or "A manifest that cannot be read") from None
        live, lasts = document.get("type") == "dynamic", seconds(document.get("mediaPresentationDuration"))
        several = sum(1 for _ in _named(document, "Period")) > 1
        for number, period in enumerate(read(self, document, *args, **options)):
            if several:
                for each in period["formats"]:
                    _join_up(each, breaks=number > 0)
            _mark(period["formats"], lasts, live=live)
            yield period

    extractor._parse_mpd_periods = parse


def _mark(formats: list[dict[str, Any]], lasts: float | None, *, live: bool) -> None:
    """How long they last, and whether they are live; and which is the second of two that yt-dlp takes for alike.

    It strings streams together that are alike, meaning those of several periods: two of one period are two streams.
    """
    alike: Counter[tuple[Any, ...]] = Counter()
    for each in formats:
        each |= {"lasts": lasts, "is_live": live}
        likeness = tuple(value for name, value in each.items() if name not in _OWN)
        each["double"] = alike[likeness]
        alike[likeness] += 1


def _join_up(this: dict[str, Any], *, breaks: bool) -> None:
    """Have yt-dlp string the parts of a stream together, whatever their folders, and files that are whole, too."""
    base = this.get("fragment_base_url") or this["url"]
    if not this.get("fragments"):
        this |= {
            "fragments": [{"url": base}],
            "protocol": "http_dash_segments",
            "url": this.get("manifest_url") or base,
        }
    for each in this["fragments"]:
        each["url"] = urljoin(base, each.pop("path", "") or each.get("url") or "")
    this["fragment_base_url"] = ""
    if breaks:
        this["fragments"][0]["breaks"] = True


def tidy(document: Element, seconds: Callable[[str | None], float | None]) -> None:
    """Say in plain words what yt-dlp reads wrongly: repeats without a number, and ranges of one file.

    Raises TooMuch, ValueError.
    """
    whole = seconds(document.get("mediaPresentationDuration"))
    listed = 0
    periods = list(_named(document, "Period"))
    for period, following in zip(periods, [*periods[1:], None], strict=True):
        ends = whole if following is None else seconds(following.get("start"))
        if not period.get("duration") and ends is not None:
            period.set("duration", f"PT{max(0.0, ends - (seconds(period.get('start')) or 0.0))}S")
        length = seconds(period.get("duration")) or whole or 0.0
        for inherited, told in _streams(period):
            listed += _of_one(inherited, told, length)
            if listed > 10 * MOST_PIECES:
                raise TooMuch("A stream of too many pieces")


def _streams(period: Element) -> Iterator[tuple[list[Element], Element | None]]:
    """For each representation what is said of its pieces, from the period's words to its own, and the last of them."""
    for group in _named(period, "AdaptationSet"):
        for stream in _named(group, "Representation"):
            told = [each for level in (period, group, stream) for each in _pieces_of(level)]
            yield told, told[-1] if told else None


def _pieces_of(level: Element) -> Iterable[Element]:
    return (each for name in ("SegmentList", "SegmentTemplate") for each in _named(level, name))


def _of_one(inherited: list[Element], told: Element | None, length: float) -> int:
    """How many pieces one representation has, its words made plain on the way."""
    if told is None:
        return 0
    scale = int(_last(inherited, "timescale") or 1) or 1
    begins = int(_last(inherited, "presentationTimeOffset") or 0)
    count = 0
    for each in inherited:
        for timeline in _named(each, "SegmentTimeline"):
            count = _repeats(list(_named(timeline, "S")), begins + length * scale)
        _ranges(each)
        count = max(count, sum(1 for _ in _named(each, "SegmentURL")))
    ticks = float(_last(inherited, "duration") or 0)
    if not count and ticks > 0:
        count = math.ceil(min(length * scale / ticks, MOST_PIECES + 1))
    if count > MOST_PIECES:
        raise TooMuch("A stream of too many pieces")
    return count


def _repeats(line: list[Element], end: float) -> int:
    """How many pieces a timeline has; a repeat "until something else begins" gets its number."""
    time, count = 0, 0
    for each, following in zip(line, [*line[1:], None], strict=True):
        time = int(each.get("t") or time)
        ticks, again = int(each.attrib.get("d") or 0), int(each.get("r") or 0)
        if ticks <= 0:
            raise ValueError("A manifest that cannot be read")
        if again < 0:
            until = end if following is None or following.get("t") is None else int(following.attrib["t"])
            again = max(0, math.ceil(min((until - time) / ticks, MOST_PIECES + 1)) - 1)
            each.set("r", str(again))
        time += ticks * (again + 1)
        count += again + 1
        if count > MOST_PIECES:
            raise TooMuch("A stream of too many pieces")
    return count


def _ranges(told: Element) -> None:
    """yt-dlp wants an address for every piece: one of a range is the file's with the range behind it."""
    places = [("sourceURL", "range", each) for each in _named(told, "Initialization")]
    places += [("media", "mediaRange", each) for each in _named(told, "SegmentURL")]
    for address, span, each in places:
        within = each.attrib.pop(span, "")
        if within and not _RANGE.fullmatch(within):
            raise ValueError("A manifest that cannot be read")
        mark = _MARK + within if within else ""
        each.set(address, (each.get(address) or "") + mark)


def _last(told: list[Element], name: str) -> str | None:
    return next((found for each in reversed(told) if (found := each.get(name))), None)


def _named(parent: Element, name: str) -> Iterator[Element]:
    return (child for child in parent if isinstance(child.tag, str) and child.tag.rpartition("}")[2] == name)


def packed(this: Mapping[str, Any]) -> dict[str, Any]:
    """The playlist of a format whose pieces yt-dlp has listed itself, packed for the journey, and how long it lasts.

    Empty where there is none, or where its pieces are not told for good.
    """
    told = this.get("hls_media_playlist_data")
    if isinstance(told, str) and told:
        return {_PACKED: _pack(told)}
    pieces = this.get("fragments")
    if this.get("protocol") != "http_dash_segments" or not isinstance(pieces, list | tuple):
        return {}
    if not 0 < len(pieces) <= MOST_PIECES:
        return {}
    try:
        told = _written(this, pieces)
    except ValueError:  # half an IPv6 address among them
        return {}
    return {_PACKED: _pack(told), "lasts": this.get("lasts") or sum(each.get("duration") or 0 for each in pieces)}


def _written(this: Mapping[str, Any], pieces: Iterable[Mapping[str, Any]]) -> str:
    base = this.get("fragment_base_url") or this.get("url") or ""
    lines = ["#EXTM3U", "#EXT-X-PLAYLIST-TYPE:VOD"]
    for each in pieces:
        address, _, mark = urljoin(base, each.get("url") or each.get("path") or "").partition(_MARK)
        span = _RANGE.fullmatch(mark)
        if each.get("breaks"):
            lines.append("#EXT-X-DISCONTINUITY")
        if span:
            lines.append(f"#EXT-X-BYTERANGE:{int(span[2]) - int(span[1]) + 1}@{span[1]}")
        lines += [f"#EXTINF:{each.get('duration') or 0},", "".join(address.split())]
    return "\n".join(lines)


def _pack(told: str) -> str:
    return base64.b64encode(zlib.compress(told.encode("utf-8", "replace"))).decode()
