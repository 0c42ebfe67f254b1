"""Reading JSON that strangers wrote: any key may be gone, null or of another type, and no reader here minds.

`decode` is the only function that fails (ProviderFailed); what it returns is walked with the readers below, each of
which answers its empty value where the JSON holds something else.
"""

import math
import re
from collections.abc import Iterator

import msgspec

from clipstead.errors import ProviderFailed

Node = dict[str, object]

_JSON = msgspec.json.Decoder()
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.S)
_LAST_MOMENT = 253_402_300_799
_MOST = 2**63 - 1  # what a database column holds; a counter beyond it is rubbish


def decode(body: bytes | memoryview | msgspec.Raw, what: str) -> object:
    """The JSON value in `body`, mended where it must be; ProviderFailed naming `what` where it is no JSON."""
    try:
        return _JSON.decode(body)
    except (ValueError, RecursionError):
        pass
    try:
        return _JSON.decode(mended(bytes(body)))
    except (ValueError, RecursionError):
        raise ProviderFailed(f"{what} is not the JSON it should be") from None


def mended(body: bytes) -> bytes:
    """JSON text without what JavaScript lets pass and msgspec does not: half an emoji, cut off by a length limit.

    Each such half, and each byte that is no UTF-8, becomes U+FFFD.
    """
    return _ESCAPE.sub(_whole, body.decode("utf-8", "replace")).encode()


def _whole(escape: re.Match[str]) -> str:
    """Whole pairs match as one, and so does an escaped backslash: what is left of \\uD800-\\uDFFF is a half."""
    found = escape[0]
    return "\\ufffd" if len(found) == 6 and found[2] in "dD" and found[3] in "89abcdefABCDEF" else found


def node(value: object, *path: str) -> Node:
    """The object that lies at `path`, or an empty one."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def nodes(value: object) -> list[Node]:
    """The objects of a list, others left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """A string as it stands, a whole number in digits, else "". Always encodable, never with a NUL."""
    if isinstance(value, str):
        if value.isascii():
            return value.replace("\0", "")
        return value.encode("utf-8", "replace").decode().replace("\0", "")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def number(value: object) -> int | None:
    """A whole number from 0 to 2**63-1, given as a number or in digits; None for anything else."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 20:
        whole = int(value)  # not by way of a float, which is only exact to 2**53
    elif isinstance(value, int) and not isinstance(value, bool):
        whole = value
    else:
        about = decimal(value)
        whole = -1 if about is None else int(about)
    return whole if 0 <= whole <= _MOST else None


def decimal(value: object) -> float | None:
    """A finite number from 0 on, given as a number or as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and found >= 0 else None


def positive(value: object) -> int | None:
    """Like `number`, but 0 counts as not told: no file, picture or sound measures nothing."""
    return number(value) or None


def moment(value: object) -> int | None:
    """Unix seconds, as far as a calendar goes (the year 9999); None for anything else, milliseconds too."""
    found = number(value)
    return found if found and found <= _LAST_MOMENT else None


def length(value: object) -> float | None:
    """Like `decimal`, but 0 counts as not told."""
    return decimal(value) or None


def flag(value: object) -> bool:
    """True for true, a number other than 0, and the words "true" and "1"."""
    return value in (True, "true", "True", "1") or (isinstance(value, int | float) and value != 0)


def address(value: object) -> str:
    """An http(s) address as it stands (`//host` gets its https), "" for anything else."""
    if not isinstance(value, str) or len(value) > 8192:
        return ""
    if value.startswith("//"):
        value = f"https:{value}"
    if not value.startswith(("https://", "http://")):
        return ""
    return value if value.isascii() and value.isprintable() and " " not in value else ""


def addresses(value: object) -> Iterator[str]:
    """The addresses of a list, or the one address that stands in its place."""
    for item in value if isinstance(value, list) else (value,):
        if found := address(item):
            yield found
