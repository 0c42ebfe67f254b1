"""What docs/configuration.md says of the settings is what the settings are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clipstead.settings import Settings, SettingsError, load


def _rows(repository: Path) -> dict[str, tuple[str, str, str]]:
    text = (repository / "docs" / "configuration.md").read_text()
    rows = re.findall(r"^\| `CLIPSTEAD_([A-Z_]+)` \| (.*?) \| (.*?) \| (.*?) \|$", text, re.MULTILINE)
    return {name.lower(): (default, unit, words) for name, default, unit, words in rows}


def test_every_setting_is_documented_and_nothing_else_is(repository: Path) -> None:
    """The table names exactly the settings there are."""
    assert _rows(repository).keys() == Settings.model_fields.keys()


@pytest.mark.parametrize("name", [name for name in Settings.model_fields if name != "data_dir"])
def test_documented_defaults_and_words_are_the_real_ones(repository: Path, name: str) -> None:
    """Default and description of each row stand in the code as they stand in the table."""
    default, _, words = _rows(repository)[name]
    field = Settings.model_fields[name]
    value = field.default
    shown = (
        ",".join(value) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else str(value)
    )
    assert default == (f"`{shown}`" if shown else "(empty)")
    assert words == field.description


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "99999"),
        ("PORT", "abc"),
        ("CACHE_SECONDS", "-1"),
        ("ALLOW_ADDRESSES", "10.0.0.0/8,nonsense"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("SECRET", "short"),
        ("CA_FILE", "/nowhere/at/all.pem"),
        ("PUBLIC_URL", "ftp://host"),
        ("PUBLIC_URL", "https://host:99999"),
        ("PUBLIC_URL", "https://ho st"),
        ("PUBLIC_URL", 'https://host/a"b'),
        ("PUBLIC_URL", "https://:secret@host"),
        ("TIKWM_URL", "http://host:abc"),
        ("TIKLIVE_URL", "http://host:70000"),
        ("LOG_FORMAT", "xml"),
        ("DIRECT_LINKS", "perhaps"),
        ("DATABASE_URL", "mysql://host/x"),
        ("KEY_HOURLY", "-1"),
    ],
)
def test_a_wrong_value_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The line names the variable and shows nothing of a traceback."""
    monkeypatch.setenv(f"CLIPSTEAD_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value).startswith(f"CLIPSTEAD_{name}: ")
    assert "\n" not in str(caught.value)


def test_lists_take_commas_and_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    """`a,b c` is three words; an empty value is the default."""
    monkeypatch.setenv("CLIPSTEAD_CONNECT_TO", "a:443:127.0.0.1:1, b:443:127.0.0.1:2 c:80:[::1]:3")
    monkeypatch.setenv("CLIPSTEAD_PROVIDERS", "")
    settings = load()
    assert settings.connect_to == ("a:443:127.0.0.1:1", "b:443:127.0.0.1:2", "c:80:[::1]:3")
    assert settings.providers == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_open_is_for_loopback(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """An instance that only this machine reaches may do without keys."""
    monkeypatch.setenv("CLIPSTEAD_OPEN", "1")
    monkeypatch.setenv("CLIPSTEAD_HOST", host)
    assert load().open


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", "0.0.0.0"),
        ("HOST", "::"),
        ("HOST", "10.0.0.5"),
        ("HOST", "nas"),
        ("PUBLIC_URL", "https://clips.example"),
    ],
)
def test_open_is_refused_elsewhere(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Where others reach it, by itself or through a proxy, the start ends with a line that says why."""
    monkeypatch.setenv("CLIPSTEAD_OPEN", "1")
    monkeypatch.setenv(f"CLIPSTEAD_{name}", value)
    with pytest.raises(SettingsError, match=r"^CLIPSTEAD_OPEN: is for an instance that only this machine reaches"):
        load()
    monkeypatch.setenv("CLIPSTEAD_OPEN", "0")
    assert not load().open
