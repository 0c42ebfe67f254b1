"""Subtitles, which are text: WebVTT, SubRip, and the JSON that TikTok calls creator captions."""

import orjson

from clipstead.errors import BadMedia
from clipstead.media.facts import Probe
from clipstead.media.source import Source
from clipstead.model import MediaKind

_MAX_BYTES = 16 * 1024 * 1024


def read_captions(source: Source, ext: str, mime: str) -> Probe:
    """Probe a WebVTT or SubRip file. Raises BadMedia if it is no UTF-8 text."""
    try:
        _whole(source).decode("utf-8")
    except UnicodeDecodeError:
        raise BadMedia("damaged: subtitles that are no UTF-8 text") from None
    return Probe(MediaKind.SUBTITLE, ext, mime, source.size)


def read_json_captions(source: Source) -> Probe:
    """Probe creator captions: an object that holds `utterances`. Any other JSON is BadMedia."""
    try:
        content = orjson.loads(_whole(source))
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("utterances"), list):
        raise BadMedia("not a media file (JSON)")
    return Probe(MediaKind.SUBTITLE, "json", "application/json", source.size)


def _whole(source: Source) -> bytes:
    if source.size > _MAX_BYTES:
        raise BadMedia("damaged: subtitles of an impossible size")
    return source.at(0, source.size)
