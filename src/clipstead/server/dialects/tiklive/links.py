"""Under which address a client gets a file: of a post, or of an account, a tag or a sound."""

from __future__ import annotations

from dataclasses import dataclass

from clipstead.model import Media, Post, Resolution
from clipstead.server.addresses import MediaAddresses
from clipstead.server.dialects.tiklive.posts import Address
from clipstead.server.nouns import as_found

LANGUAGE = "en"
PATIENCE = 18.0  # seconds for a post to be found: its clients wait 20


@dataclass(frozen=True, slots=True)
class Links:
    """Tunnels below `base_url`, good for minutes."""

    addresses: MediaAddresses
    base_url: str

    def of_post(self, resolution: Resolution) -> Address:
        """For the files of one post."""

        def address(media: Media) -> str:
            return self.addresses.of(resolution, media, base_url=self.base_url, language=LANGUAGE)

        return address

    def of_listed(self, post: Post, lister: str) -> Address:
        """The same for a post that a list told of: the provider of that name knows its files by the same names."""
        return self.of_post(Resolution(post, lister))

    def of_noun(self, post: Post, variant: str) -> str:
        """For one file of an account, a tag or a sound; "" where it has none of that name."""
        media = post.variant(variant)
        return self.of_post(as_found(post))(media) if media else ""
