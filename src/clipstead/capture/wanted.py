"""What a caller asks for, and what he gets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clipstead.media import Probe
from clipstead.model import Media


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which files of a post: one video or all images (and their sound), plus what is asked for besides.

    `audio_only` asks for the sound and nothing else of the main files; `watermark` prefers the marked video.
    """

    quality: Literal["best", "hd", "sd"] = "best"
    audio_only: bool = False
    cover: bool = False
    subtitles: bool = False
    watermark: bool = False
    sound_with_photos: bool = True


@dataclass(frozen=True, slots=True)
class Captured:
    """One file, in place: `media` is the variant it came from, `sha256` in hex ("" unless hashing was asked for),
    `skipped` says that it was there already, `breaks` that it is a stream whose clock begins anew in the middle."""

    media: Media
    path: Path
    bytes: int
    sha256: str
    probe: Probe
    skipped: bool = False
    breaks: bool = False
