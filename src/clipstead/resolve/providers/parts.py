"""What the providers are built from: plain values out of the settings, and the parts of the app they may use."""

from collections.abc import Callable
from dataclasses import dataclass

from clipstead.net.egress import Egress
from clipstead.resolve.providers.base import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Addresses and keys are "" where the operator has set none; a provider that needs one is then left out.

    The paces are courtesy: pages at a time, requests a second, requests a minute; 0 sets no limit.
    """

    egress: Egress
    ca_file: str = ""
    cookies_file: str = ""
    tikwm_url: str = ""
    tiklive_url: str = ""
    tiklive_key: str = ""
    tiktok_concurrent: int = 8
    tikwm_per_second: float = 1.0
    tiklive_per_minute: float = 200.0
    ytdlp_generic: bool = False


Builder = Callable[[Parts], Provider | None]
"""What each provider's file ends with: the provider, or None where something it needs is not set."""
