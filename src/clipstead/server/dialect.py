"""A dialect: one published contract, its routes and its words for errors; and who speaks for which path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from clipstead import errors

Handler = Callable[[Request], Awaitable[Response]]


class NotReady(errors.ClipsteadError):
    """What this takes is not up yet, or was never asked for."""

    code: ClassVar[str] = "not_ready"
    transient = True


# Default statuses; a dialect may word and number its own. The nearest ancestor counts.
_STATUS: Mapping[type[errors.ClipsteadError], int] = {
    errors.BadRequest: 400,
    errors.Unauthorized: 401,
    errors.OutOfCredits: 402,
    errors.Denied: 403,
    errors.RateLimited: 429,
    errors.NotFound: 404,
    errors.Expired: 410,
    errors.PostUnavailable: 404,
    errors.UpstreamError: 502,
    errors.DeadlineExceeded: 504,
    errors.BadMedia: 422,
    NotReady: 503,
}


class Refusal(errors.BadRequest):
    """Something wrong with the request as HTTP (path, method, Host, length, range): it has a status of its own."""

    code: ClassVar[str] = "http"

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


def status_of(error: errors.ClipsteadError) -> int:
    """The HTTP status an error has unless a dialect says otherwise; 500 for what is our own fault."""
    if isinstance(error, Refusal):
        return error.status
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)


@dataclass(frozen=True, slots=True)
class Dialect:
    """`prefix` is the path below which this dialect's words are spoken, "" for none; `error` never raises.

    `paths` are single paths that are its own wherever they are, without a slash at their end; `prefixes` more such
    beginnings.
    """

    name: str
    prefix: str
    router: APIRouter
    error: Callable[[Request, errors.ClipsteadError], Response]
    paths: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()


def add_call(
    router: APIRouter,
    contract: str,
    method: str,
    path: str,
    handler: Handler,
    described: Mapping[str, Any],
    *,
    summary: str | None = None,
    head: bool = False,
) -> None:
    """One call of a contract, as /openapi.json shall tell it; with `head`, HEAD is answered as well."""
    router.add_api_route(
        path,
        handler,
        methods=[method],
        response_class=Response,
        summary=summary,
        operation_id=f"{contract} {method} {path}",
        openapi_extra=dict(described),
    )
    if head:
        router.add_api_route(path, handler, methods=["HEAD"], include_in_schema=False)


class Dialects:
    """All of them: a path of its own comes first, then the longest prefix; `last` takes what nobody else does.

    Unless it is named, that is the one of the shortest prefix: the root's.
    """

    def __init__(self, dialects: Sequence[Dialect], last: Dialect | None = None) -> None:
        self._paths = {path: dialect for dialect in dialects for path in dialect.paths}
        pairs = [(prefix, each) for each in dialects for prefix in (each.prefix, *each.prefixes) if prefix]
        self._prefixes = sorted(pairs, key=lambda pair: len(pair[0]), reverse=True)
        self._last = last or self._prefixes[-1][1]

    def of(self, path: str) -> Dialect:
        """Who speaks for that path, known or unknown."""
        own = self._paths.get(path.rstrip("/") or "/")
        return own or next((each for prefix, each in self._prefixes if path.startswith(prefix)), self._last)
