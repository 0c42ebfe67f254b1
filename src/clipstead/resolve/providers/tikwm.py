"""TikWM, a free service that answers for any TikTok post: the second opinion when TikTok keeps us out."""

from contextlib import AbstractAsyncContextManager, nullcontext
from urllib.parse import urlencode

from clipstead.errors import Blocked, ProviderFailed, UpstreamError
from clipstead.model import Link, LinkKind, Post
from clipstead.net.pace import Pace
from clipstead.resolve import tikwm_shape
from clipstead.resolve.platforms import TIKTOK
from clipstead.resolve.providers.parts import Parts
from clipstead.resolve.web import Net, retry_after

_WHO = "TikWM"

# Its errors come with HTTP 200 and code -1, and only the words tell them apart: seconds to leave it alone.
_LIMITS = (("day", 3600.0), ("limit", 1.0))
# "Url parsing is failed! Please check url." stands for a dead post, a private one and any trouble of its own: it is
# TikWM's failure to us, and never a word about the post.


def parse(body: bytes, link: Link, base: str = "https://www.tikwm.com") -> Post:
    """The post in an answer of `/api/`. Pure. Blocked for its rate limits and challenges, else ProviderFailed."""
    answer = tikwm_shape.unwrap(body, _WHO)
    if answer.code != 0 or not answer.post:
        raise _refusal(answer.message)
    return tikwm_shape.parse(answer.post, link, base=base, who=_WHO)


class Tikwm:
    """`base_url` is the service's (or a compatible one's); `pace` keeps to its limit over the whole process."""

    name = "tikwm"
    home = "https://www.tikwm.com"
    maintenance = ""

    def __init__(self, base_url: str, pace: AbstractAsyncContextManager[object] | None = None) -> None:
        self._base = base_url.rstrip("/")
        self._pace = pace

    def accepts(self, link: Link) -> bool:
        """Posts of TikTok whose id is known."""
        return link.platform == TIKTOK and link.kind is LinkKind.POST and bool(link.post_id)

    async def fetch(self, link: Link, net: Net, *, language: str = "en") -> Post:
        """The post; `language` makes no difference to TikWM."""
        query = urlencode({"url": link.url, "hd": "1"})
        async with self._pace or nullcontext():
            reply = await net.page(f"{self._base}/api/?{query}", headers={"Accept": "application/json"})
        if reply.status == 429:
            raise Blocked(f"{_WHO} gets too many requests", retry_after=retry_after(reply, 1.0))
        if reply.status >= 500 and reply.body.lstrip()[:1] != b"<":
            raise ProviderFailed(f"{_WHO} had an error of its own ({reply.status})")
        return parse(reply.body, link, self._base)


def build(parts: Parts) -> Tikwm | None:
    """None where no address is set."""
    return Tikwm(parts.tikwm_url, Pace(per_second=parts.tikwm_per_second)) if parts.tikwm_url else None


def _refusal(message: str) -> UpstreamError:
    lowered = message.lower()
    if "limit" in lowered:
        seconds = next(rest for mark, rest in _LIMITS if mark in lowered)
        return Blocked(f"{_WHO} has a limit that is reached", retry_after=seconds)
    if "url parsing" in lowered:
        return ProviderFailed(f"{_WHO} could not read the post")
    return ProviderFailed(f"{_WHO} answered with an error of its own")
