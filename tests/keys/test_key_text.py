"""What a key looks like, and that a slip of the fingers is told from a key without asking anybody."""

import random
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipstead.db import Database
from clipstead.errors import Unauthorized
from clipstead.server.key_text import id_in, make_key, masked, read_key
from clipstead.server.keys import Keys

BASE62 = string.digits + string.ascii_letters


def test_a_key_is_a_prefix_random_base62_and_a_checksum() -> None:
    """42 random characters, of which 32 are secret; no two alike, and each is read as what was made."""
    made = [make_key() for _ in range(200)]
    assert all(re.fullmatch(r"clp_[0-9A-Za-z]{10}[0-9A-Za-z]{32}[0-9A-Za-z]{6}", key.text) for key in made)
    assert len({key.text for key in made}) == len({key.id for key in made}) == len(made)
    assert all(read_key(key.text) == key and len(key.digest) == 32 for key in made)


def test_another_secret_for_the_same_id() -> None:
    key = make_key()
    again = make_key(key.id)
    assert again.id == key.id
    assert again.text != key.text


@given(st.data())
def test_a_slip_is_no_key(data: st.DataObject) -> None:
    """One character wrong, two swapped, one missing, one doubled, one too many, or the wrong case: never a key."""
    text = make_key().text
    place = data.draw(st.integers(4, len(text) - 1), label="place")
    slips = {
        "wrong": text[:place] + data.draw(st.sampled_from(BASE62)) + text[place + 1 :],
        "swapped": text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :],
        "missing": text[:place] + text[place + 1 :],
        "doubled": text[:place] + text[place] + text[place:],
        "case": text[:place] + text[place].swapcase() + text[place + 1 :],
        "blank": text[:place] + " " + text[place:],
    }
    if place > 4:
        assert all(slip == text or read_key(slip) is None for slip in slips.values()), (text, slips)


@given(st.text())
def test_any_text_may_be_asked(text: str) -> None:
    """What is no key is no error either, in whatever script and length."""
    assert read_key(text) is None
    assert read_key(f"clp_{text}") is None


def test_random_text_of_the_right_shape_is_no_key() -> None:
    """The checksum lets through one in four thousand millions."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    assert not any(read_key("clp_" + "".join(dice.choices(BASE62, k=48))) for _ in range(2000))


@pytest.mark.parametrize("shown", ["", "clp_", "clp_your_api_key_here", "Bearer x", "ключ", "\0", "x" * 100_000])
async def test_what_cannot_be_a_key_is_refused_without_a_look_up(shown: str) -> None:
    """The database is not even there."""
    keys = Keys(Database("postgresql://nobody@127.0.0.1:1/nowhere"))
    typo = make_key().text[:-1] + "_"
    for text in (shown, typo):
        with pytest.raises(Unauthorized, match="Missing API key" if not text else "Invalid API key"):
            await keys.admit(text)


def test_a_key_can_be_named_without_being_shown() -> None:
    """By id, masked, or whole; nothing of the secret is in what is shown."""
    key = make_key()
    assert {id_in(name) for name in (key.id, masked(key.id), f"clp_{key.id}", f"clp_{key.id}...", key.text)} == {key.id}
    assert id_in(key.text[:-1]) == id_in("") == id_in("clp_…") == id_in("../../x") == ""
    assert key.text not in repr(key)
    assert key.text[14:] not in repr(key) + masked(key.id)
