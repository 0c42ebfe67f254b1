"""DASH manifests as yt-dlp hands them on: which pieces make a stream, what is refused, and that none is without end."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from clipstead.errors import ProviderFailed, UnsupportedLink
from clipstead.media.hls import Piece, parse
from clipstead.model import Link, Media, MediaKind, Post
from clipstead.resolve.providers.ytdlp import YtDlp

if TYPE_CHECKING:
    from tests.resolve.conftest import NoNet, Site, Workers

Open = Callable[..., Awaitable[YtDlp]]
Ask = Callable[[str], Awaitable[Post]]
PAGE = (
    '<html><head><title>A film</title></head><video><source src="/a/b.mpd" type="application/dash+xml"></video></html>'
)
LINK = Link("web", "http://site.example/post")
VIDEO = 'mimeType="video/mp4" codecs="avc1.64001e" bandwidth="400000" width="640" height="360"'


def mpd(*periods: str, kind: str = "static", lasts: str = "PT8S") -> str:
    """A manifest; it lasts eight seconds unless told otherwise."""
    told = f'type="{kind}" mediaPresentationDuration="{lasts}"'
    return f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {told}>{"".join(periods)}</MPD>'


def period(pieces: str, *, name: str = "v", told: str = VIDEO, lasts: str = "PT8S") -> str:
    """One stream whose pieces are said to be these."""
    stream = f'<Representation id="{name}" {told}>{pieces}</Representation>'
    return f'<Period duration="{lasts}"><AdaptationSet>{stream}</AdaptationSet></Period>'


@pytest.fixture
async def ask(opened: Open, site: Site, no_net: NoNet) -> Ask:
    """A page that shows the manifest given, as yt-dlp sees it."""
    ytdlp = await opened()

    async def fetch(manifest: str) -> Post:
        site.pages["/post"] = web.Response(text=PAGE, content_type="text/html")
        site.pages["/a/b.mpd"] = web.Response(text=manifest, content_type="application/dash+xml")
        return await ytdlp.fetch(LINK, no_net)

    return fetch


def pieces_of(media: Media) -> tuple[Piece, ...]:
    """What its playlist leads to."""
    assert media.segmented
    return parse(zlib.decompress(media.playlist).decode(), media.url)


def told(post: Post) -> list[tuple[str, tuple[int, int] | None]]:
    """The pieces of its one video: addresses within the site, and their ranges."""
    (media,) = post.of_kind(MediaKind.VIDEO)
    return [(piece.url.removeprefix("http://site.example/"), piece.span) for piece in pieces_of(media)]


def names(post: Post) -> str:
    """Their addresses alone, in a row."""
    return " ".join(name for name, _ in told(post))


async def test_templates_by_number_and_by_time(ask: Ask) -> None:
    """Counted from the length, from a timeline, from repeats up to the next entry and up to the end."""
    template = (
        '<SegmentTemplate initialization="$RepresentationID$.i" media="{}" timescale="10" {}>{}</SegmentTemplate>'
    )
    numbered = template.format("$Number%02d$.m4s", 'startNumber="7" duration="30"', "")
    post = await ask(mpd(period(numbered)))
    assert names(post) == "a/v.i a/07.m4s a/08.m4s a/09.m4s"
    assert post.duration == 8.0
    line = '<SegmentTimeline><S t="5" d="20" r="1"/><S d="15" r="-1"/><S t="75" d="2" r="-1"/></SegmentTimeline>'
    timed = template.format("$Time$.m4s", 'presentationTimeOffset="5"', line)
    times = [5, 25, 45, 60, 75, 77, 79, 81, 83]
    assert names(await ask(mpd(period(timed)))).split() == ["a/v.i", *(f"a/{time}.m4s" for time in times)]


async def test_a_period_lasts_until_the_next_one_begins(ask: Ask) -> None:
    """Where neither says how long it is: repeats to its end, and pieces counted from its length."""

    def begins(at: str, inside: str) -> str:
        stream = f'<Representation id="v" {VIDEO}>{inside}</Representation>'
        return f'<Period start="{at}"><AdaptationSet>{stream}</AdaptationSet></Period>'

    line = '<SegmentTimeline><S t="0" d="2" r="-1"/></SegmentTimeline>'
    timed = f'<SegmentTemplate media="{{}}$Time$.m4s" timescale="1">{line}</SegmentTemplate>'
    counted = '<SegmentTemplate media="{}$Number$.m4s" timescale="1" duration="3"/>'
    for pieces, first, second in ((timed, "0 2 4", "0 2"), (counted, "1 2", "1 2")):
        manifest = mpd(begins("PT0S", pieces.format("a")), begins("PT6S", pieces.format("b")), lasts="PT10S")
        wanted = [f"a/{part}{at}.m4s" for part, times in (("a", first), ("b", second)) for at in times.split()]
        assert names(await ask(manifest)).split() == wanted


async def test_lists_of_addresses_and_of_ranges(ask: Ask) -> None:
    """Files of their own; ranges of the file that the stream is; ranges of files they name."""

    async def listed(inside: str, before: str = "") -> list[tuple[str, tuple[int, int] | None]]:
        return told(await ask(mpd(period(f'{before}<SegmentList duration="4">{inside}</SegmentList>'))))

    urls = '<Initialization sourceURL="i"/><SegmentURL media="1"/><SegmentURL media="/2"/>'
    assert await listed(urls) == [("a/i", None), ("a/1", None), ("2", None)]
    ranges = '<Initialization range="0-99"/><SegmentURL mediaRange="100-299"/><SegmentURL mediaRange="300-350"/>'
    assert await listed(ranges, "<BaseURL>all.mp4</BaseURL>") == [
        ("a/all.mp4", (0, 99)),
        ("a/all.mp4", (100, 299)),
        ("a/all.mp4", (300, 350)),
    ]
    named = '<SegmentURL media="x?a=1" mediaRange="0-9"/><SegmentURL media="y"/>'
    assert await listed(named) == [("a/x?a=1", (0, 9)), ("a/y", None)]


async def test_one_file_is_a_file(ask: Ask) -> None:
    """An index in it is its own business."""
    base = '<BaseURL>v.mp4</BaseURL><SegmentBase indexRange="800-900"><Initialization range="0-799"/></SegmentBase>'
    (media,) = (await ask(mpd(period(base)))).of_kind(MediaKind.VIDEO)
    assert (media.url, media.segmented, media.playlist) == ("http://site.example/a/v.mp4", False, b"")


async def test_two_streams_that_look_alike_stay_two(ask: Ask) -> None:
    """Two sounds of one language and rate, say."""
    sound = '<Representation id="{}" mimeType="audio/mp4" codecs="mp4a.40.2" bandwidth="96000">{}</Representation>'
    pieces = '<SegmentTemplate media="$RepresentationID$-$Number$" duration="4"/>'
    both = "".join(sound.format(name, pieces) for name in ("one", "two"))
    post = await ask(mpd(f"<Period><AdaptationSet>{both}</AdaptationSet></Period>"))
    found = {media.variant: [piece.url[-5:] for piece in pieces_of(media)] for media in post.of_kind(MediaKind.AUDIO)}
    assert found == {"yt-one": ["one-1", "one-2"], "yt-two": ["two-1", "two-2"]}


async def test_what_is_live_or_protected_is_told_to_be(ask: Ask) -> None:
    """That is no fault of yt-dlp's."""
    pieces = '<SegmentTemplate media="$Number$" duration="4"/>'
    with pytest.raises(UnsupportedLink, match="live stream"):
        await ask(mpd(period(pieces), kind="dynamic"))
    lock = '<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cenc"/>'
    with pytest.raises(UnsupportedLink, match="DRM"):
        await ask(mpd(period(lock + pieces)))


async def test_lists_beyond_measure_are_refused_before_anybody_counts(ask: Ask) -> None:
    """Counted, repeated, repeated to the end, listed; and twenty streams of which each alone would pass."""
    line = (
        '<SegmentTemplate media="$Number$" timescale="100000"><SegmentTimeline>{}</SegmentTimeline></SegmentTemplate>'
    )
    many = [
        '<SegmentTemplate media="$Number$" duration="1" timescale="1000000000"/>',
        line.format('<S d="1" r="99999999"/>'),
        line.format('<S d="1" r="-1"/>'),
        "<SegmentList>" + '<SegmentURL media="x"/>' * 100_000 + "</SegmentList>",
    ]
    common = '<SegmentTemplate media="$Number$" duration="1" timescale="5000"/>'
    streams = f'<Representation id="v" {VIDEO}/>' * 20
    for manifest in (*map(period, many), f"<Period><AdaptationSet>{common}{streams}</AdaptationSet></Period>"):
        with pytest.raises(ProviderFailed, match="too many pieces"):
            await ask(mpd(manifest))


async def test_manifests_that_make_no_sense_are_a_failure_with_words(ask: Ask, workers: Workers) -> None:
    """And the worker is still there for the next."""
    await ask(mpd(period('<SegmentTemplate media="$Number$" duration="8"/>')))
    before = workers.pids()
    for pieces in (
        '<SegmentTemplate media="$Number$" duration="x"/>',
        '<SegmentTemplate media="$Time$"><SegmentTimeline><S d="0"/></SegmentTimeline></SegmentTemplate>',
        '<SegmentTemplate media="$Time$"><SegmentTimeline><S d="9" t="z"/></SegmentTimeline></SegmentTemplate>',
        '<SegmentTemplate media="$Number$"/>',
        f'<SegmentTemplate media="$Number$" duration="4" timescale="{"9" * 400}"/>',
        '<BaseURL>http://[::1</BaseURL><SegmentTemplate media="$Number$" duration="4"/>',
        '<SegmentList><SegmentURL mediaRange="9-x"/></SegmentList>',
    ):
        with pytest.raises(ProviderFailed):
            await ask(mpd(period(pieces)))
    assert workers.pids() == before
