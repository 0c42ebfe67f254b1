"""Structured log lines on stderr, JSON or for people, with secrets cut out of every one of them."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

_SECRET_NAME = re.compile(r"token|secret|cookie|authorization|password|api[-_]?key|signature", re.IGNORECASE)
# Addresses that open what they name: ours by what is in the path, the CDNs' by their query, a proxy's by its password.
# Each pattern goes on where its last match ended, never back: the texts come from strangers, and may be long.
_ADDRESS = re.compile(r"https?://[^\s\"'<>]++")
_TICKET = re.compile(r"(/media/|/api/(?:tools/)?(?:jobs|download|receipt)/)[A-Za-z0-9_-]{8,}+")
_PASSWORD = re.compile(r"(\b[a-z0-9]++://)[^\s/@]++@")
# A key, or what somebody took for one; its first ten characters are its public id.
_KEY = re.compile(r"(clp_[0-9A-Za-z]{10})[0-9A-Za-z]++")

_FIELDS = "fields"  # where a record carries what belongs to its event


def configure(log_format: Literal["console", "json"] = "console", level: str = "info") -> None:
    """Send every log record of this process, uvicorn's too, to stderr in one form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if log_format == "json" else _Console())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every step it looks at
    logging.getLogger("uvicorn.error").addFilter(_is_fault)


def _is_fault(record: logging.LogRecord) -> bool:
    """uvicorn tells of each answer that a stop breaks off as of a crash; who stops the server tells of them all."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


class EventLogger:
    """Tells of events with fields: `log.info("request", status=200)`. Silent below warning until `configure`."""

    def __init__(self, name: str) -> None:
        self._inner = logging.getLogger(name)

    def info(self, event: str, **fields: Any) -> None:
        """Something happened as it should."""
        self._tell(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Something that an operator should know of."""
        self._tell(logging.WARNING, event, fields)

    def exception(self, event: str, **fields: Any) -> None:
        """An error, with the traceback of the one being handled."""
        self._tell(logging.ERROR, event, fields, exc_info=True)

    def _tell(self, level: int, event: str, fields: dict[str, Any], *, exc_info: bool = False) -> None:
        if self._inner.isEnabledFor(level):
            self._inner.log(level, event, extra={_FIELDS: fields}, exc_info=exc_info)


class _Told(logging.Formatter):
    """What is common to both forms: an event's parts, with secrets cut out."""

    def parts(self, record: logging.LogRecord) -> dict[str, Any]:
        """Timestamp (UTC), level and event, then the event's own fields."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, Any] = getattr(record, _FIELDS, {})
        if record.exc_info:
            fields = {**fields, "exception": self.formatException(record.exc_info)}
        told = {"event": record.getMessage(), **fields}
        return {"timestamp": moment, "level": record.levelname.lower()} | {
            name: _cleaned(name, value) for name, value in told.items()
        }


class _Json(_Told):
    def format(self, record: logging.LogRecord) -> str:
        return orjson.dumps(self.parts(record), default=str).decode()


class _Console(_Told):
    def format(self, record: logging.LogRecord) -> str:
        parts = self.parts(record)
        traceback = parts.pop("exception", "")
        beginning = f"{parts.pop('timestamp')} [{parts.pop('level'):7}] {parts.pop('event')}"
        line = " ".join([beginning, *(f"{name}={value!r}" for name, value in parts.items())])
        return f"{line}\n{traceback}" if traceback else line


def _cleaned(name: str, value: Any) -> Any:
    """Nothing that opens anything leaves the process."""
    if _SECRET_NAME.search(name):
        return "***"
    return redacted(value) if isinstance(value, str) else value


def redacted(text: str) -> str:
    """`text` without keys, and without signatures, queries and passwords of the addresses in it."""
    text = _KEY.sub(r"\1***", text)
    text = _ADDRESS.sub(_without_query, text)
    return _PASSWORD.sub(r"\1***@", _TICKET.sub(r"\1***", text))


def _without_query(match: re.Match[str]) -> str:
    address, mark, query = match[0].partition("?")
    return f"{address}?***" if query else address + mark
