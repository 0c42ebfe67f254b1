"""What a post can be had as: a list to choose from, each with the id by which `pick` finds it again. Pure."""

from dataclasses import dataclass

from clipstead.capture.choose import fetchable
from clipstead.capture.pick import SLIDESHOW
from clipstead.model import Media, MediaKind, Post

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Format:
    """One choice. `quality` and `resolution` in words, `filesize` in bytes: about, where only a rate is told."""

    id: str
    ext: str
    quality: str
    resolution: str
    filesize: int | None
    fps: float | None
    label: str


def formats(post: Post) -> list[Format]:
    """Every choice, the best first; empty where the post has nothing that can be fetched."""
    photos = [photo for photo in post.of_kind(MediaKind.IMAGE) if fetchable([photo])]
    videos = [] if photos else sorted(fetchable(post.of_kind(MediaKind.VIDEO)), key=_rank)
    sounds = fetchable(post.of_kind(MediaKind.AUDIO))
    shown = [_of_video(video, post) for video in videos]
    if photos:
        shown += [Format(SLIDESHOW, "mp4", SLIDESHOW, _UNKNOWN, None, None, f"{SLIDESHOW} (mp4)")]
        shown += [_of_photo(photo, number) for number, photo in enumerate(photos, 1)]
    return [*shown, *(_of_sound(sound, post) for sound in sounds)]


def _rank(video: Media) -> tuple[bool, int]:
    """As the post has them, but the marked ones last; those without sound are given one, so they are as good."""
    return video.watermark, -(min(video.width, video.height) if video.width and video.height else 0)


def _of_video(video: Media, post: Post) -> Format:
    lines = _lines(video)
    quality = f"{lines}p" if lines else video.quality or video.variant
    marked = " watermarked" if video.watermark and "wm" not in quality else ""
    ext = video.ext or "mp4"
    return Format(
        video.variant,
        ext,
        quality,
        _resolution(video),
        _size(video, post),
        video.fps,
        f"{'watermarked' if quality == 'wm' else quality}{marked} ({ext})",
    )


def _lines(video: Media) -> int | None:
    told = video.quality.removesuffix(" video only").removesuffix("p")
    if told.isdecimal():
        return int(told)
    return min(video.width, video.height) if video.width and video.height else None


def _of_photo(photo: Media, number: int) -> Format:
    ext = photo.ext or "jpg"
    return Format(photo.variant, ext, "photo", _resolution(photo), photo.size, None, f"photo {number} ({ext})")


def _of_sound(sound: Media, post: Post) -> Format:
    quality = f"{round(sound.bitrate / 1000)}kbps" if sound.bitrate else "audio"
    ext = sound.ext or "m4a"
    return Format(sound.variant, ext, quality, "audio only", _size(sound, post), None, f"{quality} ({ext})")


def _resolution(media: Media) -> str:
    return f"{media.width}x{media.height}" if media.width and media.height else _UNKNOWN


def _size(media: Media, post: Post) -> int | None:
    seconds = media.duration or post.duration
    if media.size is not None or not media.bitrate or not seconds:
        return media.size
    return round(media.bitrate * seconds / 8)
