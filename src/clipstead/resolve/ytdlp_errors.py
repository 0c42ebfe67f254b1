"""What yt-dlp's errors mean for us: data that rots, by type first, then by the words used."""

import re
from collections.abc import Sequence

from clipstead.errors import (
    Blocked,
    ClipsteadError,
    PostUnavailable,
    ProviderFailed,
    Reason,
    UnsupportedLink,
)
from clipstead.resolve.loose import Node, decimal, number, text
from clipstead.resolve.tiktok import status

# First match wins. A door that is closed to us comes before every reason, and no pattern is final that would also
# match "we could not read it"; what matches nothing is a failure of the provider.
_CLOSED: Sequence[str] = (
    r"captcha|not a bot|unusual traffic|challenge|cloudflare|verify (that )?you are human",
    r"rate.?limit|too many requests|try again later|temporarily (blocked|unavailable)",
    r"\bip( address)? is (blocked|banned)|your ip\b",
    r"unexpected response from webpage|universal data for rehydration",
)
_FINAL: Sequence[tuple[str, Reason]] = (
    (r"confirm your age|age.?restrict|age.?limit|age verification|inappropriate for some", "age"),
    (r"nsfw|adult content|mature content|may not be comfortable for some audiences", "age"),
    (r"geo.?restrict|(in|from) your (country|region|location)|only available in\b", "region"),
    (
        r"\b(is|are|was|made) private\b|\bprivate (video|post|account|profile|tweet)|protected (tweet|account)",
        "private",
    ),
    (r"do(es)? not have permission to view|(followers|friends|members|subscribers).?only", "private"),
    (r"(removed|deleted) by (the )?(uploader|user|author|owner|its)|has been deleted|was deleted", "deleted"),
    (r"has been removed|was removed|taken down|copyright|(terminated|suspended)|violat", "removed"),
    (r"no longer available|does ?n.t exist|does not exist|no such (video|post)", "missing"),
    (r"\b(video|post|tweet|reel|clip|story|status) (was |could )?not (be )?found\b", "missing"),
)
_NO_WAY_OUT = re.compile(r"tunnel (connection )?failed|over proxy 127\.0\.0\.1", re.IGNORECASE)
_NOTHING = re.compile(r"no video formats|requested format is not available", re.IGNORECASE)
_PROTECTED = r"\bdrm\b"
_NOT_YET = r"live event will begin|premieres in|not currently live"
_LOGIN = r"\blog.?in\b|\bsign.?in\b|authenticat|cookies"

_STATUS_CODE = re.compile(r"status code (-?\d+)")
_REFUSED_STATUSES = (401, 403, 429)
UNSOLVED = "the site's player script could not be run; `clipstead doctor` tells what that takes"
"""Said where a post has no files because of that."""

_ADVICE = re.compile(
    r"\s*(; please report this issue|\(caused by|\. ?use --|\. ?see https?:|\nyou might want)", re.IGNORECASE
)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_URL = re.compile(r"\b\w+://\S+")
_LONGEST = 160


def error_of(report: Node, platform: str) -> ClipsteadError:
    """Our error for one of the worker's: `kind`, `text`, `expected`, `status`, `retry_after`, `unsolved`."""
    kind, said = text(report.get("kind")), text(report.get("text"))
    words = public(said)
    if kind == "UnsupportedError" or "No suitable extractor" in said:
        return UnsupportedLink("yt-dlp has no extractor of its own for this link")
    if kind == "GeoRestrictedError":
        return PostUnavailable("region")
    code = number(report.get("status"))
    if code in _REFUSED_STATUSES:
        return Blocked(f"The site refused us (HTTP {code})", retry_after=decimal(report.get("retry_after")))
    if code == 451:
        return PostUnavailable("region")
    if code is not None and code >= 500:
        return ProviderFailed(words)
    if report.get("unsolved") is True and _NOTHING.search(said):
        return ProviderFailed(UNSOLVED)
    return _by_words(said.lower(), words, platform, expected=report.get("expected") is True)


def _by_words(said: str, words: str, platform: str, *, expected: bool) -> ClipsteadError:
    tiktok_status = _STATUS_CODE.search(said) if platform == "tiktok" else None
    if tiktok_status is not None:
        return status.refusal(int(tiktok_status[1]), "")
    if _NO_WAY_OUT.search(said):
        return ProviderFailed("the site could not be reached")
    if any(re.search(pattern, said) for pattern in _CLOSED):
        return Blocked(words)
    if expected and re.search(_PROTECTED, said):
        return UnsupportedLink("This link leads to a stream that is protected (DRM)")
    if expected and re.search(_NOT_YET, said):
        return UnsupportedLink("This link leads to a live stream, which has not begun")
    # An error that yt-dlp did not expect is about its own reading of the page, whatever its words.
    reason = next((reason for pattern, reason in _FINAL if expected and re.search(pattern, said)), None)
    if reason is not None:
        return PostUnavailable(reason)
    if expected and re.search(_LOGIN, said):
        return Blocked(words)
    return ProviderFailed(words)


def public(said: str) -> str:
    """yt-dlp's words for a stranger: no colours, addresses or advice about options, and short."""
    words = _ANSI.sub("", said).removeprefix("ERROR: ")
    advice = _ADVICE.search(words)
    words = _URL.sub("(address)", words[: advice.start()] if advice else words)
    words = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    if len(words) > _LONGEST:
        words = words[: _LONGEST - 1].rstrip() + "…"
    return words or "yt-dlp could not read this post"
