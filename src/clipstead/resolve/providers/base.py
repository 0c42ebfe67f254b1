"""What a provider is: one file that turns a link into a post, asking the network only through `Net`."""

from typing import Protocol

from clipstead.model import Link, Post
from clipstead.resolve.web import Net, Reply

__all__ = ["Net", "Provider", "Reply"]


class Provider(Protocol):
    """Somebody who can resolve a link. `fetch` does the I/O; parsing is a pure function of the provider's module.

    `fetch` raises PostUnavailable (final), Blocked or ProviderFailed (the next provider is asked).
    `home` is the provider's public site, "" for none; `maintenance` a reason not to ask it, "" when healthy.
    """

    @property
    def name(self) -> str: ...
    @property
    def home(self) -> str: ...
    @property
    def maintenance(self) -> str: ...

    def accepts(self, link: Link) -> bool:
        """Whether it is worth asking about `link` at all; no I/O."""
        ...

    async def fetch(self, link: Link, net: Net, *, language: str = "en") -> Post:
        """The post; `language` is a language tag, for captions and the like."""
        ...
