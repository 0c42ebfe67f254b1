"""`clipstead webhooks`: who is told of what happens to the archive, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TypeVar

from clipstead.app import signing_secrets, webhook_guard
from clipstead.archive.subscribers import Subscribers
from clipstead.cli.columns import print_columns
from clipstead.cli.consoles import write_json, write_out
from clipstead.cli.database import open_database
from clipstead.cli.exits import Exit, say
from clipstead.cli.words import when
from clipstead.errors import InvalidParams
from clipstead.server.key_text import id_in
from clipstead.server.receivers import Receivers
from clipstead.settings import load

T = TypeVar("T")


def add(url: str, on: str) -> Exit:
    """Judge the address, keep it, and print its secret, alone on its line of standard output."""
    receivers = _receivers()
    judged = receivers.judged(url, "URL")
    events = [event for event in on.replace(",", " ").split() if event]
    added = _with(lambda subscribers: subscribers.add(judged, events))
    write_out(receivers.secret_of_webhook(added.id).encode() + b"\n")
    say(f"webhook {added.id} is told of {', '.join(added.events)}; its messages are verified by this secret")
    return Exit.DONE


def show(*, as_json: bool) -> Exit:
    """All of them."""
    receivers = _receivers()
    rows = _with(lambda subscribers: subscribers.list())
    if as_json:
        told = [{**asdict(row), "secret": receivers.secret_of_webhook(row.id)} for row in rows]
        write_json(told)
    elif rows:
        cells = [(str(row.id), row.url, ",".join(row.events), when(row.told_at), row.error) for row in rows]
        print_columns(("id", "address", "told of", "last taken", "last error"), cells)
    else:
        say("no webhooks: clipstead webhooks add URL")
    return Exit.DONE


def remove(webhook: int) -> Exit:
    """What waits for it is not told either."""
    _with(lambda subscribers: subscribers.remove(webhook))
    say(f"webhook {webhook} is told nothing more")
    return Exit.DONE


def secret(key: str) -> Exit:
    """Of a key, or, without one, of jobs that nobody's key has made."""
    key_id = id_in(key) if key else None
    if key and not key_id:
        raise InvalidParams({"KEY": "must be a key's id, as `clipstead keys list` shows it"})
    write_out(_receivers().secret_of_key(key_id).encode() + b"\n")
    return Exit.DONE


def _receivers() -> Receivers:
    settings = load()
    return Receivers(webhook_guard(settings), signing_secrets(settings))


def _with(work: Callable[[Subscribers], Awaitable[T]]) -> T:
    async def working() -> T:
        async with open_database(load()) as database:
            return await work(Subscribers(database))

    return asyncio.run(working())
