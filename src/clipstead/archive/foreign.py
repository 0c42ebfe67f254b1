"""What others have kept, understood: yt-dlp's download archives, its info files, and the media that lie beside them."""

from __future__ import annotations

import asyncio
import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from clipstead.archive import layout
from clipstead.archive.intake import Entry
from clipstead.archive.spoken import spoken
from clipstead.archive.store.disk import digest
from clipstead.errors import BadMedia, ProviderFailed, UnsupportedLink
from clipstead.media import Probe, probe
from clipstead.model import Link, MediaKind, Post
from clipstead.resolve import loose, ytdlp_post
from clipstead.resolve.links import parse
from clipstead.resolve.tiktok_links import post_link

INFO = ".info.json"
_UNFINISHED = (".part", ".ytdl", ".temp", ".json", ".description", ".url", ".webloc", ".desktop")
_LONGEST_LINE = 500
_LONGEST_SUBTITLES = 8 * 1024**2
_PAGES: Mapping[str, str] = {
    "youtube": "https://www.youtube.com/watch?v={}",
    "vimeo": "https://vimeo.com/{}",
    "twitter": "https://twitter.com/i/status/{}",
    "instagram": "https://www.instagram.com/p/{}/",
    "dailymotion": "https://www.dailymotion.com/video/{}",
}


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A file beside an info file, looked at: what it is, its hash, and the language in its name ("" = none)."""

    path: Path
    kind: MediaKind
    found: Probe
    sha256: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class ForeignPost:
    """What an info file tells; `files` is empty where nothing but a cover or subtitles lies beside it.

    `seen_at` is when yt-dlp looked, `kept_at` when the file was written.
    """

    aweme_id: str
    post: Post
    files: tuple[ForeignFile, ...]
    subtitles: str
    seen_at: datetime
    kept_at: datetime


def archived_entry(line: str) -> Entry:
    """A line of a download archive ("tiktok 7123...") as a post to capture. Raises UnsupportedLink."""
    extractor, _, name = line[:_LONGEST_LINE].strip().partition(" ")
    name = name.strip()
    if extractor.lower() == "tiktok" and name.isascii() and name.isdigit():
        link = post_link(name)
    elif page := _PAGES.get(extractor.lower()):
        link = parse(page.format(name))
    else:
        raise UnsupportedLink("names no post that can be found again by its id")
    return Entry(layout.post_id(link), link.url)


def is_download_archive(text: str) -> bool:
    """Whether a text looks like one: two words a line, and nothing else."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    return bool(lines) and all(len(words) == 2 and "/" not in words[0] and ":" not in words[0] for words in lines)


async def read_info(path: Path, data: bytes) -> ForeignPost | None:
    """An info file and what lies beside it; None for one that is about a list. Raises BadMedia, UnsupportedLink."""
    info = loose.node(_decoded(data))
    if info.get("_type") in ("playlist", "multi_video", "channel"):
        return None
    link = _link(info)
    post = _post(info, link)
    files = await asyncio.to_thread(lambda: list(_files(path)))
    mains = [file for file in files if file.kind in (MediaKind.VIDEO, MediaKind.AUDIO)]
    said = await asyncio.to_thread(lambda: [_said(file) for file in files if file.kind is MediaKind.SUBTITLE])
    written = datetime.fromtimestamp((mains[0].path if mains else path).stat().st_mtime, UTC)
    epoch = loose.moment(info.get("epoch"))
    seen = datetime.fromtimestamp(epoch, UTC) if epoch else written
    kept = tuple(files) if mains else ()
    return ForeignPost(layout.post_id(link), post, kept, "\n".join(said), min(seen, written), written)


def _said(file: ForeignFile) -> str:
    """The words of subtitles, of which no post has more than so many bytes."""
    with file.path.open("rb") as opened:
        return spoken(file.found.ext, opened.read(_LONGEST_SUBTITLES))


def _decoded(data: bytes) -> object:
    try:
        return loose.decode(data, "the file")
    except ProviderFailed as error:
        raise BadMedia(str(error)) from None


def _link(info: loose.Node) -> Link:
    for name in ("webpage_url", "original_url", "url"):
        told = loose.text(info.get(name))
        if told:
            try:
                link = parse(told)
                layout.post_id(link)
            except UnsupportedLink:
                continue
            return link
    raise UnsupportedLink("is no info file of a post: no link in it leads to one")


def _post(info: loose.Node, link: Link) -> Post:
    """Without a list of formats there is nothing to download, which is no matter here."""
    try:
        return ytdlp_post.parse(info, link)
    except ProviderFailed:
        kept = {"url": link.url, "ext": "mp4", "format_id": "kept", "protocol": "https"}
        return ytdlp_post.parse({**info, "formats": [kept], "requested_formats": None}, link)


def _files(info_path: Path) -> Iterator[ForeignFile]:
    """The video or sound, one cover, subtitles: what is no media is passed over, a damaged file is an error."""
    stem = info_path.name.removesuffix(INFO)
    main = cover = False
    for name in _beside(info_path.parent, stem):
        path = info_path.parent / name
        if name.endswith(_UNFINISHED) or not path.is_file():
            continue
        found = probe(path)
        if found.kind in (MediaKind.VIDEO, MediaKind.AUDIO) and not main:
            main = True
            yield _file(path, found.kind, found)
        elif found.kind is MediaKind.IMAGE and not cover:
            cover = True
            yield _file(path, MediaKind.COVER, found)
        elif found.kind is MediaKind.SUBTITLE:
            yield _file(path, found.kind, found, name.removeprefix(f"{stem}.").rpartition(".")[0])


def _file(path: Path, kind: MediaKind, found: Probe, language: str = "") -> ForeignFile:
    return ForeignFile(path, kind, found, digest(path), language)


def _beside(folder: Path, stem: str) -> list[str]:
    """Names that begin with `stem.`; a folder is listed once, for it may hold very many."""
    names, prefix = _names(folder), f"{stem}."
    start = bisect.bisect_left(names, prefix)
    end = start
    while end < len(names) and names[end].startswith(prefix):
        end += 1
    return [name for name in names[start:end] if not name.endswith(INFO)]


@lru_cache(maxsize=1)
def _names(folder: Path) -> Sequence[str]:
    return sorted(path.name for path in folder.iterdir())
