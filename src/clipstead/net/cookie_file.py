"""An operator's cookie file in the Netscape format, as browsers' add-ons, curl and yt-dlp write it.

`http.cookiejar` has a reader, but it stops at files whose second column and leading dot disagree, takes an expiry of 0
("as long as the session") for 1970, and prints warnings with the line, cookie and all.
"""

from http.cookiejar import Cookie, CookieJar
from pathlib import Path

_HTTP_ONLY = "#HttpOnly_"


def read_cookie_file(path: str) -> CookieJar:
    """The file's cookies as a jar. Raises ValueError in one line that repeats nothing of the file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"the cookie file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"the cookie file {path} is not text") from None
    jar = CookieJar()
    for number, line in enumerate(text.splitlines(), 1):
        row = line.removeprefix(_HTTP_ONLY)
        if not row.strip() or row.startswith("#"):
            continue
        try:
            jar.set_cookie(_read_row(row, http_only=row != line))
        except ValueError:
            raise ValueError(f"the cookie file {path}: line {number} is not in the Netscape format") from None
    if not len(jar):
        raise ValueError(f"the cookie file {path} holds no cookies")
    return jar


def _read_row(row: str, *, http_only: bool) -> Cookie:
    domain, below, path, secure, expires, name, value = row.split("\t")
    bare = domain.lstrip(".").lower()
    if not bare or not path.startswith("/") or below not in _FLAGS or secure not in _FLAGS or not name:
        raise ValueError
    wide = _FLAGS[below] or domain.startswith(".")
    return Cookie(
        version=0,
        name=name,
        value=value,
        port=None,
        port_specified=False,
        domain="." + bare if wide else bare,
        domain_specified=wide,
        domain_initial_dot=wide,
        path=path,
        path_specified=True,
        secure=_FLAGS[secure],
        expires=int(float(expires or 0)) or None,
        discard=False,
        comment=None,
        comment_url=None,
        rest={"HttpOnly": ""} if http_only else {},
    )


_FLAGS = {"TRUE": True, "FALSE": False}
