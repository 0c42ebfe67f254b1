"""Which Host header may be written into an address of ours."""

import pytest

from clipstead.server.hosts import Hosts

HOSTS = Hosts(("files.example", "exact.example:8443", "*.wild.example", "2001:db8::5"), "https://clips.example:444")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("localhost", "localhost"),
        ("LOCALHOST:8000", "localhost:8000"),
        ("localhost.", "localhost"),
        ("127.0.0.1:1", "127.0.0.1:1"),
        ("[::1]:8000", "[::1]:8000"),
        ("clips.example:444", "clips.example:444"),
        ("clips.example", "clips.example"),
        ("files.example:9", "files.example:9"),
        ("exact.example:8443", "exact.example:8443"),
        ("a.wild.example", "a.wild.example"),
        ("[2001:db8::5]", "[2001:db8::5]"),
        ("exact.example", None),
        ("wild.example", None),
        ("notwild.example", None),
        ("evil.example", None),
        ("localhost.evil.example", None),
        ("127.0.0.2", None),
        ("", None),
        ("x/../admin?", None),
        ("localhost/../x", None),
        ("localhost@evil.example", None),
        ("localhost:80:80", None),
        ("localhost:99999", None),
        ("localhost:", None),
        ("local host", None),
        ("localhost\t", None),
        ("localhost#", None),
        ("[::1", None),
        ("lоcalhost", None),  # a Cyrillic o
        ("localhost," * 100, None),
    ],
)
def test_a_host_is_believed_or_not(raw: str, expected: str | None) -> None:
    """Loopback, PUBLIC_URL's, and those listed; nothing that is not a plain name or address with a port."""
    assert HOSTS.check(raw.encode()) == expected


def test_a_star_believes_every_well_formed_name() -> None:
    """But still no nonsense."""
    everybody = Hosts(("*",))
    assert everybody.check(b"anything.example:81") == "anything.example:81"
    assert everybody.check(b"x/../admin?") is None
