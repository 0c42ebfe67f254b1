"""The providers, in one explicit list: the order is the one they are asked in unless the operator sets another."""

from collections.abc import Sequence

from clipstead.resolve.providers import tiklive, tiktok_web, tikwm, ytdlp
from clipstead.resolve.providers.base import Provider
from clipstead.resolve.providers.parts import Builder, Parts

__all__ = ["BUILDERS", "Parts", "Provider", "build"]


BUILDERS: tuple[tuple[str, Builder], ...] = (
    ("tiktok_web", tiktok_web.build),
    ("tikwm", tikwm.build),
    ("tiklive", tiklive.build),
    ("ytdlp", ytdlp.build),
)


def build(parts: Parts, order: Sequence[str] = ()) -> list[Provider]:
    """The providers named in `order` (all of them where it is empty), but for those that miss what they need.

    ValueError, in words for the operator, for a name that no provider has.
    """
    builders = dict(BUILDERS)
    for name in order:
        if name not in builders:
            raise ValueError(f"there is no provider {name!r}, only {', '.join(builders)}")
    built = [builders[name](parts) for name in dict.fromkeys(order or builders)]
    return [provider for provider in built if provider is not None]
