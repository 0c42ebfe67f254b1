"""A dialect: one published contract, its routes and its words for errors; and who speaks for which path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from clipstead import errors


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
    """`prefix` is the path below which this dialect's words are spoken; `error` never raises."""

    name: str
    prefix: str
    router: APIRouter
    error: Callable[[Request, errors.ClipsteadError], Response]


class Dialects:
    """All of them, the longest prefix first; the root's is the last and takes what nobody else does."""

    def __init__(self, dialects: Sequence[Dialect]) -> None:
        self._dialects = sorted(dialects, key=lambda dialect: len(dialect.prefix), reverse=True)

    def of(self, path: str) -> Dialect:
        """Who speaks for that path, known or unknown."""
        return next((d for d in self._dialects if path.startswith(d.prefix)), self._dialects[-1])

    def routers(self) -> list[APIRouter]:
        """Every dialect's routes."""
        return [dialect.router for dialect in self._dialects]
