"""What a user may get wrong at the archive's commands: one line that names the option or the setting, at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "#soup", "--since", "0001-01-01T00:00:00+14:00"), "--since must be a day"),
        (("add", "#soup", "--since", "9999-12-31T23:59:59-14:00"), "--since must be a day"),
        (("add", "#soup", "--since", "soon"), "--since must be a day"),
        (("add", "#soup", "--watch", "1e9"), "--watch must be 0.01 to 8784"),
        (("add", "#soup", "--max", "99999999999999999999"), "--max must be a number"),
        (("sources", "watch", "1", "--every", "1e9"), "--every must be 0.01 to 8784"),
        (("search", '"'), "WORDS must hold a word"),
    ],
)
def test_what_means_nothing_is_named_by_its_option(archive: Command, words: tuple[str, ...], told: str) -> None:
    """As it was typed, and nothing is added."""
    ended = archive(*words)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert ended.err.startswith(f"clipstead: {told}")
    assert archive("sources", "--json").json == []


def test_a_store_in_the_home_of_nobody_is_named(archive: Command) -> None:
    """As a wrong setting."""
    ended = archive("list", CLIPSTEAD_ARCHIVE_STORE="~nobody-of-this-name/archive")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert ended.err.startswith("clipstead: CLIPSTEAD_ARCHIVE_STORE: ")


def test_a_store_that_cannot_be_written_is_named(archive: Command, tmp_path: Path) -> None:
    """Before any work."""
    (tmp_path / "file").touch()
    ended = archive("run", CLIPSTEAD_ARCHIVE_STORE=str(tmp_path / "file" / "archive"))
    assert (ended.code, ended.err.count("\n")) == (3, 1)
    assert f"{tmp_path}/file/archive, cannot be used" in ended.err


def test_each_provider_is_shown_with_its_own_limit(kept: Command) -> None:
    """The lower of the two that are set for it."""
    limits = {"CLIPSTEAD_ARCHIVE_API_PER_MINUTE": "200", "CLIPSTEAD_TIKWM_PER_SECOND": "1"}
    assert kept("refresh", "--all", CLIPSTEAD_PROVIDERS="tikwm").code == 0
    told = kept("status", **limits).out
    assert "budget    tikwm of 60 a minute" in told
    assert "budget    tiktok_web of 200 a minute" in told


def test_nothing_to_tell_is_told(archive: Command) -> None:
    """An audit without a line says so."""
    assert "nothing was deleted yet" in archive("audit").err
