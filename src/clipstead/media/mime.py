"""The media type of every sort of file we hand out, by its extension; what is not here is bytes and nothing more."""

OPAQUE = "application/octet-stream"

# What a browser may show by itself: nothing that can hold a script is among them.
SHOWN = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "heic": "image/heic",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
}
SUBTITLES = {"vtt": "text/vtt", "srt": "application/x-subrip"}
_OTHERS = {
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "wmv": "video/x-ms-wmv",
    "ts": "video/mp2t",
    "mpg": "video/mpeg",
    "tiff": "image/tiff",
    "ac3": "audio/ac3",
    "amr": "audio/amr",
    "aif": "audio/aiff",
    "caf": "audio/x-caf",
}


def mime_of(ext: str) -> str:
    """The type for an extension without a dot."""
    return SHOWN.get(ext) or _OTHERS.get(ext) or OPAQUE
