"""MP4, MOV, M4A and 3GP: what is in them, and whether all of it is there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from clipstead.errors import BadMedia
from clipstead.media.boxes import Box, child, inside, outermost
from clipstead.media.facts import Probe
from clipstead.media.fragments import Fragments, default_durations
from clipstead.media.samples import extent
from clipstead.media.source import Source, truncated
from clipstead.media.tracks import Track, movie_time, read_track
from clipstead.model import MediaKind

_MAX_INDEX = 48 * 1024 * 1024
_MAX_TRACKS = 64
_STILLS = frozenset({"jpeg", "png", "mjpa", "mjpb"})


@dataclass(slots=True)
class _Movie:
    """The outermost boxes that matter; `index` is the body of `moov`."""

    index: bytes = b""
    has_data: bool = False
    moofs: list[Box] = field(default_factory=list)


class _Held(NamedTuple):
    """A track of which the file holds samples, and how long they last."""

    track: Track
    duration: float | None


def read_mp4(source: Source, ext: str, mime: str) -> Probe:
    """Probe a file whose `ftyp` says `ext` and `mime`. Raises BadMedia: truncated, damaged, nothing in it."""
    movie = _survey(source)
    moov = Box(b"moov", 0, 0, len(movie.index))
    scale, seconds = movie_time(movie.index, moov)
    traks = [box for box in inside(movie.index, moov.body, moov.end) if box.kind == b"trak"]
    if len(traks) > _MAX_TRACKS:
        raise BadMedia("damaged: too many tracks")
    tracks = [read_track(movie.index, trak, scale) for trak in traks]
    return _describe(source.size, ext, mime, _held(source, movie, moov, tracks), seconds)


def _survey(source: Source) -> _Movie:
    movie = _Movie()
    for box in outermost(source):
        if box.kind == b"moov" and not movie.index:
            if box.end - box.body > _MAX_INDEX:
                raise BadMedia("damaged: its index is too large")
            movie.index = source.at(box.body, box.end - box.body)
        elif box.kind == b"mdat":
            movie.has_data = True
        elif box.kind == b"moof":
            movie.moofs.append(box)
    if not movie.index or not movie.has_data:
        raise truncated()
    return movie


def _held(source: Source, movie: _Movie, moov: Box, tracks: Sequence[Track]) -> list[_Held]:
    """The tracks that have samples, all of which lie within the file; raises BadMedia (truncated) if some do not."""
    extends = child(movie.index, moov, b"mvex")
    fragments = Fragments(default_durations(movie.index, extends) if extends else {})
    for moof in movie.moofs:
        fragments.add(source, moof)
    held = []
    for track in tracks:
        samples, end = extent(movie.index, track.table)
        if end > source.size:
            raise truncated()
        if samples or track.id in fragments.ends:
            moving = fragments.ends.get(track.id, 0) / (track.timescale or 1)
            held.append(_Held(track, max(track.duration or 0.0, moving) or None))
    return held


def _describe(size: int, ext: str, mime: str, held: Sequence[_Held], seconds: float | None) -> Probe:
    video = next((h for h in held if h.track.kind == "vide" and h.track.codec not in _STILLS), None)
    audio = next((h for h in held if h.track.kind == "soun"), None)
    if video is None and audio is None:
        raise BadMedia("no video and no sound in it")
    if video is None:
        ext, mime = "m4a", "audio/mp4"
    elif ext == "m4a":
        ext, mime = "mp4", "video/mp4"
    lengths = [h.duration for h in (video, audio) if h is not None and h.duration]
    width, height = video.track.shown if video else (0, 0)
    return Probe(
        kind=MediaKind.VIDEO if video else MediaKind.AUDIO,
        ext=ext,
        mime=mime,
        size=size,
        duration=max(lengths, default=seconds),
        width=width or None,
        height=height or None,
        video=video.track.codec if video else None,
        audio=audio.track.codec if audio else None,
    )
