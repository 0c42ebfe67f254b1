"""What the address of a TikTok CDN file tells about itself: when it ends, and what kind of file it names."""

from urllib.parse import urlsplit

# An address outside these years is a number that only looks like a time.
_FROM, _UNTIL = 1_300_000_000, 4_200_000_000

_BY_MIME = {
    "video_mp4": "mp4",
    "audio_mpeg": "mp3",
    "audio_mp3": "mp3",
    "audio_mp4": "m4a",
    "audio_x_m4a": "m4a",
    "audio_aac": "aac",
    "image_jpeg": "jpg",
    "image_png": "png",
    "image_webp": "webp",
}
_BY_SUFFIX = {
    "mp4": "mp4",
    "mp3": "mp3",
    "m4a": "m4a",
    "aac": "aac",
    "jpg": "jpg",
    "jpeg": "jpg",
    "png": "png",
    "webp": "webp",
    "heic": "heic",
    "avif": "avif",
    "gif": "gif",
}


def expires_at(url: str) -> float | None:
    """The unix time in seconds at which `url` stops working, where it says so.

    Two forms: `?x-expires=1784354400` or `?expire=...`, and a signed path `/<32 hex digits>/<time in hex>/...`.
    """
    at = url.find("expire")
    if at > 0:
        told = url.find("=", at, at + 8) + 1
        if told:
            return _in_digits(url[told : told + 10], 10)
    parts = url.split("/", 5)
    if len(parts) == 6 and len(parts[3]) == 32 and len(parts[4]) == 8:
        return _in_digits(parts[4], 16)
    return None


def moment(seconds: int | None) -> float | None:
    """Unix seconds, if they can be the end of an address at all."""
    return float(seconds) if seconds and _FROM < seconds < _UNTIL else None


def ext(url: str, default: str) -> str:
    """The likely file name extension, without a dot; the content has the last word once the file is here."""
    at = url.find("mime_type=")
    if at > 0:
        known = _BY_MIME.get(url[at + 10 : at + 26].split("&", 1)[0])
        if known:
            return known
    path = url.partition("?")[0]
    return _BY_SUFFIX.get(path[path.rfind(".") + 1 :].lower(), default)


def is_audio(url: str) -> bool:
    """Whether the address names a sound file: photo posts carry their sound where a video would stand."""
    return "mime_type=audio" in url or ext(url, "") in ("mp3", "m4a", "aac")


def host(url: str) -> str:
    """The host of an address in lower case, "" for none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _in_digits(digits: str, base: int) -> float | None:
    try:
        return moment(int(digits, base))
    except ValueError:
        return None
