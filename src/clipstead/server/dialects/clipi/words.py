"""Clipi's errors: one key, `error`, and the statuses that its document lists. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clipstead import errors
from clipstead.db import DatabaseUnavailable
from clipstead.server.dialect import Refusal, status_of

NO_DATABASE = "The database cannot be reached"

# The document calls it "unavailable, private or unsupported"; what nobody can reach is as unavailable as a post can be.
_STATUS: Mapping[type[errors.ClipsteadError], int] = {
    errors.UnsupportedLink: 422,
    errors.PostUnavailable: 422,
    errors.UpstreamError: 422,
    errors.BadMedia: 422,
    errors.NotFound: 404,
    errors.Expired: 404,
    errors.StorageError: 500,
    DatabaseUnavailable: 503,
}


def status(error: errors.ClipsteadError) -> int:
    """The HTTP status of an error; the nearest ancestor counts."""
    found = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), None)
    return status_of(error) if found is None else found


def body(error: errors.ClipsteadError) -> dict[str, Any]:
    """`error`; `retryAfter` with a limit, `message` where nothing of ours is (another contract's clients read that)."""
    told: dict[str, Any] = {"error": _text(error)}
    if isinstance(error, errors.RateLimited):
        told["retryAfter"] = max(1, math.ceil(error.retry_after))
    if isinstance(error, Refusal) and error.status == 404:
        told["message"] = told["error"]
    return told


def headers(error: errors.ClipsteadError) -> dict[str, str]:
    """What the error asks for beside its body."""
    if status(error) == 503:
        return {"retry-after": "2"}
    return dict(error.headers) if isinstance(error, Refusal) else {}


def _text(error: errors.ClipsteadError) -> str:
    if isinstance(error, DatabaseUnavailable):
        return NO_DATABASE  # its own words are for the operator
    return str(error) or "Internal server error"
