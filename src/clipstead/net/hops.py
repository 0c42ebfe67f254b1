"""One hop of a download: its address as we read it, and what of the caller's headers and cookies may go there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from clipstead.errors import AddressRefused, DownloadFailed
from clipstead.net.guard import Guard
from clipstead.net.hosts import DEFAULT_PORTS, bracketed, is_ip_literal, split_url

_TO_ESCAPE = re.compile(r"[ \x80-\U0010ffff]+")
_UNFIT = re.compile(r"[\x00-\x1f\x7f]")
_KEPT_ANYWHERE = frozenset({"accept", "accept-language", "user-agent"})
# Host, length and encoding are ours; a caller's Cookie header would escape the rule for cookies.
_NEVER_TAKEN = frozenset(
    {"host", "range", "cookie", "connection", "content-length", "transfer-encoding", "accept-encoding"}
)
_BASE = {"User-Agent": "Mozilla/5.0", "Accept": "*/*", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Hop:
    """`url` is rebuilt from our own reading of it; `own` as long as no redirect has left the family it began with."""

    url: str
    scheme: str
    host: str
    own: bool = True


def first_hop(guard: Guard, url: str) -> Hop:
    """The hop that a caller's address makes. Raises AddressRefused."""
    try:
        return _judged(guard, _escaped(url))
    except UnicodeEncodeError:  # half a surrogate pair, as JSON can hold
        raise AddressRefused("Refused: a malformed address") from None


def next_hop(guard: Guard, hop: Hop, location: str) -> Hop:
    """Where `location` leads from `hop`. Raises AddressRefused."""
    try:
        found = _judged(guard, urljoin(hop.url, _escaped(location)))
    except ValueError:
        raise AddressRefused("Refused: a redirect to a malformed address") from None
    downgraded = hop.scheme == "https" and found.scheme == "http"
    stays = family(found.host) == family(hop.host) and not downgraded
    return Hop(found.url, found.scheme, found.host, own=hop.own and stays)


def family(host: str) -> str:
    """The part of a canonical host that one owner holds: "v16.tiktokcdn.com" -> "tiktokcdn.com", an address itself.

    Two labels, or three where the last two look like a registry's own ("co.uk", "com.br"): rather too narrow than
    too wide, since all it costs is a cookie that is not sent on.
    """
    labels = host.split(".")
    if is_ip_literal(host) or len(labels) < 3:
        return host
    registry = len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if registry else labels[-2:])


def headers_for(hop: Hop, given: Mapping[str, str], cookies: Mapping[str, str]) -> dict[str, str]:
    """What is sent to one hop: all of the caller's own to the family they were meant for, next to nothing elsewhere.

    Raises DownloadFailed (final) for a header or cookie that would break out of its line.
    """
    sent = dict(_BASE)
    for name, value in given.items():
        lower = name.lower()
        if lower not in _NEVER_TAKEN and (hop.own or lower in _KEPT_ANYWHERE):
            sent = {kept: old for kept, old in sent.items() if kept.lower() != lower} | {name: value}
    if hop.own and cookies:
        sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    if any(_UNFIT.search(name + value) for name, value in sent.items()):
        raise DownloadFailed(f"{hop.host}: a header or cookie that cannot be sent", transient=False)
    return sent


def _judged(guard: Guard, url: str) -> Hop:
    scheme, host, port = guard.check_url(url)
    rest = split_url(url)[3]
    netloc = bracketed(host) if port == DEFAULT_PORTS[scheme] else f"{bracketed(host)}:{port}"
    return Hop(f"{scheme}://{netloc}{rest if rest.startswith('/') else '/' + rest}", scheme, host)


def _escaped(url: str) -> str:
    """Spaces and what is not ASCII percent-encoded, all else as it is: signatures cover the exact bytes."""
    return _TO_ESCAPE.sub(lambda part: quote(part[0].encode("utf-8", "surrogateescape")), url)
