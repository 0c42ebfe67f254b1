"""A file on disk is looked at and either described or refused in a few words."""

import os
from pathlib import Path

from clipstead.errors import BadMedia, StorageError
from clipstead.media.captions import read_captions, read_json_captions
from clipstead.media.facts import Probe
from clipstead.media.flash import read_flv
from clipstead.media.matroska import read_matroska
from clipstead.media.mp3 import read_mp3
from clipstead.media.mp4 import read_mp4
from clipstead.media.pictures import read_picture
from clipstead.media.sniff import sniff, textual
from clipstead.media.sounds import read_flac, read_ogg, read_wav
from clipstead.media.source import Source

__all__ = ["Probe", "examine", "probe"]

_HEAD = 4096
_SOUNDS = {"mp3": read_mp3, "wav": read_wav, "flac": read_flac, "ogg": read_ogg}


def probe(path: Path) -> Probe:
    """Describe the file at `path`.

    Raises BadMedia: "empty", "truncated" (transient), "not a media file (HTML)", "damaged: ...", "no video and no
    sound in it"; StorageError if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return examine(Source(file, os.fstat(file.fileno()).st_size))
    except OSError as error:
        raise StorageError(f"Cannot read {path.name}: {error.strerror}") from None


def examine(source: Source) -> Probe:
    """Describe a file that is open already. Raises BadMedia as `probe` does."""
    head = source.upto(0, _HEAD)
    if not head:
        raise BadMedia("empty")
    found = sniff(head)
    if found is None:
        return _unannounced(source, head)
    ext, mime = found
    if mime.startswith("image/"):
        return read_picture(source, ext, mime)
    if ext in _SOUNDS:
        return _SOUNDS[ext](source)
    if ext in ("vtt", "srt"):
        return read_captions(source, ext, mime)
    if ext in ("webm", "mkv"):
        return read_matroska(source, ext)
    return read_flv(source) if ext == "flv" else read_mp4(source, ext, mime)


def _unannounced(source: Source, head: bytes) -> Probe:
    sort = textual(head)
    if sort == "JSON":
        return read_json_captions(source)
    raise BadMedia(f"not a media file ({sort})" if sort else "not a media file")
