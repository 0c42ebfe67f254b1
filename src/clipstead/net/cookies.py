"""Cookies along one page's chain of redirects: each host sees its own and nobody else's."""

import copy
import re
import urllib.request
from collections.abc import Iterable, Mapping
from http.client import HTTPResponse
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import cast

_UNFIT = re.compile(r"[\x00-\x1f\x7f;]")


def _strict_jar() -> CookieJar:
    """Left to itself `http.cookiejar` takes cookies for ".co.uk" and returns a host's own cookies to its subdomains."""
    return CookieJar(
        DefaultCookiePolicy(strict_domain=True, strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain)
    )


def private_copy(jar: CookieJar) -> CookieJar:
    """The same cookies in a jar of our own: asking a jar drops what has expired, and theirs is not ours to change.

    An expiry of 0 means "as long as the session" in cookie files, though `http.cookiejar` takes it for 1970.
    """
    ours = _strict_jar()
    for cookie in jar:
        cookie = copy.copy(cookie)
        cookie.expires = cookie.expires or None
        ours.set_cookie(cookie)
    return ours


class CookieChain:
    """The cookies of one page call: those of `operator` (an account's own) and those set on the way."""

    def __init__(self, operator: CookieJar | None = None) -> None:
        self._operator = operator
        self._set = _strict_jar()

    def header(self, url: str, given: Mapping[str, str] | None = None) -> str:
        """The Cookie header for `url`, "" for none; what was set on the way wins over `given`, that over the account's.

        Raises ValueError for a given cookie that would break out of the header.
        """
        for name, value in (given or {}).items():
            if _UNFIT.search(name + value) or "=" in name:
                raise ValueError(f"{name!r} cannot be sent as a cookie")
        merged = _pairs(self._operator, url) | dict(given or {}) | _pairs(self._set, url)
        return "; ".join(f"{name}={value}" for name, value in merged.items())

    def absorb(self, url: str, lines: Iterable[str]) -> None:
        """Take in the Set-Cookie header values that `url` answered with, as far as that host may set them."""
        values = list(lines)
        if values:
            self._set.extract_cookies(cast(HTTPResponse, _Reply(values)), _question(url))

    def visible_to(self, host: str) -> dict[str, str]:
        """Name -> value of every cookie set on the way that `host` gets back on some path of its own."""
        return {cookie.name: cookie.value or "" for cookie in self._set if _belongs(cookie, host)}


class _Reply:
    """As much of an HTTP response as a cookie jar looks at."""

    def __init__(self, set_cookies: list[str]) -> None:
        self._set_cookies = set_cookies

    def info(self) -> "_Reply":
        return self

    def get_all(self, name: str, default: list[str]) -> list[str]:
        return self._set_cookies if name == "Set-Cookie" else default


def _question(url: str) -> urllib.request.Request:
    return urllib.request.Request(url)  # noqa: S310 - never sent: the jar reads host, path and scheme from it


def _pairs(jar: CookieJar | None, url: str) -> dict[str, str]:
    if jar is None or not len(jar):
        return {}
    question = _question(url)
    jar.add_cookie_header(question)
    pieces = (piece.partition("=") for piece in (question.get_header("Cookie") or "").split("; ") if piece)
    return {name: value for name, _, value in pieces}


def _belongs(cookie: Cookie, host: str) -> bool:
    jar_host = host if "." in host or ":" in host else host + ".local"  # as http.cookiejar files bare names
    domain = cookie.domain.lstrip(".")
    return jar_host == domain or (cookie.domain_specified and jar_host.endswith("." + domain))
