"""What a start needs of keys: their limits by the settings, and the first one, told to whoever started it."""

from __future__ import annotations

from clipstead.cli.exits import tell
from clipstead.server.key_desk import KeyDesk
from clipstead.server.key_standing import KeyDefaults
from clipstead.settings import Settings


def defaults_of(settings: Settings) -> KeyDefaults:
    """The limits of keys that have none of their own."""
    return KeyDefaults(
        settings.key_hourly,
        settings.key_daily,
        settings.admin_key_hourly,
        settings.admin_key_daily,
        settings.tiklive_free_credits,
    )


async def tell_first_key(desk: KeyDesk) -> None:
    """Print the first admin key if there was never any key: what a server does at its start."""
    if first := await desk.first_admin():
        words = "The first admin key, shown this once (more: clipstead keys create):"
        tell(f"{words}\n{first.text}")
