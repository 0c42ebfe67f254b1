"""yt-dlp's info dict becomes a Post: pure, and as distrustful as any other parser here."""

import base64
import json
import math
import re
from collections.abc import Iterator, Mapping
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from clipstead.errors import ClipsteadError, ProviderFailed, UnsupportedLink
from clipstead.model import Author, Link, Media, MediaKind, Music, Post, Stats
from clipstead.resolve.loose import Node, address, decimal, length, moment, node, nodes, number, positive, text
from clipstead.resolve.tiktok.cdn import expires_at
from clipstead.resolve.ytdlp_errors import UNSOLVED

_PACKED = "packed_playlist"  # as `ytdlp_manifests` calls it, which only the child loads
_COVERS_KEPT = 3
_IMAGE_EXTS = frozenset({"jpg", "jpeg", "png", "webp", "gif", "avif"})
_AUDIO_EXTS = frozenset({"aac", "flac", "m4a", "mp3", "oga", "ogg", "opus", "wav", "weba"})
_CODECS = (
    (re.compile(r"avc|h\.?264"), "h264"),
    (re.compile(r"hev|hvc|h\.?265|bytevc1"), "hevc"),
    (re.compile(r"bytevc2|vvc|h\.?266"), "bytevc2"),
    (re.compile(r"vp0?9"), "vp9"),
    (re.compile(r"av01|av1"), "av1"),
    (re.compile(r"mp4a|aac"), "aac"),
)
_WATERMARK = re.compile(r"\bwatermark", re.IGNORECASE)
# What no file's host asks for: the business of whoever fetches, or yt-dlp's habits as a browser of pages.
_NOT_FOR_FILES = frozenset(
    {"accept", "accept-encoding", "accept-language", "connection", "content-length", "cookie", "host", "range"}
    | {"sec-fetch-mode", "transfer-encoding", "x-forwarded-for"}
)
_STREAMS = frozenset({"m3u8", "m3u8_native", "http_dash_segments"})
_FETCHED = frozenset({"m3u8", "m3u8_native"})
_COOKIE_ATTRIBUTES = frozenset({"domain", "path", "secure", "expires", "version"})


def parse(info: Node, link: Link) -> Post:
    """The post in an info dict as `YoutubeDL.extract_info(process=True)` returns it, and `unsolved` by the worker.

    Media are files and finished streams (`segmented`: HLS, DASH in pieces): variants "yt-<format_id>"
    ("yt-<n>-<format_id>" for the n-th file of several), videos best first, files before streams, then those without
    sound, then watermarked ones. Raises UnsupportedLink for a list of posts, for what is live or protected;
    ProviderFailed where nothing can be fetched.
    """
    entries = nodes(info.get("entries")) if info.get("_type") in ("playlist", "multi_video") else [info]
    if any(entry.get("_type") in ("url", "url_transparent") for entry in entries):
        raise UnsupportedLink("This link leads to a list of posts, not to one")
    media = [each for n, entry in enumerate(entries, 1) for each in _files(entry, f"{n}-" if len(entries) > 1 else "")]
    _insist(media, entries, link, unsolved=info.get("unsolved") is True)
    first = entries[0]
    about = {**first, **{key: value for key, value in info.items() if value is not None}}
    return Post(
        id=link.post_id or text(about.get("id")),
        link=link,
        title=_title(about, link),
        author=_author(about, link),
        media=(*media, *_covers(about), *_subtitles(first)),
        music=_music(about),
        stats=_stats(about, link),
        created_at=moment(about.get("timestamp")),
        duration=length(about.get("duration")) or next((each.duration for each in media if each.duration), None),
        language=text(about.get("language")),
        raw=_raw(info),
    )


def _insist(media: list[Media], entries: list[Node], link: Link, *, unsolved: bool) -> None:
    if not media:
        if unsolved:
            raise ProviderFailed(UNSOLVED)
        raise _nothing([this for entry in entries for this in nodes(entry.get("formats")) or [entry]], entries)
    if link.platform == "tiktok" and not any(each.kind is MediaKind.VIDEO for each in media):
        raise ProviderFailed("yt-dlp gives only the sound of TikTok's photo posts")


def _nothing(formats: list[Node], entries: list[Node]) -> ClipsteadError:
    """Why there is none. What is live or protected is so by its owner's will: nobody else need be asked."""
    if any(_is_live(each) for each in (*entries, *formats)):
        return UnsupportedLink("This link leads to a live stream, which has no end yet")
    if any(True in (each.get("has_drm"), each.get("_has_drm")) for each in (*entries, *formats)):
        return UnsupportedLink("This link leads to a stream that is protected (DRM)")
    if any(address(each.get("url")) for each in formats):
        return ProviderFailed("yt-dlp found this post only as a stream that cannot be kept")
    return ProviderFailed("yt-dlp found no files")


def _is_live(told: Node) -> bool:
    return told.get("is_live") is True or told.get("live_status") in ("is_live", "is_upcoming")


def _files(entry: Node, prefix: str) -> list[Media]:
    formats = nodes(entry.get("formats")) or [entry]
    found = [media for each in reversed(formats) if (media := _file(each, entry, prefix)) is not None]
    found.sort(key=lambda media: (media.watermark, media.segmented, "video only" in media.quality))
    return list({media.variant: media for media in reversed(found)}.values())[::-1]


def _file(this: Node, entry: Node, prefix: str) -> Media | None:
    url, ext = address(this.get("url")), text(this.get("ext"))
    protocol = text(this.get("protocol")) or urlsplit(url).scheme
    playlist = _playlist(text(this.get(_PACKED)))
    segmented = protocol in _STREAMS
    if not url or not (segmented or protocol in ("http", "https")) or this.get("has_drm") is True:
        return None
    if segmented and (_is_live(entry) or _is_live(this) or (protocol not in _FETCHED and not playlist)):
        return None
    kind = _kind(this, ext)
    codec = _codec(text(this.get("acodec" if kind is MediaKind.AUDIO else "vcodec")))
    if kind is None or codec == "bytevc2":
        return None
    watermark = bool(_WATERMARK.search(text(this.get("format_note")))) or text(this.get("format_id")) == "download"
    width, height = positive(this.get("width")), positive(this.get("height"))
    rate = decimal(this.get("tbr")) or decimal(this.get("abr"))
    return Media(
        kind=kind,
        variant=_variant(prefix + (text(this.get("format_id")) or "0")),
        url=url,
        ext=ext,
        quality=_quality(kind, width, height, watermark=watermark, silent=this.get("acodec") == "none"),
        width=width,
        height=height,
        codec=codec,
        bitrate=round(rate * 1000) if rate else None,
        size=positive(this.get("filesize")),
        duration=length(entry.get("duration")) or length(this.get("lasts")),
        watermark=watermark,
        headers=_headers(this, entry),
        cookies=_cookies(text(this.get("cookies"))),
        expires_at=expires_at(url),
        fps=length(this.get("fps")),
        segmented=segmented,
        playlist=playlist if segmented else b"",
    )


def _playlist(packed: str) -> bytes:
    try:
        return base64.b64decode(packed, validate=True)
    except ValueError:
        return b""


def _kind(this: Node, ext: str) -> MediaKind | None:
    """ "none" means that there is no such stream, a missing codec only that nobody knows it."""
    video, audio = this.get("vcodec") != "none", this.get("acodec") != "none"
    if ext in _IMAGE_EXTS and not (video and this.get("vcodec")):
        return MediaKind.IMAGE
    if video and not (ext in _AUDIO_EXTS and this.get("vcodec") is None):
        return MediaKind.VIDEO
    return MediaKind.AUDIO if audio else None


def _codec(told: str) -> str | None:
    lowered = told.lower()
    known = next((name for pattern, name in _CODECS if pattern.match(lowered)), lowered.partition(".")[0])
    return known if known not in ("", "none", "unknown") else None


def _quality(kind: MediaKind, width: int | None, height: int | None, *, watermark: bool, silent: bool) -> str:
    if kind is not MediaKind.VIDEO:
        return ""
    label = f"{min(width, height)}p" if width and height else f"{height}p" if height else ""
    if watermark:
        return "wm"
    return f"{label} video only".strip() if silent else label


def _variant(name: str) -> str:
    return "yt-" + re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:80]


def _headers(this: Node, entry: Node) -> Mapping[str, str]:
    told = node(this.get("http_headers")) or node(entry.get("http_headers"))
    pairs = {name: text(value) for name, value in told.items() if name.lower() not in _NOT_FOR_FILES}
    return {name: value for name, value in pairs.items() if value and _fits_a_header(name + value)}


def _cookies(told: str) -> Mapping[str, str]:
    """yt-dlp's `name=value; Domain=...; Path=...; name2=...`: it has already kept only those meant for the address."""
    decode = SimpleCookie().value_decode
    found = (part.partition("=") for part in told.split("; ") if "=" in part)
    pairs = {name: decode(value)[0] for name, _, value in found if name.lower() not in _COOKIE_ATTRIBUTES}
    return {name: value for name, value in pairs.items() if _fits_a_header(name + value) and ";" not in name + value}


def _fits_a_header(written: str) -> bool:
    return written.isascii() and written.isprintable()


def _covers(about: Node) -> Iterator[Media]:
    """yt-dlp lists thumbnails worst first."""
    told = nodes(about.get("thumbnails")) or [{"url": about.get("thumbnail")}]
    found = {url: each for each in reversed(told) if (url := address(each.get("url")))}
    for n, (url, each) in enumerate(list(found.items())[:_COVERS_KEPT], 1):
        yield Media(
            kind=MediaKind.COVER,
            variant="cover" if n == 1 else f"cover-{n}",
            url=url,
            ext=_image_ext(url),
            width=positive(each.get("width")),
            height=positive(each.get("height")),
            headers=_headers(each, about),
            expires_at=expires_at(url),
        )


def _image_ext(url: str) -> str:
    ext = urlsplit(url).path.rpartition(".")[2].lower()
    return {"jpeg": "jpg"}.get(ext, ext) if ext in _IMAGE_EXTS else ""


def _subtitles(entry: Node) -> Iterator[Media]:
    for language, told in node(entry.get("subtitles")).items():
        files = [each for each in nodes(told) if text(each.get("protocol")) in ("", "http", "https")]
        for n, each in enumerate(files, 1):
            if (url := address(each.get("url"))) and language != "live_chat":
                yield Media(
                    kind=MediaKind.SUBTITLE,
                    variant=f"sub-{re.sub(r'[^A-Za-z0-9-]+', '-', language)[:40]}-{n}",
                    url=url,
                    ext=text(each.get("ext")),
                    language=language,
                    headers=_headers(each, entry),
                    expires_at=expires_at(url),
                )


def _title(about: Node, link: Link) -> str:
    """TikTok's title is the caption cut at 72 characters, its description the whole of it."""
    title, description = text(about.get("title")), text(about.get("description"))
    return (description or title) if link.platform == "tiktok" else (title or description)


def _author(about: Node, link: Link) -> Author:
    uploader, uploader_id = text(about.get("uploader")), text(about.get("uploader_id"))
    channel, channel_id = text(about.get("channel")), text(about.get("channel_id"))
    if link.platform == "tiktok":
        return Author(id=uploader_id, username=uploader, nickname=channel, sec_uid=channel_id)
    handle = uploader_id.removeprefix("@") if uploader_id.startswith("@") or not uploader else ""
    return Author(
        id=channel_id or uploader_id, username=handle or uploader_id or uploader, nickname=channel or uploader
    )


def _music(about: Node) -> Music | None:
    track = text(about.get("track"))
    artists = about.get("artists")
    names = [text(name) for name in artists] if isinstance(artists, list) else []
    return Music(title=track, author=", ".join(filter(None, names)), album=text(about.get("album"))) if track else None


def _stats(about: Node, link: Link) -> Stats:
    reposts = number(about.get("repost_count"))
    on_tiktok = link.platform == "tiktok"  # yt-dlp calls TikTok's shares reposts
    return Stats(
        views=number(about.get("view_count")),
        likes=number(about.get("like_count")),
        comments=number(about.get("comment_count")),
        shares=reposts if on_tiktok else None,
        reposts=None if on_tiktok else reposts,
        saves=number(about.get("save_count")),
    )


def _raw(info: Node) -> bytes:
    """The info dict less its cookies, which may be the operator's own, and packed playlists.

    In ASCII: half an emoji has no UTF-8.
    """
    return json.dumps(_fit(info), separators=(",", ":")).encode()


def _fit(value: object) -> object:
    if isinstance(value, dict):
        return {key: _fit(item) for key, item in value.items() if key not in ("cookies", _PACKED)}
    if isinstance(value, list):
        return [_fit(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
