"""Which bytes stand behind each file id: videos in five qualities, pictures, sounds, subtitles, all made on demand.

kind   file
v      1080 wide, labelled HEVC     n  720 wide, H.264, the plain `playAddr`     m  720 wide, labelled HEVC
k      576 wide, labelled HEVC      l  576 wide, H.264                           w  720 wide, with the watermark
i      picture of a photo post      c o d  covers     s  subtitles     a  sound     u  avatar or emblem
The "HEVC" ones hold H.264 like the others: nobody plays them here, and probing tells.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from clipstead.practice import words
from clipstead.practice.addresses import SILENT, FileRef
from clipstead.practice.catalog import Catalog, PracticePost, PracticeSound
from clipstead.practice.jpeg import Colour, jpeg
from clipstead.practice.mp3 import mp3
from clipstead.practice.mp4 import Shape, m4a, mp4, mp4_size

_CACHE_BYTES = 96 * 1024 * 1024
_SMALL = 64 * 1024  # pictures and captions, which cost more to make than to keep


@dataclass(frozen=True, slots=True)
class Variant:
    """One quality of a video: how the page labels it and its share of the wanted size."""

    kind: str
    gear: str
    codec: str
    key: str
    quality: int
    short_side: int
    long_side: int
    share: float

    def size(self, post: PracticePost) -> tuple[int, int]:
        """Width and height in pixels."""
        return (self.long_side, self.short_side) if post.landscape else (self.short_side, self.long_side)


VARIANTS = (
    Variant("v", "adapt_lowest_1080_1", "h265_hvc1", "bytevc1_1080p", 2, 1080, 1920, 1.0),
    Variant("n", "normal_720_0", "h264", "h264_720p", 10, 720, 1280, 0.86),
    Variant("m", "adapt_lower_720_1", "h265_hvc1", "bytevc1_720p", 14, 720, 1280, 0.63),
    Variant("k", "adapt_540_1", "h265_hvc1", "bytevc1_540p", 28, 576, 1024, 0.48),
    Variant("l", "lowest_540_0", "h264", "h264_540p", 25, 576, 1024, 0.30),
)
WATERMARKED = Variant("w", "download_720_0", "h264", "h264_720p", 10, 720, 1280, 0.92)
PLAIN = VARIANTS[1]
_BY_KIND = {variant.kind: variant for variant in (*VARIANTS, WATERMARKED)}
_TYPES = {"i": "image/jpeg", "c": "image/jpeg", "o": "image/jpeg", "d": "image/jpeg", "u": "image/jpeg"}


@dataclass(frozen=True, slots=True)
class File:
    """A file's bytes and content type."""

    data: bytes
    type: str


class _Shelf:
    """The files used last, as many as its share of the memory holds."""

    def __init__(self) -> None:
        self._files: OrderedDict[FileRef, File] = OrderedDict()
        self._held = 0

    def find(self, ref: FileRef) -> File | None:
        file = self._files.get(ref)
        if file is not None:
            self._files.move_to_end(ref)
        return file

    def put(self, ref: FileRef, file: File) -> None:
        self._files[ref] = file
        self._held += len(file.data)
        while self._held > _CACHE_BYTES // 2 and len(self._files) > 1:
            self._held -= len(self._files.popitem(last=False)[1].data)


class Files:
    """Makes files and keeps the last ones made; `video_bytes` is the wanted size of the best quality."""

    def __init__(self, catalog: Catalog, video_bytes: int) -> None:
        self._catalog = catalog
        self._video_bytes = video_bytes
        self._small, self._large = _Shelf(), _Shelf()  # a video must not push out a hundred pictures

    def get(self, ref: FileRef) -> File | None:
        """The file, or None where there is no such thing."""
        file = self._small.find(ref) or self._large.find(ref)
        if file is None and (file := self._make(ref)) is not None:
            (self._small if len(file.data) <= _SMALL else self._large).put(ref, file)
        return file

    def video_size(self, post: PracticePost, variant: Variant, silent: bool = False) -> int:
        """The exact size of that file."""
        return mp4_size(self._shape(post, variant, silent))

    def image_size(self, post: PracticePost, index: int) -> tuple[int, int]:
        """Width and height of a picture of a photo post."""
        return ((1080, 1350), (1080, 1440), (640, 800))[(post.number + index) % 3]

    def _shape(self, post: PracticePost, variant: Variant, silent: bool) -> Shape:
        width, height = variant.size(post)
        return Shape(width, height, post.seconds, int(self._video_bytes * variant.share), not silent)

    def _make(self, ref: FileRef) -> File | None:
        if ref.kind == "a":
            sound = self._catalog.sound(ref.owner)
            return _sound_file(sound) if sound else None
        if ref.kind == "u":
            return File(self._picture(ref, 100 * (1 + ref.index), 100 * (1 + ref.index)), "image/jpeg")
        post = self._catalog.by_id(ref.owner)
        if post is None:
            return None
        if ref.kind == "s":
            return File(subtitles(post, ref.index).encode(), "text/vtt; charset=utf-8")
        if ref.kind in _TYPES:
            size = self.image_size(post, ref.index) if ref.kind == "i" else (720, 1280)
            return File(self._picture(ref, *size), _TYPES[ref.kind])
        variant = _BY_KIND.get(ref.kind)
        if variant is None or post.kind != "video":
            return None
        data = mp4(self._shape(post, variant, ref.flag == SILENT), post.hue, f"practice {post.id} {variant.gear}")
        return File(data, "video/mp4")

    def _picture(self, ref: FileRef, width: int, height: int) -> bytes:
        dice = hashlib.blake2b(ref.id.encode(), digest_size=6).digest()
        return jpeg(width, height, _colour(dice[:3]), _colour(dice[3:]), f"practice {ref.owner} {ref.kind}{ref.index}")


def subtitles(post: PracticePost, index: int) -> str:
    """The captions of a video in WebVTT; `index` 0 is its own language, others are "translations"."""
    lines = ["WEBVTT", ""]
    for start in range(0, post.seconds, 2):
        end = min(start + 2, post.seconds)
        text = words.CAPTIONS[(post.number + start // 2) % len(words.CAPTIONS)]
        lines += [f"00:00:{start:02d}.000 --> 00:00:{end:02d}.000", text if index == 0 else f"({index}) {text}", ""]
    return "\n".join(lines)


def _sound_file(sound: PracticeSound) -> File:
    if sound.ext == "m4a":
        return File(m4a(sound.seconds, f"practice {sound.id}"), "audio/mp4")
    return File(mp3(sound.seconds, sound.title, sound.artist), "audio/mpeg")


def _colour(dice: bytes) -> Colour:
    return 60 + dice[0] % 160, 64 + dice[1] % 128, 64 + dice[2] % 128
