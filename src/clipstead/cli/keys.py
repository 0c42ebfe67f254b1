"""`clipstead keys`: keys made, listed, limited, given credits and ended, and their owners banned, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rich.markup import escape
from rich.table import Table

from clipstead.cli.consoles import open_console, write_json
from clipstead.cli.database import open_database
from clipstead.cli.exits import Exit, say, tell
from clipstead.cli.first_key import defaults_of
from clipstead.cli.words import when
from clipstead.errors import InvalidParams
from clipstead.server.key_answers import key_json
from clipstead.server.key_desk import FIRST_OWNER, CreditsWish, KeyDesk
from clipstead.server.key_standing import KeyStanding, KeyWindow
from clipstead.server.key_text import id_in, masked
from clipstead.settings import load

T = TypeVar("T")

_LIMIT_WORDS: dict[str, int | None] = {"default": None, "unlimited": 0}


def create(owner: str, *, admin: bool, hourly: str, daily: str) -> Exit:
    """Make a key and print it, alone on its line of standard output; limits as of `limit_of`."""
    hour, day = limit_of("hourly", hourly), limit_of("daily", daily)
    name = owner or (FIRST_OWNER if admin else "default")
    new = _at_desk(lambda desk: desk.create(name, admin=admin, hourly=hour, daily=day))
    tell(new.text)
    say(f"a key of {name}, {_summary(new.standing)}; it is shown this once")
    return Exit.DONE


def show(*, as_json: bool) -> Exit:
    """List all keys, masked."""
    standings = _at_desk(lambda desk: desk.keys())
    if as_json:
        write_json([key_json(standing) for standing in standings])
    else:
        open_console().print(_table(standings))
    return Exit.DONE


def revoke(key: str) -> Exit:
    """End a key for good."""
    key_id = _id(key)
    _at_desk(lambda desk: desk.revoke(key_id))
    say(f"{masked(key_id)} is no key any more")
    return Exit.DONE


def disable(key: str) -> Exit:
    """Let a key rest."""
    key_id = _id(key)
    _at_desk(lambda desk: desk.disable(key_id))
    say(f"{masked(key_id)} is disabled")
    return Exit.DONE


def enable(key: str) -> Exit:
    """End its rest."""
    key_id = _id(key)
    standing = _at_desk(lambda desk: desk.enable(key_id))
    say(f"{masked(key_id)} is {standing.state}")
    return Exit.DONE


def limit(key: str, *, hourly: str, daily: str) -> Exit:
    """Set a key's limits, as of `limit_of`; "" leaves one as it is."""
    key_id = _id(key)
    limits = {name: limit_of(name, text) for name, text in (("hourly", hourly), ("daily", daily)) if text}
    if not limits:
        raise InvalidParams({"--hourly, --daily": "say which limit to set"})
    standing = _at_desk(lambda desk: desk.limit(key_id, limits))
    say(f"{masked(key_id)} has {_summary(standing)}")
    return Exit.DONE


def set_credits(key: str, amount: str) -> Exit:
    """Set what a key has left: a number, or "unlimited"."""
    key_id = _id(key)
    if amount != "unlimited" and not (amount.isascii() and amount.isdigit() and len(amount) < 20):
        raise InvalidParams({"N": "must be a number or unlimited"})
    wanted: CreditsWish = "unlimited" if amount == "unlimited" else int(amount)
    standing = _at_desk(lambda desk: desk.set_credits(key_id, wanted))
    say(f"{masked(key_id)} has {_credits(standing)} credits left")
    return Exit.DONE


def ban(owner: str) -> Exit:
    """Keep all keys of an owner out."""
    _at_desk(lambda desk: desk.ban(owner))
    say(f"{owner} is banned")
    return Exit.DONE


def unban(owner: str) -> Exit:
    """Let them in again."""
    _at_desk(lambda desk: desk.unban(owner))
    say(f"{owner} is not banned any more")
    return Exit.DONE


def limit_of(name: str, text: str) -> int | None:
    """A limit as it is typed: a number, "unlimited" (as 0), or "default" (as "")."""
    if text.isascii() and text.isdigit():
        return int(text)
    if text and text not in _LIMIT_WORDS:
        raise InvalidParams({f"--{name}": "must be a number, unlimited or default"})
    return _LIMIT_WORDS[text or "default"]


def _id(key: str) -> str:
    if key_id := id_in(key):
        return key_id
    raise InvalidParams({"KEY": "must be a key's id, as `clipstead keys list` shows it"})


def _at_desk(work: Callable[[KeyDesk], Awaitable[T]]) -> T:
    async def working() -> T:
        settings = load()
        async with open_database(settings) as database:
            return await work(KeyDesk(database, defaults_of(settings)))

    return asyncio.run(working())


def _table(standings: list[KeyStanding]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in ("key", "owner", "sort", "state", "last hour", "last 24 h", "ever", "last use", "credits"):
        table.add_column(column, no_wrap=column == "key", min_width=15 if column == "key" else None)
    for key in standings:
        windows = (_used(window) for window in key.windows)
        sort = "admin" if key.admin else "user"
        used = (*windows, str(key.uses), when(key.last_used_at) or "never")
        table.add_row(masked(key.id), escape(key.owner), sort, key.state, *used, _credits(key))
    return table


def _used(window: KeyWindow) -> str:
    return f"{window.used} of {window.limit}" if window.limit else str(window.used)


def _credits(standing: KeyStanding) -> str:
    left = standing.credits.left if standing.credits else None
    return "unlimited" if left is None else str(left)


def _summary(standing: KeyStanding) -> str:
    words = {"hourly": "an hour", "daily": "a day"}
    limits = [f"{window.limit or 'any number of'} uses {words[window.name]}" for window in standing.windows]
    return ("admin, " if standing.admin else "") + ", ".join(limits)
