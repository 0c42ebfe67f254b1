"""The first look: which format the first bytes announce, and which sort of text they are if they are text."""

import re

_FIXED = (
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"GIF87a", "gif", "image/gif"),
    (b"GIF89a", "gif", "image/gif"),
    (b"OggS", "ogg", "audio/ogg"),
    (b"fLaC", "flac", "audio/flac"),
    (b"ID3", "mp3", "audio/mpeg"),
    (b"FLV\x01", "flv", "video/x-flv"),
    (b"WEBVTT", "vtt", "text/vtt"),
    (b"\xef\xbb\xbfWEBVTT", "vtt", "text/vtt"),
)
_RIFF = {b"WEBP": ("webp", "image/webp"), b"WAVE": ("wav", "audio/wav")}
# Major and compatible brands that say more than "an MP4 of some sort"; the first that is found decides.
_BRANDS = (
    ((b"avif", b"avis"), "avif", "image/avif"),
    ((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "heic", "image/heic"),
)
_MAJOR = {
    b"M4A ": ("m4a", "audio/mp4"),
    b"M4B ": ("m4a", "audio/mp4"),
    b"qt  ": ("mov", "video/quicktime"),
}
_OLD_QUICKTIME = frozenset({b"moov", b"mdat", b"free", b"skip", b"wide"})
_SRT = re.compile(rb"\s{0,8}\d{1,6}\r?\n\d{1,3}:\d\d:\d\d[,.]\d{3} --> ")
_HTML = re.compile(rb"<!doctype html|<html|<head|<body|<script|<title|<h1|<p>|<a ", re.IGNORECASE)
_TEXT_BYTES = bytes(range(32, 127)) + b"\t\r\n\x0c\x1b"


def sniff(head: bytes) -> tuple[str, str] | None:
    """(ext, mime) of the media format that begins with `head` (64 bytes will do, 4096 are better), or None."""
    for magic, ext, mime in _FIXED:
        if head.startswith(magic):
            return ext, mime
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[4:8] in _OLD_QUICKTIME and head[:3] < b"\x10":
        return "mov", "video/quicktime"
    if head[:4] == b"\x1aE\xdf\xa3":
        return ("webm", "video/webm") if b"webm" in head[:64] else ("mkv", "video/x-matroska")
    if is_mp3_frame(head[:4]):
        return "mp3", "audio/mpeg"
    return ("srt", "application/x-subrip") if _SRT.match(head.removeprefix(b"\xef\xbb\xbf")) else None


def _by_brand(head: bytes) -> tuple[str, str]:
    major = head[8:12]
    size = min(int.from_bytes(head[:4], "big"), len(head), 256)
    brands = {major, *(head[i : i + 4] for i in range(16, size - 3, 4))}
    for names, ext, mime in _BRANDS:
        if major in names or (major in (b"mif1", b"msf1") and brands.intersection(names)):
            return ext, mime
    if major[:3] == b"3gp":
        return "3gp", "video/3gpp"
    return _MAJOR.get(major, ("mp4", "video/mp4"))


def is_mp3_frame(header: bytes) -> bool:
    """Whether these four bytes are the header of an MPEG audio layer III frame, nothing reserved in it."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return False
    return header[1] & 0x18 != 0x08 and 0 < header[2] >> 4 < 15 and header[2] & 0x0C != 0x0C


def textual(head: bytes) -> str | None:
    """ "HTML", "JSON", "XML", "playlist" or "text" for what is meant to be read by programs or people, else None."""
    body = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body[:1] == b"<":
        return "HTML" if _HTML.search(body[:1024]) else "XML"
    if body[:1] in (b"{", b"["):
        return "JSON"
    if body[:7] == b"#EXTM3U":
        return "playlist"
    return "text" if body and not body[:512].translate(None, _TEXT_BYTES) else None
