"""The "Please wait..." page: a proof of work whose answer is a cookie good for one more request."""

import base64
import binascii
import hashlib
import re
import secrets

import orjson

COOKIE, ORIGIN_COOKIE = "_wafchallengeid", "waforiginalreid"
_HARDEST = 3000
_COOKIE = re.compile(rf"(?:^|;\s*){COOKIE}=([^;]*)")


class Waf:
    """Sets puzzles and recognises their solutions, without remembering either."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(16)

    def challenge(self) -> bytes:
        """A fresh puzzle as the page that holds it; it says "Please wait..." and costs a solver a few milliseconds."""
        prefix, number = secrets.token_bytes(32), secrets.randbelow(_HARDEST)
        digest = hashlib.sha256(prefix + str(number).encode()).digest()
        values = {"a": _encode(prefix), "b": _encode(secrets.token_bytes(8)), "c": _encode(digest)}
        puzzle = orjson.dumps({"v": values, "s": self._seal(values["a"] + values["c"])})
        origin = _encode(secrets.token_bytes(24)).rstrip("=")
        return _PAGE.format(cs=_encode(puzzle).rstrip("="), wci=COOKIE, rci=ORIGIN_COOKIE, rs=origin).encode()

    def solved(self, cookie_header: str) -> bool:
        """Whether the request brings a solution of one of our puzzles, in the form the page's script sends it."""
        found = _COOKIE.search(cookie_header)
        if not found:
            return False
        try:
            puzzle = orjson.loads(base64.b64decode(found[1] + "===", validate=False))
            values, answer = puzzle["v"], base64.b64decode(puzzle["d"])
            digest = hashlib.sha256(base64.b64decode(values["a"]) + answer).digest()
            return bool(_encode(digest) == values["c"] and puzzle["s"] == self._seal(values["a"] + values["c"]))
        except (KeyError, TypeError, ValueError, binascii.Error):
            return False

    def _seal(self, text: str) -> str:
        return _encode(hashlib.blake2b(text.encode(), key=self._secret, digest_size=24).digest())


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


_PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"/><title>Please wait...</title>
<meta name="viewport" content="width=device-width, initial-scale=1.0"/></head>
<body style="margin:0"><div style="text-align:center;padding-top:40vh;font-family:sans-serif">Please wait...</div>
<p id="cs" class="{cs}"></p>
<p id="wci" class="{wci}"></p>
<p id="rci" class="{rci}"></p>
<p id="rs" class="{rs}"></p>
<script type="text/javascript" src="/waf-aiso/check.js"></script>
</body></html>
"""
