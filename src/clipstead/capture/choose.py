"""Which variant of each file to try, in which order; pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from clipstead.capture.wanted import Wanted
from clipstead.model import Media, MediaKind, Post

_UNPLAYABLE = frozenset({"bytevc2"})
_STREAMED = frozenset({"m3u8", "mpd", "m3u", "f4m", "ism"})
_NOT_THE_COVER = frozenset({"avatar", "music-cover"})
_LINES = re.compile(r"(\d{3,4})p")
# TikTok's own site answers media addresses with refusals more often than with media.
_OWN_SITE = "www.tiktok.com"


@dataclass(frozen=True, slots=True)
class Want:
    """One file to be had: `candidates` in the order in which to try them, at least one; `extra` if the post is
    complete without it, `silent` if a video without sound is what is wanted."""

    candidates: tuple[Media, ...]
    extra: bool = False
    silent: bool = False


def choose(post: Post, wanted: Wanted) -> list[Want]:
    """The files that `wanted` means for this post, the main ones first; empty when the post has none of them."""
    main = _main(post, wanted)
    extras = []
    if wanted.cover:
        extras.append(_covers(post))
    if wanted.subtitles:
        extras += _subtitles(post)
    return [*main, *(Want(found, extra=True) for found in extras if found)]


def _main(post: Post, wanted: Wanted) -> list[Want]:
    sound = usable(post.of_kind(MediaKind.AUDIO))
    images = [found for image in post.of_kind(MediaKind.IMAGE) if (found := usable([image]))]
    if wanted.audio_only:
        return [Want(sound)] if sound else []
    if images:
        with_sound = [Want(sound, extra=True)] if sound and wanted.sound_with_photos else []
        return [*map(Want, images), *with_sound]
    videos = usable(sorted(post.of_kind(MediaKind.VIDEO), key=lambda video: _rank(video, wanted)))
    return [Want(videos)] if videos else []


def _rank(video: Media, wanted: Wanted) -> tuple[bool, bool, int, int]:
    """Smaller is better: the mark as wanted, the named quality, most lines, most bits; ties keep their order."""
    named = wanted.quality != "best" and video.variant == wanted.quality
    return video.watermark != wanted.watermark, not named, -lines(video), -(video.bitrate or 0)


def lines(video: Media) -> int:
    """The shorter side in pixels; "hd" without figures is the best there is, by what that name means."""
    if video.width and video.height:
        return min(video.width, video.height)
    told = _LINES.fullmatch(video.quality)
    if told:
        return int(told[1])
    return 1 << 20 if "hd" in (video.variant, video.quality) else 0


def _covers(post: Post) -> tuple[Media, ...]:
    covers = [cover for cover in post.of_kind(MediaKind.COVER) if cover.variant not in _NOT_THE_COVER]
    return usable(sorted(covers, key=lambda cover: cover.variant == "dynamic"))


def _subtitles(post: Post) -> list[tuple[Media, ...]]:
    """One want for each language; several files of one language stand in for each other."""
    languages: dict[str, list[Media]] = {}
    for subtitle in post.of_kind(MediaKind.SUBTITLE):
        languages.setdefault(subtitle.language or subtitle.variant, []).append(subtitle)
    return [usable(found) for found in languages.values()]


def usable(candidates: Iterable[Media], *, segmented: bool = False) -> tuple[Media, ...]:
    """Those that a player can play and one GET can fetch (or, `segmented`, many), each address once; TikTok's own site
    only if there are no others."""
    plain = [media for media in candidates if _is_plain(media) or (segmented and media.segmented)]
    better = [found for media in plain if (found := _without_own_site(media))]
    unique: dict[tuple[str, bytes], Media] = {}
    for media in better or plain:
        unique.setdefault((media.url, media.playlist), media)
    return tuple(unique.values())


def fetchable(candidates: Iterable[Media]) -> tuple[Media, ...]:
    """As `usable`, streams in pieces among them."""
    return usable(candidates, segmented=True)


def _is_plain(media: Media) -> bool:
    ending = _path(media.url).rpartition(".")[2].lower()
    return (
        media.codec not in _UNPLAYABLE
        and not media.segmented
        and not _STREAMED.intersection((media.ext.lower(), ending))
    )


def _without_own_site(media: Media) -> Media | None:
    told = (media.url, *media.mirrors)
    kept = tuple(url for url in told if not _is_own_site(url))
    if kept == told:
        return media
    return replace(media, url=kept[0], mirrors=kept[1:]) if kept else None


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _is_own_site(url: str) -> bool:
    try:
        return _OWN_SITE in url.lower() and urlsplit(url).hostname == _OWN_SITE
    except ValueError:
        return False


def addresses(media: Media) -> tuple[str, ...]:
    """Every address of the very same bytes, each once."""
    return tuple(dict.fromkeys((media.url, *media.mirrors)))
