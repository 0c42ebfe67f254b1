"""TikLiveAPI, a paid service in TikWM's shape: asked only where the operator has a key for it."""

from contextlib import AbstractAsyncContextManager, nullcontext
from urllib.parse import urlencode

from clipstead.errors import Blocked, ProviderFailed, UpstreamError
from clipstead.model import Link, LinkKind, Post
from clipstead.net.pace import Pace
from clipstead.resolve import tikwm_shape
from clipstead.resolve.platforms import TIKTOK
from clipstead.resolve.providers.parts import Parts
from clipstead.resolve.web import Net, retry_after

_WHO = "TikLiveAPI"

# Errors are `{"message": ...}`, and those about the key come with HTTP 200: words to look for, and ours instead.
_TEXTS = (
    ("sign up", "does not accept our key"),
    ("api-key", "does not accept our key"),
    ("api key", "does not accept our key"),
    ("credit", "has no credits left for our key"),
    ("url parsing", "could not read the post"),
    ("not found", "does not find the post"),
    ("private", "does not find the post"),
)
_STATUSES = {
    401: "does not accept our key",
    402: "has no credits left for our key",
    403: "does not accept our key",
    404: "does not find the post",  # "Video not found or private", or a region, or a bad day: not TikTok's own word
}
_LASTING = ("does not accept our key", "has no credits left for our key")


def parse(body: bytes, link: Link, base: str = "https://api.tikliveapi.com") -> Post:
    """The post in an answer of `/post-detail/`, bare or wrapped in `data`. Pure. ProviderFailed for all else."""
    answer = tikwm_shape.unwrap(body, _WHO)
    if answer.code or not answer.post:
        raise _refusal(answer.message)
    return tikwm_shape.parse(answer.post, link, base=base, who=_WHO)


class TikLive:
    """`key` goes along as X-Api-Key, to the service's own host alone; `pace` keeps to its 200 requests a minute."""

    name = "tiklive"
    home = "https://tikliveapi.com"
    maintenance = ""

    def __init__(self, base_url: str, key: str, pace: AbstractAsyncContextManager[object] | None = None) -> None:
        self._base = base_url.rstrip("/")
        self._key = key
        self._pace = pace

    def accepts(self, link: Link) -> bool:
        """Posts of TikTok whose id is known."""
        return link.platform == TIKTOK and link.kind is LinkKind.POST and bool(link.post_id)

    async def fetch(self, link: Link, net: Net, *, language: str = "en") -> Post:
        """The post; `language` makes no difference to TikLiveAPI."""
        url = f"{self._base}/post-detail/?{urlencode({'url': link.url})}"
        headers = {"Accept": "application/json", "X-Api-Key": self._key}
        async with self._pace or nullcontext():
            reply = await net.page(url, headers=headers)
        if reply.status == 429:
            raise Blocked(f"{_WHO} gets too many requests", retry_after=retry_after(reply, 1.0))
        if reply.status in _STATUSES and reply.body.lstrip()[:1] != b"<":
            raise _failure(_STATUSES[reply.status])
        if reply.status >= 500 and reply.body.lstrip()[:1] != b"<":
            raise _failure(f"had an error of its own ({reply.status})")
        return parse(reply.body, link, self._base)


def build(parts: Parts) -> TikLive | None:
    """None where no address or no key is set."""
    if not parts.tiklive_url or not parts.tiklive_key:
        return None
    return TikLive(parts.tiklive_url, parts.tiklive_key, Pace(per_second=parts.tiklive_per_minute / 60))


def _refusal(message: str) -> UpstreamError:
    lowered = message.lower()
    words = next((ours for mark, ours in _TEXTS if mark in lowered), "answered with an error of its own")
    return Blocked(f"{_WHO} gets too many requests", retry_after=1.0) if "too many" in lowered else _failure(words)


def _failure(words: str) -> ProviderFailed:
    """A key that is refused will be refused next time too."""
    failure = ProviderFailed(f"{_WHO} {words}")
    failure.transient = words not in _LASTING
    return failure
