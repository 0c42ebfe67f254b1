"""Where keys are made and managed: given out, limited, disabled, revoked, rotated, and their owners banned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import ColumnElement, Integer, Row, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from clipstead.db import Database
from clipstead.db.schema_keys import api_keys, credit_uses, key_credits, owners
from clipstead.errors import InvalidParams, NotFound, Unauthorized
from clipstead.server.key_standing import KeyDefaults, KeyStanding, standing_of
from clipstead.server.key_text import KeyText, make_key
from clipstead.server.logs import EventLogger

FIRST_OWNER = "admin"
HIGHEST_LIMIT = 1_000_000_000
MOST_CREDITS = 1_000_000_000_000
CreditsWish = int | Literal["unlimited"]
_LONGEST_NAME = 100
_STANDINGS = text("""
    SELECT s.*, CASE WHEN c.key_id IS NULL THEN :free ELSE c.balance END AS credits_left,
           coalesce(c.spent, 0) AS credits_spent
    FROM api_keys AS k CROSS JOIN LATERAL clipstead_key_standing(k.id, clock_timestamp(), :defaults) AS s
    LEFT JOIN key_credits AS c ON c.key_id = k.id
    WHERE (k.id = :id OR :id IS NULL) AND (k.owner = :owner OR :owner IS NULL) ORDER BY k.created_at, k.id
""").bindparams(
    bindparam("defaults", type_=ARRAY(Integer)),
    bindparam("id", type_=api_keys.c.id.type),
    bindparam("free", type_=key_credits.c.balance.type),
)

_log = EventLogger("clipstead.keys")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: `text` is to be shown once, and is kept nowhere."""

    text: str = field(repr=False)
    standing: KeyStanding


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody who has keys; `keys` counts those that are not revoked."""

    name: str
    created_at: datetime
    banned_at: datetime | None
    keys: int


class KeyDesk:
    """Everything here is for whoever manages the instance, but `rotate`, which is for a key's holder."""

    def __init__(self, database: Database, defaults: KeyDefaults | None = None) -> None:
        self._database = database
        self._defaults = defaults or KeyDefaults()

    async def create(
        self, owner: str, *, admin: bool = False, hourly: int | None = None, daily: int | None = None
    ) -> NewKey:
        """A new key for `owner`, who is made if unknown. Limits of None are the defaults, of 0 none at all.

        InvalidParams for a name or limit that cannot be, or an owner who is banned.
        """
        if not _is_name(owner):
            raise InvalidParams({"owner": f"must be a name of up to {_LONGEST_NAME} printable characters, without /"})
        _check_limits({"hourly": hourly, "daily": daily})
        async with self._database.begin() as connection:
            return await self._create(connection, owner, admin=admin, hourly=hourly, daily=daily)

    async def first_admin(self) -> NewKey | None:
        """The first admin key, where there was never any key; however many processes ask, one gets it."""
        async with self._database.begin() as connection:
            await connection.execute(text("LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE"))
            if await connection.scalar(select(api_keys.c.id).limit(1)):
                return None
            return await self._create(connection, FIRST_OWNER, admin=True, hourly=None, daily=None)

    async def _create(self, connection: AsyncConnection, owner: str, *, admin: bool, **limits: int | None) -> NewKey:
        await connection.execute(insert(owners).values(name=owner).on_conflict_do_nothing())
        if await connection.scalar(select(owners.c.banned_at).where(owners.c.name == owner)):
            raise InvalidParams({"owner": "is banned"})
        key = make_key()
        values = {"id": key.id, "owner": owner, "digest": key.digest, "admin": admin, **limits}
        await connection.execute(insert(api_keys).values(values))
        _log.info("key created", key_id=key.id, owner=owner, admin=admin)
        return NewKey(key.text, await self._standing(connection, key.id))

    async def keys(self, owner: str | None = None) -> list[KeyStanding]:
        """Every key, revoked ones too, the oldest first; with `owner` only theirs."""
        if owner is not None and not _is_name(owner):
            return []
        async with self._database.begin() as connection:
            return await self._standings(connection, owner=owner)

    async def key(self, key_id: str) -> KeyStanding:
        """One key; NotFound if there is none of that id."""
        async with self._database.begin() as connection:
            return await self._standing(connection, key_id)

    async def revoke(self, key_id: str) -> KeyStanding:
        """End a key for good: from now on it is no key."""
        return await self._change(key_id, {"revoked_at": func.coalesce(api_keys.c.revoked_at, func.clock_timestamp())})

    async def disable(self, key_id: str) -> KeyStanding:
        """Let a key rest until it is enabled again."""
        return await self.change(key_id, disabled=True)

    async def enable(self, key_id: str) -> KeyStanding:
        """End a key's rest."""
        return await self.change(key_id, disabled=False)

    async def limit(self, key_id: str, limits: Mapping[str, int | None]) -> KeyStanding:
        """Set "hourly", "daily" or both; None goes back to the default, 0 sets no limit. What was used stays used."""
        return await self.change(key_id, limits=limits)

    async def set_credits(self, key_id: str, credits: CreditsWish) -> KeyStanding:
        """What a key has left from now on. What is held at this moment is not given back."""
        return await self.change(key_id, credits=credits)

    async def change(
        self,
        key_id: str,
        *,
        limits: Mapping[str, int | None] = MappingProxyType({}),
        disabled: bool | None = None,
        credits: CreditsWish | None = None,
    ) -> KeyStanding:
        """All that is given, or, where some of it cannot be, nothing. NotFound, InvalidParams."""
        _check_limits(limits)
        _check_credits(credits)
        values: dict[str, Any] = dict(limits)
        if disabled is not None:
            rested = func.coalesce(api_keys.c.disabled_at, func.clock_timestamp())
            values["disabled_at"] = rested if disabled else None
        return await self._change(key_id, values, credits)

    async def rotate(self, key: KeyText) -> NewKey:
        """Another secret for a key whose holder shows it: id, limits, uses and jobs stay, the old text is void at once.

        Unauthorized if it is not, or no longer, the key.
        """
        fresh = make_key(key.id)
        async with self._database.begin() as connection:
            mine = (api_keys.c.id == key.id) & (api_keys.c.digest == key.digest) & api_keys.c.revoked_at.is_(None)
            values = {"digest": fresh.digest, "rotated_at": func.clock_timestamp()}
            if not (await connection.execute(update(api_keys).where(mine).values(values))).rowcount:
                raise Unauthorized("Invalid API key")
            _log.info("key rotated", key_id=key.id)
            return NewKey(fresh.text, await self._standing(connection, key.id))

    async def owners(self) -> list[Owner]:
        """Everybody who has or had a key, by name."""
        alive: ColumnElement[int] = func.count(api_keys.c.id).filter(api_keys.c.revoked_at.is_(None))
        query = (
            select(owners.c.name, owners.c.created_at, owners.c.banned_at, alive.label("keys"))
            .join_from(owners, api_keys, isouter=True)
            .group_by(owners.c.name)
            .order_by(owners.c.name)
        )
        async with self._database.begin() as connection:
            return [_owner(row) for row in await connection.execute(query)]

    async def ban(self, owner: str) -> None:
        """Keep all keys of `owner` out; NotFound if there is nobody of that name."""
        await self._change_owner(
            owner, {"banned_at": func.coalesce(owners.c.banned_at, func.clock_timestamp())}, "banned"
        )

    async def unban(self, owner: str) -> None:
        """Let them in again."""
        await self._change_owner(owner, {"banned_at": None}, "unbanned")

    async def _change(self, key_id: str, values: Mapping[str, Any], credits: CreditsWish | None = None) -> KeyStanding:
        async with self._database.begin() as connection:
            known = await connection.execute(select(api_keys.c.id).where(api_keys.c.id == key_id).with_for_update())
            if known.scalar() is None:
                raise NotFound("No such key")
            if values:
                await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(values))
            if credits is not None:
                await _fill_purse(connection, key_id, None if credits == "unlimited" else credits)
            if what := sorted([*values, *(["credits"] if credits is not None else [])]):
                _log.info("key changed", key_id=key_id, what=what)
            return await self._standing(connection, key_id)

    async def _change_owner(self, owner: str, values: Mapping[str, Any], what: str) -> None:
        if not _is_name(owner):
            raise NotFound("No such owner")
        async with self._database.begin() as connection:
            changed = await connection.execute(update(owners).where(owners.c.name == owner).values(values))
        if not changed.rowcount:
            raise NotFound("No such owner")
        _log.info(f"owner {what}", owner=owner)

    async def _standing(self, connection: AsyncConnection, key_id: str) -> KeyStanding:
        found = await self._standings(connection, key_id=key_id)
        if not found:
            raise NotFound("No such key")
        return found[0]

    async def _standings(
        self, connection: AsyncConnection, *, key_id: str | None = None, owner: str | None = None
    ) -> list[KeyStanding]:
        values = {"id": key_id, "owner": owner, "defaults": self._defaults.as_list(), "free": self._defaults.credits}
        return [standing_of(row) for row in (await connection.execute(_STANDINGS, values)).mappings()]


def _owner(row: Row[Any]) -> Owner:
    return Owner(row.name, row.created_at, row.banned_at, row.keys)


def _is_name(name: str) -> bool:
    """A name stands in addresses, tables and log lines, and must survive them all."""
    fit = name.isprintable() and name == name.strip() and "/" not in name and name.strip(".")
    return bool(fit) and len(name) <= _LONGEST_NAME


async def _fill_purse(connection: AsyncConnection, key_id: str, balance: int | None) -> None:
    held = (credit_uses.c.key_id == key_id) & (credit_uses.c.state == "held")
    purse = insert(key_credits).values(key_id=key_id, balance=balance)
    await connection.execute(purse.on_conflict_do_update(index_elements=["key_id"], set_={"balance": balance}))
    await connection.execute(update(credit_uses).where(held).values(paid=False))


def _check_credits(credits: CreditsWish | None) -> None:
    if isinstance(credits, int) and not 0 <= credits <= MOST_CREDITS:
        raise InvalidParams({"credits": f"must be between 0 and {MOST_CREDITS}, or unlimited"})


def _check_limits(limits: Mapping[str, int | None]) -> None:
    wrong = [name for name, limit in limits.items() if limit is not None and not 0 <= limit <= HIGHEST_LIMIT]
    if wrong:
        raise InvalidParams(dict.fromkeys(wrong, f"must be between 0 (no limit) and {HIGHEST_LIMIT}"))
