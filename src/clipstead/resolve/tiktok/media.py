"""The files of a TikTok item: every quality of its video, its pictures, sound, subtitles and covers, best first."""

import re
from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from clipstead.model import Media, MediaKind
from clipstead.resolve import loose
from clipstead.resolve.loose import Node
from clipstead.resolve.tiktok import cdn

REFERER = MappingProxyType({"Referer": "https://www.tiktok.com/"})

CODECS = {
    "h264": "h264",
    "avc1": "h264",
    "h265": "hevc",
    "h265_hvc1": "hevc",
    "h265_hev1": "hevc",
    "hevc": "hevc",
    "bytevc1": "hevc",
    "bytevc2": "bytevc2",  # ByteDance's own H.266: nothing plays it
    "vp9": "vp9",
    "av1": "av1",
}
UNPLAYABLE = "bytevc2"

# TikTok's own site answers these with a redirect that is refused more often than not.
OWN_SITE = ("https://www.tiktok.com/", "http://www.tiktok.com/")
# Files below this path have no sound, or are not there.
SILENT = "/media-video-hvc1/"

_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_SUBTITLE_EXTS = {"webvtt": "vtt", "srt": "srt", "creator_caption": "json"}


def videos(video: Node) -> list[Media]:
    """All qualities: `hd` (an alias of the best), `sd` (the plain one), the rest by their own names, `wm` last."""
    told = [gear for gear in (_gear(entry) for entry in loose.nodes(video.get("bitrateInfo"))) if gear]
    gears = sorted(_named_once(told), key=_rank, reverse=True)
    plain = _plain(video, gears)
    playable = [gear for gear in gears if gear.codec != UNPLAYABLE]
    kept = playable if playable or plain else gears
    # The sort is stable: `sd` stays before the file it stands for.
    ranked = sorted([*plain, *kept], key=_rank, reverse=True)
    best = [replace(ranked[0], variant="hd", quality="hd")] if playable else []
    return [*best, *ranked, *_marked(video, plain)]


def images(image_post: Node) -> list[Media]:
    """The pictures of a photo post, in order; a picture without an address leaves a gap in the numbers."""
    found = []
    listed = image_post.get("images")
    for index, picture in enumerate(listed if isinstance(listed, list) else (), 1):
        urls = usable(loose.addresses(loose.node(picture, "imageURL").get("urlList")))
        if urls:
            told = loose.node(picture)
            width, height = loose.positive(told.get("imageWidth")), loose.positive(told.get("imageHeight"))
            ext = cdn.ext(urls[0], "jpg")
            found.append(media(MediaKind.IMAGE, f"image-{index}", urls, ext, width=width, height=height))
    return found


def sound(music: Node, video: Node) -> list[Media]:
    """The sound, in mp3 or m4a as its address says; a photo post may carry it where a video would stand."""
    urls = usable(loose.addresses(music.get("playUrl")))
    if not urls:
        urls = [url for url in _play_urls(video) if cdn.is_audio(url)]
    if not urls:
        return []
    is_mp3 = cdn.ext(urls[0], "m4a") == "mp3"
    ext, codec = ("mp3", "mp3") if is_mp3 else ("m4a", "aac")
    return [media(MediaKind.AUDIO, "sound", urls, ext, codec=codec, duration=loose.length(music.get("duration")))]


def subtitles(video: Node) -> list[Media]:
    """Captions as `sub-<language>-<n>`; `quality` is where they come from (asr, mt, lc)."""
    found: list[Media] = []
    for entry in _captions(video):
        urls = usable([*loose.addresses(entry.get("Url") or entry.get("url")), *loose.addresses(entry.get("urlList"))])
        if not urls:
            continue
        language = loose.text(entry.get("LanguageCodeName") or entry.get("language")) or "und"
        order = 1 + sum(1 for other in found if other.language == language)
        form = loose.text(entry.get("Format") or entry.get("captionFormat"))
        subtitle = media(
            MediaKind.SUBTITLE,
            f"sub-{slug(language)}-{order}",
            urls,
            _SUBTITLE_EXTS.get(form, "vtt"),
            quality=loose.text(entry.get("Source")).lower(),
            language=language,
            size=loose.positive(entry.get("Size")),
            ends=cdn.moment(loose.number(entry.get("UrlExpire") or entry.get("expire"))),
        )
        found.append(subtitle)
    return found


def covers(places: Iterable[tuple[str, object]]) -> list[Media]:
    """Covers by name, from pairs of variant and address (or list of addresses); the blank ones left out."""
    named = ((name, usable(loose.addresses(value))) for name, value in places)
    return [media(MediaKind.COVER, name, urls, cdn.ext(urls[0], "jpg")) for name, urls in named if urls]


def media(kind: MediaKind, variant: str, urls: list[str], ext: str, *, ends: float | None = None, **told: Any) -> Media:
    """A file on TikTok's CDN: the first address is the one to use, and tells when it `ends` where nothing else does."""
    return Media(
        kind,
        variant,
        urls[0],
        ext=ext,
        mirrors=tuple(urls[1:]),
        headers=REFERER,
        expires_at=ends or cdn.expires_at(urls[0]),
        **told,
    )


def usable(urls: Iterable[str]) -> list[str]:
    """The addresses, each once; those on TikTok's own site only where there are no others."""
    once = list(dict.fromkeys(urls))
    return [url for url in once if not url.startswith(OWN_SITE)] or once


def slug(name: str) -> str:
    """A variant name out of one of TikTok's: lower case letters, digits and single hyphens."""
    return _NOT_SLUG.sub("-", name.lower())[:60].strip("-")


def _captions(video: Node) -> list[Node]:
    return loose.nodes(video.get("subtitleInfos")) or loose.nodes(loose.node(video, "claInfo").get("captionInfos"))


def _gear(entry: Node) -> Media | None:
    place = loose.node(entry, "PlayAddr")
    urls = usable(loose.addresses(place.get("UrlList")))
    if not urls:
        return None
    key, name = loose.text(place.get("UrlKey")), loose.text(entry.get("GearName"))
    width, height = loose.positive(place.get("Width")), loose.positive(place.get("Height"))
    return media(
        MediaKind.VIDEO,
        _variant(name, key),
        urls,
        "mp4",
        quality=_lines(key, name, width, height),
        width=width,
        height=height,
        codec=_codec(loose.text(entry.get("CodecType")), key),
        bitrate=loose.positive(entry.get("Bitrate")),
        size=loose.positive(place.get("DataSize")),
        fps=loose.positive(entry.get("BitrateFPS")),
    )


def _variant(gear: str, key: str) -> str:
    name = slug(gear) or slug(key.partition("_")[2]) or "video"
    return f"gear-{name}" if name in ("hd", "sd", "wm") else name


def _named_once(gears: list[Media]) -> list[Media]:
    """TikTok may use a gear name twice (once a codec); the second one gets a number."""
    taken: dict[str, int] = {}
    named = []
    for gear in gears:
        count = taken[gear.variant] = taken.get(gear.variant, 0) + 1
        named.append(gear if count == 1 else replace(gear, variant=f"{gear.variant}-x{count}"))
    return named


def _plain(video: Node, gears: list[Media]) -> list[Media]:
    """The file a browser plays by default; where TikTok names none, the best h264 among the gears."""
    urls = _play_urls(video)
    if not urls or cdn.is_audio(urls[0]):
        stand_in = next((gear for gear in gears if gear.codec == "h264"), None)
        return [replace(stand_in, variant="sd", quality="sd")] if stand_in else []
    twin = next((gear for gear in gears if urls[0] in (gear.url, *gear.mirrors)), None)
    mirrors = [url for url in (twin.url, *twin.mirrors) if url not in urls] if twin else []
    plain = media(
        MediaKind.VIDEO,
        "sd",
        [*urls, *mirrors],
        "mp4",
        quality="sd",
        width=loose.positive(video.get("width")),
        height=loose.positive(video.get("height")),
        codec=twin.codec if twin else _codec(loose.text(video.get("codecType")), "") or "h264",
        bitrate=twin.bitrate if twin else loose.positive(video.get("bitrate")),
        size=twin.size if twin else loose.positive(video.get("size")),
        fps=twin.fps if twin else None,
    )
    return [plain]


def _play_urls(video: Node) -> list[str]:
    """`playAddr`, else the same file's `PlayAddrStruct`; older pages have `[{"src": ...}]`."""
    play = video.get("playAddr")
    named = [source.get("src") for source in loose.nodes(play)] or play
    return usable(loose.addresses(named)) or usable(loose.addresses(loose.node(video, "PlayAddrStruct").get("UrlList")))


def _marked(video: Node, plain: list[Media]) -> list[Media]:
    """The file that TikTok's own download button gives, with the watermark in it."""
    urls = usable(loose.addresses(video.get("downloadAddr")))
    if not urls or cdn.is_audio(urls[0]) or urls[0] in [media.url for media in plain]:
        return []
    return [media(MediaKind.VIDEO, "wm", urls, "mp4", quality="wm", watermark=True)]


def _codec(name: str, key: str) -> str | None:
    """The codec by the file's key (`<uri>_bytevc1_720p_750808`), which is the more exact one, or by its type."""
    parts = key.split("_")
    by_key = CODECS.get(parts[1]) if len(parts) > 2 else None
    return by_key or CODECS.get(name.lower()) or slug(name) or None


def _lines(key: str, name: str, width: int | None, height: int | None) -> str:
    """`720p` as TikTok itself calls it (its 540p is 576 pixels wide), else by the shorter side."""
    for part in key.split("_"):
        if part.endswith("p") and part[:-1].isdecimal():
            return part
    for part in name.split("_"):
        if part.isdecimal() and len(part) > 2:
            return f"{part}p"
    return f"{min(width, height)}p" if width and height else ""


def _rank(video: Media) -> tuple[bool, bool, bool, int, int]:
    path = video.url.partition("?")[0]
    if video.width and video.height:
        short = min(video.width, video.height)
    else:
        lines = video.quality.removesuffix("p")
        short = int(lines) if lines.isdecimal() and len(lines) < 6 else 0
    return (
        video.codec != UNPLAYABLE,
        not path.endswith(SILENT),
        not path.startswith(OWN_SITE),
        short,
        video.bitrate or 0,
    )
