"""Short links (`vm.tiktok.com/X`, `/t/X`) to what they stand for, one hop at a time, without ever fetching a page."""

from urllib.parse import urljoin, urlsplit

from clipstead.errors import AddressRefused, Blocked, ClipsteadError, PostUnavailable, ProviderFailed, UnsupportedLink
from clipstead.model import Link, LinkKind
from clipstead.resolve.links import parse
from clipstead.resolve.platforms import TIKTOK
from clipstead.resolve.tiktok import visit
from clipstead.resolve.web import Net, Reply

MOST_HOPS = 5
CRAWLER = "facebookexternalhit/1.1"  # link previews are answered with the bare redirect
_REDIRECTS = (301, 302, 303, 307, 308)
_LOGIN = "/login"


async def expand(link: Link, net: Net) -> Link:
    """What the short `link` leads to: a post most often, or an account, tag, sound...

    A redirect is never followed as it stands: it is read as a link, and only another short code is asked again.
    PostUnavailable("missing") where TikTok sends a dead code (its home page), AddressRefused where the link leads out
    of TikTok, Blocked or ProviderFailed where nothing can be said. No error repeats an address.
    """
    asked: set[str] = set()
    while link.kind is LinkKind.SHORT:
        if link.url in asked or len(asked) == MOST_HOPS:
            raise _circle(link.url in asked)
        asked.add(link.url)
        link = _target(link, await net.page(link.url, method="HEAD", headers={"User-Agent": CRAWLER}, max_hops=0))
    return link


def _target(link: Link, reply: Reply) -> Link:
    location = reply.headers.get("location", "")
    if reply.status not in _REDIRECTS or not location:
        raise _no_redirect(reply)
    try:
        address = urljoin(link.url, location)
        host, path = (urlsplit(address).hostname or "").rstrip("."), urlsplit(address).path
    except ValueError:
        raise AddressRefused("The short link leads to no valid address") from None
    if path.rstrip("/") == _LOGIN and _at_tiktok(host):
        raise Blocked("TikTok asks for a login")
    try:
        target = parse(address)
    except UnsupportedLink:
        raise _nowhere(host) from None
    if target.platform != TIKTOK or target.kind is LinkKind.CDN:
        raise _nowhere("")
    return target


def _no_redirect(reply: Reply) -> ClipsteadError:
    """TikTok redirects even dead codes, so that anything else but a plain 404 tells nothing about the link."""
    if reply.status in (404, 410):
        return PostUnavailable("missing")
    return visit.fault(reply) or Blocked("TikTok did not say where the short link leads")


def _nowhere(host: str) -> ClipsteadError:
    if _at_tiktok(host):
        return PostUnavailable("missing")
    return AddressRefused("The short link leads out of TikTok")


def _at_tiktok(host: str) -> bool:
    return host == "tiktok.com" or host.endswith(".tiktok.com")


def _circle(closed: bool) -> ProviderFailed:
    failure = ProviderFailed("The short link leads in a circle" if closed else "The short link has too many hops")
    failure.transient = False
    return failure
