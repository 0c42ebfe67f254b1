"""Structured log lines on stderr, JSON or for people, with secrets cut out of every one of them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

_SECRET_NAME = re.compile(r"token|secret|cookie|authorization|password|api[-_]?key|signature", re.IGNORECASE)
# Addresses that open what they name: ours by what is in the path, the CDNs' by their query, a proxy's by its password.
# Each pattern goes on where its last match ended, never back: the texts come from strangers, and may be long.
_ADDRESS = re.compile(r"https?://[^\s\"'<>]++")
_TICKET = re.compile(r"(/media/|/api/(?:tools/)?(?:jobs|download|receipt)/)[A-Za-z0-9_-]{8,}+")
_PASSWORD = re.compile(r"(\b[a-z0-9]++://)[^\s/@]++@")
# A key, or what somebody took for one; its first ten characters are its public id.
_KEY = re.compile(r"(clp_[0-9A-Za-z]{10})[0-9A-Za-z]++")

Event = MutableMapping[str, Any]


def configure(log_format: Literal["console", "json"] = "console", level: str = "info") -> None:
    """Send every log record of this process, uvicorn's too, to stderr in one form."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    stamp: list[Any] = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stamp,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every step it looks at


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose lines go through the standard library: silent below warning until `configure` is called."""
    bound: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
    )
    return bound


def redact(_: Any, __: str, event: Event) -> Event:
    """The last step before rendering: nothing that opens anything leaves the process."""
    for name, value in event.items():
        if _SECRET_NAME.search(name):
            event[name] = "***"
        elif isinstance(value, str):
            event[name] = redacted(value)
    return event


def redacted(text: str) -> str:
    """`text` without keys, and without signatures, queries and passwords of the addresses in it."""
    text = _KEY.sub(r"\1***", text)
    text = _ADDRESS.sub(_without_query, text)
    return _PASSWORD.sub(r"\1***@", _TICKET.sub(r"\1***", text))


def _without_query(match: re.Match[str]) -> str:
    address, mark, query = match[0].partition("?")
    return f"{address}?***" if query else address + mark
