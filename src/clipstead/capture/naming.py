"""File names for what was captured: a template of a few known words, made safe on every file system."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from clipstead.errors import InvalidParams
from clipstead.model import Link, Media, MediaKind, Post

DEFAULT_TEMPLATE = "{author}_{id}.{ext}"
FIELDS = ("id", "author", "nickname", "title", "platform", "date", "variant", "quality", "index", "ext")

_MAX_BYTES = 255
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_DIRECTION_MARKS = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)


def safe_name(text: str, *, max_bytes: int = _MAX_BYTES) -> str:
    """One path component from any text: no separators, control or direction marks, no leading dot, cut on a character.

    Anything that nothing is left of becomes "_". Length is in bytes of UTF-8.
    """
    clean = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    clean = _DIRECTION_MARKS.sub("", _FORBIDDEN.sub("_", clean))
    clean = re.sub(r"\s+", " ", clean).strip(" .")
    if _RESERVED.match(clean):
        clean = "_" + clean
    return _cut(clean, max_bytes).rstrip(" .") or "_"


def _cut(text: str, max_bytes: int) -> str:
    return text.encode()[: max(max_bytes, 0)].decode("utf-8", "ignore")


_SPECIMEN = Post("7", Link("tiktok", "", "7"))


def check_template(template: str) -> str:
    """The template itself, or InvalidParams when it names a field there is not, or cannot be filled."""
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise InvalidParams({"output": f"is no template: {error}"}) from None
    unknown = names - set(FIELDS)
    if unknown or not names & {"id", "title"}:
        raise InvalidParams({"output": f"must use {{id}} or {{title}}, and only {', '.join(FIELDS)}"})
    try:
        render(template, _SPECIMEN, Media(MediaKind.VIDEO, "hd", ""), "mp4")
    except (ValueError, LookupError) as error:
        raise InvalidParams({"output": f"is no template: {error}"}) from None
    return template


def render(template: str, post: Post, media: Media, ext: str) -> Path:
    """Where one file of a post goes, relative or absolute as the template is; photos get _01, others their own tail."""
    values = _values(post, media)
    folder, slash, leaf = template.rpartition("/")
    stem = leaf.removesuffix(".{ext}").removesuffix("{ext}")
    tail = _tail(stem, media) + f".{safe_name(ext, max_bytes=16)}"
    name = safe_name(_fill(stem, values), max_bytes=_MAX_BYTES - len(tail.encode())) + tail
    parts = [_fill(part, values) if "{" not in part else safe_name(_fill(part, values)) for part in folder.split("/")]
    return Path("/".join(parts) + slash + name)


def info_path(template: str, post: Post) -> Path:
    """Where the file about the post itself goes: beside the others, under the post's own name."""
    return render(template, post, Media(MediaKind.VIDEO, "info", ""), "info.json")


def _fill(text: str, values: Mapping[str, str]) -> str:
    return string.Formatter().vformat(text, (), values)


def _tail(stem: str, media: Media) -> str:
    """What keeps the files of one post apart where the template itself does not."""
    if "{variant}" in stem or (media.kind is MediaKind.IMAGE and "{index}" in stem):
        return ""
    if media.kind is MediaKind.IMAGE:
        return f"_{_index(media):02d}"
    if media.kind is MediaKind.SUBTITLE:
        return f".{safe_name(media.language or media.variant, max_bytes=32)}"
    return "_cover" if media.kind is MediaKind.COVER else ""


def _index(media: Media) -> int:
    digits = media.variant.rpartition("-")[2]
    return int(digits) if media.kind is MediaKind.IMAGE and digits.isdigit() else 1


def _values(post: Post, media: Media) -> dict[str, str]:
    when = datetime.fromtimestamp(post.created_at, UTC).strftime("%Y-%m-%d") if post.created_at else "undated"
    values = {
        "id": post.id,
        "author": post.author.username or "unknown",
        "nickname": post.author.nickname or post.author.username or "unknown",
        "title": _cut(post.title, 120) or post.id,
        "platform": post.link.platform,
        "date": when,
        "variant": media.variant,
        "quality": media.quality or media.variant,
        "index": f"{_index(media):02d}",
        "ext": "",
    }
    return {name: safe_name(value, max_bytes=180) for name, value in values.items()}
