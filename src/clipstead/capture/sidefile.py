"""The small files beside a captured post, and what of it is there already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clipstead.errors import StorageError
from clipstead.model import Media, MediaKind, Post
from clipstead.model_json import post_json

# What a file of each kind may end in once its content has been looked at.
_ENDINGS = {
    MediaKind.VIDEO: ("mp4", "webm", "mkv", "mov", "flv", "3gp"),
    MediaKind.IMAGE: ("jpg", "jpeg", "png", "webp", "gif", "avif", "heic"),
    MediaKind.COVER: ("jpg", "jpeg", "png", "webp", "gif", "avif", "heic"),
    MediaKind.AUDIO: ("mp3", "m4a", "ogg", "opus", "wav", "flac", "webm", "mkv", "flv"),
    MediaKind.SUBTITLE: ("vtt", "srt", "json", "ttml"),
}


def existing(name: Callable[[Media, str], Path]) -> Callable[[Media], Path | None]:
    """A test for "this file is there already", whichever ending its content gave it."""

    def find(media: Media) -> Path | None:
        paths = (name(media, ending) for ending in _ENDINGS[media.kind])
        return next((path for path in paths if _holds_something(path)), None)

    return find


def _holds_something(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise StorageError(f"Cannot look for {path.name}: {error.strerror}") from None


def write_info(post: Post, path: Path) -> Path:
    """What is known of a post, without addresses or cookies, as JSON at `path`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(post_json(post, addresses=False) + b"\n")
    except OSError as error:
        raise StorageError(f"cannot write {path.name}: {error.strerror}") from None
    return path
