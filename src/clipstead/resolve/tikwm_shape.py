"""The post object that TikWM made and others republish (TikLiveAPI does, field for field): its JSON to a Post. Pure."""

from dataclasses import replace
from urllib.parse import urljoin

import msgspec
from msgspec import Raw, Struct, field

from clipstead.errors import Blocked, ProviderFailed
from clipstead.model import Author, Link, Media, MediaKind, Music, Post, Stats
from clipstead.resolve import loose
from clipstead.resolve.loose import Node
from clipstead.resolve.tiktok import cdn
from clipstead.resolve.tiktok.media import REFERER

# Our variants, and where the file and its size stand.
_VIDEOS = (("hd", "hdplay", "hd_size"), ("sd", "play", "size"), ("wm", "wmplay", "wm_size"))

_COUNTERS = {
    "views": "play_count",
    "likes": "digg_count",
    "comments": "comment_count",
    "shares": "share_count",
    "saves": "collect_count",
    "downloads": "download_count",
}

_CHALLENGE_MARKS = (b"Just a moment", b"challenge-platform", b"cf-chl", b"cf_chl", b"Attention Required!")


class _Envelope(Struct):
    code: object = None
    msg: object = None
    message: object = None
    data: Raw = field(default=Raw(b""))


class Answer(Struct, frozen=True):
    """An answer unwrapped: `code` (0 = well, None = it has none), the provider's own words, the post's JSON."""

    code: int | None
    message: str
    post: bytes


def unwrap(body: bytes, who: str) -> Answer:
    """An answer with its envelope `{code, msg, data}` off, or one that has none. `who` names the provider in errors.

    Blocked for a Cloudflare challenge, ProviderFailed for all else that is no JSON object.
    """
    if body.lstrip()[:1] == b"<":
        if any(mark in body for mark in _CHALLENGE_MARKS):
            raise Blocked(f"{who} hides behind a Cloudflare challenge")
        raise ProviderFailed(f"{who} answered with a web page")
    if not body.strip():
        raise ProviderFailed(f"{who} answered with nothing")
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
    except (ValueError, RecursionError):
        raise ProviderFailed(f"{who} answered with something that is not the JSON it should be") from None
    inner = bytes(envelope.data)
    has_post = inner[:1] == b"{"
    message = loose.text(envelope.msg) or loose.text(envelope.message)
    bare = not inner and envelope.code is None and not message
    code = loose.text(envelope.code)
    return Answer(
        code=int(code) if code.removeprefix("-").isdecimal() and len(code) < 12 else None,
        message=message,
        post=inner if has_post else body if bare else b"",
    )


def parse(raw: bytes, link: Link, *, base: str, who: str) -> Post:
    """The post that `raw` describes. `base` is where relative addresses (`web=1`) belong; `who` goes into errors.

    ProviderFailed for an object without files, or of another post than `link` asks for.
    """
    told = loose.node(loose.decode(raw, f"{who}'s answer"))
    post_id = _post_id(told)
    if link.post_id and post_id and post_id != link.post_id:
        raise ProviderFailed(f"{who} answered with another post than the one asked for")
    files = _files(told, base)
    if not any(file.kind in (MediaKind.VIDEO, MediaKind.IMAGE) for file in files):
        raise ProviderFailed(f"{who} named no files")
    return Post(
        id=post_id or link.post_id or "",
        link=link,
        title=loose.text(told.get("title")),
        author=_author(loose.node(told, "author"), base),
        media=files,
        music=_music(loose.node(told, "music_info"), base),
        stats=Stats(**{ours: loose.number(told.get(theirs)) for ours, theirs in _COUNTERS.items()}),
        created_at=loose.moment(told.get("create_time")),
        duration=loose.length(told.get("duration")),
        region=loose.text(told.get("region")),
        raw=raw,
    )


def _post_id(told: Node) -> str:
    """`video_id` in lists, `id` in details; `aweme_id` may be the id too, or the key of a file (`v1404...`)."""
    named = (loose.text(told.get(key)) for key in ("video_id", "id", "aweme_id"))
    return next((name for name in named if name.isascii() and name.isdecimal()), "")


def _files(told: Node, base: str) -> tuple[Media, ...]:
    """Pictures or videos, then the sound, then covers."""
    pictures = _pictures(told, base)
    return (*(pictures or _videos(told, base)), *_sound(told, base, bool(pictures)), *_covers(told, base))


def _pictures(told: Node, base: str) -> list[Media]:
    listed = told.get("images")
    urls = [_url(picture, base) for picture in listed] if isinstance(listed, list) else []
    return [_media(MediaKind.IMAGE, f"image-{index}", url, base, "jpg") for index, url in enumerate(urls, 1) if url]


def _videos(told: Node, base: str) -> list[Media]:
    """An address of a sound is no video: on photo posts all three of them are."""
    found: list[Media] = []
    for variant, key, size_key in _VIDEOS:
        url = _url(told.get(key), base)
        marked = variant == "wm"
        if not url or cdn.is_audio(url) or (marked and url in [video.url for video in found]):
            continue
        video = _media(MediaKind.VIDEO, variant, url, base, "mp4")
        size = loose.positive(told.get(size_key))
        found.append(replace(video, quality=variant, size=size, watermark=marked))
    return found


def _sound(told: Node, base: str, of_photos: bool) -> list[Media]:
    info = loose.node(told, "music_info")
    url = _url(told.get("music"), base) or _url(info.get("play"), base)
    if not url and of_photos:
        url = _url(told.get("play"), base)
    if not url:
        return []
    ext = cdn.ext(url, "mp3")
    sound = _media(MediaKind.AUDIO, "sound", url, base, "mp3")
    return [replace(sound, ext="m4a" if ext == "mp4" else ext, duration=loose.length(info.get("duration")))]


def _covers(told: Node, base: str) -> list[Media]:
    named = (
        ("cover", told.get("cover")),
        ("origin", told.get("origin_cover")),
        ("dynamic", told.get("ai_dynamic_cover") or told.get("dynamic_cover")),
        ("avatar", loose.node(told, "author").get("avatar")),
        ("music-cover", loose.node(told, "music_info").get("cover")),
    )
    whole = ((name, _url(value, base)) for name, value in named)
    return [_media(MediaKind.COVER, name, url, base, "jpg") for name, url in whole if url]


def _media(kind: MediaKind, variant: str, url: str, base: str, ext: str) -> Media:
    """TikTok's CDN wants to see its own site as the Referer; the provider's own host has no use for that."""
    headers = {} if cdn.host(url) == cdn.host(base) else REFERER
    return Media(kind, variant, url, ext=cdn.ext(url, ext), headers=headers, expires_at=cdn.expires_at(url))


def _url(value: object, base: str) -> str:
    if isinstance(value, str) and value.startswith("/") and not value.startswith("//"):
        value = urljoin(base, value)
    return loose.address(value)


def _author(told: Node, base: str) -> Author:
    return Author(
        id=loose.text(told.get("id")),
        username=loose.text(told.get("unique_id")),
        nickname=loose.text(told.get("nickname")),
        avatar=_url(told.get("avatar"), base),
    )


def _music(told: Node, base: str) -> Music | None:
    if not told:
        return None
    return Music(
        id=loose.text(told.get("id")),
        title=loose.text(told.get("title")),
        author=loose.text(told.get("author")),
        album=loose.text(told.get("album")),
        cover=_url(told.get("cover"), base),
        duration=loose.length(told.get("duration")),
        original=loose.flag(told.get("original")),
    )
