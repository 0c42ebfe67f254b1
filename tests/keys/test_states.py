"""Keys that may not come in, keys that get another secret, and the first key of all."""

import asyncio

import pytest

from clipstead.db import Database
from clipstead.errors import Forbidden, InvalidParams, NotFound, Unauthorized
from clipstead.server.key_standing import KeyLimited
from clipstead.server.key_text import make_key, read_key
from clipstead.server.keys import Keys


async def words_for(keys: Keys, text: str | None) -> str:
    """What whoever shows this is told, "" if they may come in."""
    try:
        await keys.admit(text)
    except (Unauthorized, Forbidden) as error:
        return f"{error.code}: {error}"
    return ""


async def test_every_refusal_has_its_words(keys: Keys) -> None:
    """As the contract has them: 401 for no key and no valid one, 403 for a disabled one and a banned owner."""
    new = await keys.desk.create("somebody")
    key_id = new.standing.id
    assert await words_for(keys, new.text) == ""
    assert await words_for(keys, None) == await words_for(keys, "") == "unauthorized: Missing API key"
    assert await words_for(keys, make_key().text) == "unauthorized: Invalid API key"
    await keys.desk.disable(key_id)
    assert await words_for(keys, new.text) == "forbidden: API key disabled"
    await keys.desk.ban("somebody")
    assert await words_for(keys, new.text) == "forbidden: Account banned"
    await keys.desk.unban("somebody")
    assert (await keys.desk.enable(key_id)).state == "active"
    assert await words_for(keys, new.text) == ""
    await keys.desk.revoke(key_id)
    await keys.desk.enable(key_id)
    assert await words_for(keys, new.text) == "unauthorized: Invalid API key"


async def test_a_wrong_secret_learns_nothing_and_costs_nothing(keys: Keys) -> None:
    """Who knows a key's id alone is told neither of its state nor of its limits, and uses nothing of them."""
    new = await keys.desk.create("somebody", hourly=1)
    guess = make_key(new.standing.id).text
    for change in (keys.desk.enable, keys.desk.disable, keys.desk.revoke):
        await change(new.standing.id)
        assert await words_for(keys, guess) == "unauthorized: Invalid API key"
    assert (await keys.desk.key(new.standing.id)).uses == 0


async def test_a_ban_holds_for_all_keys_of_an_owner_and_no_other(keys: Keys) -> None:
    mine = [await keys.desk.create("mallory") for _ in range(2)]
    other = await keys.desk.create("alice")
    await keys.desk.ban("mallory")
    assert [await words_for(keys, new.text) for new in (*mine, other)] == ["forbidden: Account banned"] * 2 + [""]
    assert [(owner.name, owner.banned_at is not None, owner.keys) for owner in await keys.desk.owners()] == [
        ("alice", False, 1),
        ("mallory", True, 2),
    ]
    with pytest.raises(InvalidParams, match="banned"):
        await keys.desk.create("mallory")


async def test_looking_at_a_key_is_no_use(keys: Keys) -> None:
    """`recognise` counts nothing and lets a key in whose limit is reached; admin things are for admin keys."""
    user, admin = await keys.desk.create("a", hourly=1), await keys.desk.create("a", admin=True)
    await keys.admit(user.text)
    with pytest.raises(KeyLimited):
        await keys.admit(user.text)
    standing = (await keys.recognise(user.text)).standing
    assert standing and standing.uses == 1
    assert (await keys.recognise(admin.text, admin=True)).admin
    with pytest.raises(Forbidden, match="Admin key required"):
        await keys.recognise(user.text, admin=True)


async def test_rotation_changes_the_secret_and_nothing_else(keys: Keys) -> None:
    """The old text is void, the new one has the same id, limits and uses; of two at once one wins."""
    new = await keys.desk.create("a", hourly=3)
    await keys.admit(new.text)
    old = read_key(new.text)
    assert old
    both = await asyncio.gather(keys.desk.rotate(old), keys.desk.rotate(old), return_exceptions=True)
    (fresh,) = [each for each in both if not isinstance(each, BaseException)]
    assert sum(isinstance(each, Unauthorized) for each in both) == 1
    assert await words_for(keys, new.text) == "unauthorized: Invalid API key"
    admission = await keys.admit(fresh.text)
    assert admission.key_id == new.standing.id
    assert admission.standing
    assert [window.used for window in admission.standing.windows] == [2, 2]


async def test_the_first_admin_key_is_made_once(database: Database) -> None:
    """Five servers that start together on an empty database: one of them gets it, and none ever again."""
    desks = [Keys(database).desk for _ in range(5)]
    made = [new for new in await asyncio.gather(*(desk.first_admin() for desk in desks)) if new]
    assert len(made) == 1
    assert (await Keys(database).recognise(made[0].text, admin=True)).admin
    await desks[0].revoke(made[0].standing.id)
    assert await desks[0].first_admin() is None


async def test_who_made_something_may_manage_it_and_an_admin_may(keys: Keys, database: Database) -> None:
    """By key id; on an open instance nobody has one, and what nobody made is everybody's there."""
    mine, other = [await keys.admit((await keys.desk.create(name)).text) for name in "ab"]
    admin = await keys.admit((await keys.desk.create("c", admin=True)).text)
    guest = await Keys(database, open_to_all=True).admit(None)
    assert [who.may_manage(mine.key_id) for who in (mine, other, admin, guest)] == [True, False, True, False]
    assert [who.may_manage(None) for who in (mine, admin, guest)] == [False, True, True]
    assert guest.key_id is None and not guest.admin and guest.headers == {}


@pytest.mark.parametrize("name", ["", " a", "a\n", "a\0", "a/b", "..", "\ud800", "x" * 101])
async def test_names_that_cannot_be(keys: Keys, name: str) -> None:
    with pytest.raises(InvalidParams, match="owner must be a name"):
        await keys.desk.create(name)
    with pytest.raises(NotFound):
        await keys.desk.ban(name)
    assert await keys.desk.keys(name) == []


async def test_what_is_not_there_is_said(keys: Keys) -> None:
    for change in (keys.desk.ban, keys.desk.unban):
        with pytest.raises(NotFound, match="No such owner"):
            await change("nobody")
    for look in (keys.desk.key, keys.desk.revoke, keys.desk.disable):
        with pytest.raises(NotFound, match="No such key"):
            await look("x")
    with pytest.raises(NotFound, match="No such key"):
        await keys.desk.limit("x", {"hourly": 1})
    with pytest.raises(InvalidParams, match="daily must be between"):
        await keys.desk.create("a", daily=-1)
