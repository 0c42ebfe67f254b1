"""Which files of a post a download is made of: by the id of a format, or by quality and container. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clipstead.capture.choose import Want, fetchable, lines
from clipstead.errors import InvalidParams
from clipstead.model import Media, MediaKind, Post

SLIDESHOW = "slideshow"
VIDEO_FILES = ("mp4", "webm", "mkv")
AUDIO_FILES = ("mp3", "m4a", "wav", "ogg", "flac")
_NAMED = re.compile(r"(?:best|highest|high|hd|medium|sd|low|lowest|worst)", re.IGNORECASE)
_LINES = re.compile(r"(\d{2,5})p?(?:\d{2,3})?(?: ?(?:hdr|watermarked|video only))?", re.IGNORECASE | re.ASCII)
_RATE = re.compile(r"(?:\d{1,4} ?kb?ps|audio|photo|slideshow|wm)", re.IGNORECASE | re.ASCII)
_AT_MOST = {"medium": 720, "sd": 480, "low": 360, "lowest": 0, "worst": 0}
_NO_LIMIT = 1 << 20
_HD = 720
_FITS = {
    "mp4": frozenset({"h264", "hevc", "av1"}),
    "webm": frozenset({"vp8", "vp9", "av1"}),
    "m4a": frozenset({"aac"}),
    "ogg": frozenset({"opus", "vorbis"}),
    "mp3": frozenset({"mp3"}),
}
_SOUND_BESIDE = {"mp4": "m4a", "webm": "ogg"}
_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class Ask:
    """What a client asks for; "" is no wish. `format_id` names one of `formats`, `container` a kind of file."""

    format_id: str = ""
    container: str = ""
    quality: str = ""
    watermark: bool = False

    @property
    def only_sound(self) -> bool:
        """Whether a file of sound alone is asked for."""
        return self.container in AUDIO_FILES


@dataclass(frozen=True, slots=True)
class Picked:
    """What to fetch: a picture that may bring its sound along, a sound of its own, or photos; at least one of them."""

    picture: Want | None = None
    sound: Want | None = None
    photos: tuple[Want, ...] = ()


def check_quality(quality: str) -> str:
    """The quality as it is, if it is one. Raises InvalidParams."""
    if quality and not any(known.fullmatch(quality) for known in (_NAMED, _LINES, _RATE)):
        raise InvalidParams({"quality": "must be like 1080p, or one of best, high, medium, low"})
    return quality


def has_sound(media: Media) -> bool:
    """Whether a video is known to come with its sound: what is not told counts as yes."""
    return "video only" not in media.quality


def find(post: Post, format_id: str) -> Media | None:
    """The file of that id; yt-dlp's own ids are known without our prefix too."""
    return post.variant(format_id) or post.variant(f"yt-{format_id}")


def pick(post: Post, ask: Ask) -> Picked | None:
    """The files to fetch, or None where the post has nothing of the kind. Raises InvalidParams for an unknown id."""
    videos, sounds, photos = (post.of_kind(kind) for kind in (MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.IMAGE))
    if ask.format_id and ask.format_id != SLIDESHOW:
        return _named(post, ask)
    if photos:
        return _photos(photos, sounds, ask)
    if ask.only_sound:
        return _only_sound(post, sounds, ask)
    return _video(videos, sounds, ask) or _only_sound(None, sounds, ask)


def _named(post: Post, ask: Ask) -> Picked | None:
    media = find(post, ask.format_id)
    if media is None or media.kind not in (MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.IMAGE):
        raise InvalidParams({"formatId": "must be the id of one of the formats of this post"})
    sounds = post.of_kind(MediaKind.AUDIO)
    alone = fetchable([media])
    if not alone:
        return None
    if media.kind is MediaKind.IMAGE:
        return Picked(photos=(Want(alone),))
    if media.kind is MediaKind.AUDIO:
        return Picked(sound=Want(alone))
    if ask.only_sound and not has_sound(media):
        return _only_sound(None, sounds, ask)
    return _with_sound(alone, sounds, ask)


def _photos(photos: Sequence[Media], sounds: Sequence[Media], ask: Ask) -> Picked | None:
    sound = fetchable(sounds)
    if ask.only_sound:
        return Picked(sound=Want(sound)) if sound else None
    wants = tuple(Want(found) for photo in photos if (found := fetchable([photo])))
    return Picked(photos=wants, sound=Want(sound, extra=True) if sound else None) if wants else None


def _only_sound(post: Post | None, sounds: Sequence[Media], ask: Ask) -> Picked | None:
    """A video's own sound is what is heard in it; the track it was made from is something else, and comes last."""
    videos = post.of_kind(MediaKind.VIDEO) if post else ()
    speaking = [video for video in videos if has_sound(video)]
    apart = fetchable(sorted(sounds, key=_sound_rank(ask.container)))
    if apart and (not speaking or len(speaking) < len(videos)):
        return Picked(sound=Want(apart))
    # All of TikTok's qualities have the same sound: the smallest will do.
    sign = 1 if post and post.link.platform == "tiktok" else -1
    heard = fetchable(sorted(speaking, key=lambda video: (video.watermark, not _plain(video), sign * _weight(video))))
    if heard:
        return Picked(picture=Want(heard))
    return Picked(sound=Want(apart)) if apart else None


def _video(videos: Sequence[Media], sounds: Sequence[Media], ask: Ask) -> Picked | None:
    ranked = fetchable(sorted(videos, key=_video_rank(ask, bool(sounds))))
    if not ranked:
        return None
    return _with_sound(ranked, sounds, ask)


def _with_sound(ranked: Sequence[Media], sounds: Sequence[Media], ask: Ask) -> Picked | None:
    """The best picture and those to fall back on, all of its sort: with their sound, or each without."""
    speaks = has_sound(ranked[0])
    same = tuple(video for video in ranked if has_sound(video) is speaks)
    if speaks:
        return Picked(picture=Want(same))
    beside = _SOUND_BESIDE.get(ask.container or _container_of(ranked[0]), "")
    apart = fetchable(sorted(sounds, key=_sound_rank(beside)))[:_ALTERNATIVES]
    return Picked(picture=Want(same[:_ALTERNATIVES], silent=True), sound=Want(apart) if apart else None)


def _video_rank(ask: Ask, sounds: bool) -> Callable[[Media], tuple[object, ...]]:
    """Smaller is better: the mark as wanted, heard, within the wanted lines, in a codec the file takes, then more."""
    most = _most_lines(ask.quality)

    def rank(video: Media) -> tuple[object, ...]:
        high = lines(video)
        # Without figures, "hd" is taken for what it usually is.
        above = high > most if high < _NO_LIMIT else most < _HD
        silent = not has_sound(video) and not sounds
        fits = _fits(video, ask.container)
        named = ask.quality.lower() == video.variant
        size, smooth = (high if above else -high), -(video.fps or 0)
        weight = -_rate(video) if most else _rate(video)
        wished = (video.watermark != ask.watermark, silent, not named, above, not fits)
        return *wished, size, smooth, video.segmented, weight

    return rank


def _sound_rank(container: str) -> Callable[[Media], tuple[object, ...]]:
    def rank(sound: Media) -> tuple[object, ...]:
        return not _fits(sound, container), sound.segmented, -_rate(sound)

    return rank


def _rate(media: Media) -> int:
    return media.bitrate or 0


def _weight(video: Media) -> int:
    return video.size or _rate(video)


def _plain(video: Media) -> bool:
    return video.codec in (None, "h264")


def _fits(media: Media, container: str) -> bool:
    """Whether it may go into that file as it is, as far as is known."""
    known = _FITS.get(container)
    return known is None or media.codec in known or (media.codec is None and media.ext in ("", container))


def _container_of(video: Media) -> str:
    return video.ext if video.ext in VIDEO_FILES else "mp4"


def _most_lines(quality: str) -> int:
    word = quality.lower()
    found = _LINES.fullmatch(word)
    return int(found[1]) if found else _AT_MOST.get(word, _NO_LIMIT)
