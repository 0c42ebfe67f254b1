"""Around every routed request: its name, its Host, its length, CORS, one log line, its count, and the one 500."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipstead.errors import ClipsteadError
from clipstead.server.addresses import MEDIA_PATH
from clipstead.server.client_address import Clients
from clipstead.server.dialect import Dialects, NotReady, Refusal
from clipstead.server.fastlane import Headers, read_headers
from clipstead.server.hosts import Hosts
from clipstead.server.logs import EventLogger, redacted
from clipstead.server.presence import StreamCut
from clipstead.server.visit import RequestIds, Visit, keep, visit_of

MAX_QUERY = 8 * 1024
MAX_PATH = 8 * 1024
_SHOWN_PATH = 300  # characters of it in the log
# Asked by orchestrators and collectors under whatever address they know us by; their answers hold no address of ours.
OPERATIONS = frozenset(("/healthz", "/readyz", "/metrics"))
# Keys are managed by programs and by pages of ours: no other site's page reads or sends anything here.
PRIVATE = ("/api/admin", "/api/my-key")

SAFE: Headers = ((b"x-content-type-options", b"nosniff"),)
PUBLIC: Headers = (*SAFE, (b"access-control-allow-origin", b"*"))
_PREFLIGHT: Headers = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, DELETE, OPTIONS"),
    (b"access-control-allow-headers", b"X-Api-Key, X-ClipX-Unlimited, Content-Type, Range, If-Range, Last-Event-ID"),
    (b"access-control-max-age", b"86400"),
)

_log = EventLogger("clipstead.server")
_access = EventLogger("clipstead.access")
_access_switch = logging.getLogger("clipstead.access")


class Crash(ClipsteadError):
    """A fault of ours, told without its details."""

    code = "internal"


@dataclass(frozen=True, slots=True)
class Door:
    """What the front needs to know of the world outside."""

    clients: Clients
    hosts: Hosts
    public_url: str
    ids: RequestIds
    count: Callable[[str, int, int], None]


class Room(NamedTuple):
    """What stands behind the door: an application, and who speaks in it."""

    app: ASGIApp
    dialects: Dialects


class Front:
    """ASGI application around `inner`, which sees only requests whose Host is believed.

    `elsewhere` are the rooms of host names (`name` or `name:port`) that show something else.
    """

    def __init__(
        self, inner: ASGIApp, dialects: Dialects, door: Door, elsewhere: Mapping[str, Room] | None = None
    ) -> None:
        self._inner = inner
        self._general = Room(inner, dialects)
        self._door = door
        self._elsewhere = dict(elsewhere or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lifespan and the like pass through; a crash is told by its request id alone."""
        if scope["type"] != "http":
            return await self._inner(scope, receive, send)
        # With a slash at its end a path is the same one. A redirect would name http:// behind a proxy that speaks
        # https, and have the key sent there; and programs make a GET of what they POST.
        scope["path"] = scope["path"].rstrip("/") or scope["path"]
        visit = self._visit(scope)
        answer = _Answer(send, visit, SAFE if _is_for_few(scope["path"]) else PUBLIC)
        try:
            await self._serve(scope, receive, answer, visit)
        except asyncio.CancelledError:  # the server has to stop, and can wait no longer
            if answer.status:
                self._tell(scope, visit, answer)
                raise
            await self._refuse(NotReady("The server is being stopped, try again in a moment"), scope, receive, answer)
        except StreamCut as cut:
            _log.warning("broken off", request_id=visit.request_id, why=str(cut), bytes=answer.bytes)
        except Exception:  # noqa: BLE001 - the one broad except: the client hears of it, we keep serving
            _log.exception("crash", request_id=visit.request_id, path=_shown_path(scope))
            if not answer.status:
                crash = Crash(f"Internal server error (request {visit.request_id})")
                await self._refuse(crash, scope, receive, answer)
        self._tell(scope, visit, answer)

    def _visit(self, scope: Scope) -> Visit:
        host, hosts, token = read_headers(scope["headers"])
        scheme = self._door.clients.scheme(scope)
        believed = self._door.hosts.check(host) if hosts == 1 else None
        visit = Visit(
            request_id=self._door.ids(),
            client=self._door.clients.bucket(scope),
            base_url=(self._door.public_url or f"{scheme}://{believed}") if believed else "",
            started=time.perf_counter(),
            token=token,
            host=believed or "",
        )
        if believed and scope["method"] == "GET" and scope["path"] == "/" and scope["query_string"]:
            visit.lane_key = (scheme, host, scope["query_string"])
        keep(scope, visit)
        return visit

    async def _serve(self, scope: Scope, receive: Receive, send: Send, visit: Visit) -> None:
        if len(scope["query_string"]) > MAX_QUERY or len(scope["raw_path"]) > MAX_PATH:
            await self._refuse(Refusal(414, "Address too long", {"connection": "close"}), scope, receive, send)
        elif not visit.base_url and scope["path"] not in OPERATIONS:
            await self._refuse(Refusal(400, "Invalid Host header"), scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": list(_PREFLIGHT)})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._room(visit).app(scope, receive, send)

    def _room(self, visit: Visit) -> Room:
        """What this host shows."""
        if not self._elsewhere:
            return self._general
        by_name = self._elsewhere.get(visit.host.rsplit(":", 1)[0] if visit.host[-1:] != "]" else visit.host)
        return self._elsewhere.get(visit.host) or by_name or self._general

    async def _refuse(self, error: ClipsteadError, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._room(visit_of(scope)).dialects.of(scope["path"]).error(Request(scope), error)
        await response(scope, receive, send)

    def _tell(self, scope: Scope, visit: Visit, answer: _Answer) -> None:
        dialect = self._label(scope["path"], visit)
        self._door.count(dialect, answer.status, answer.bytes)
        if _access_switch.isEnabledFor(logging.INFO):
            _access.info(
                "request",
                request_id=visit.request_id,
                client=visit.client,
                method=scope["method"],
                path=_shown_path(scope),
                dialect=dialect,
                status=answer.status,
                bytes=answer.bytes,
                ms=round((time.perf_counter() - visit.started) * 1000, 1),
                **({"problem": visit.problem} if visit.problem else {}),
            )

    def _label(self, path: str, visit: Visit) -> str:
        if path in OPERATIONS:
            return "operations"
        return "media" if path.startswith(MEDIA_PATH) else self._room(visit).dialects.of(path).name


class _Answer:
    """`send`, with what every answer bears added, and what was sent remembered. Status 0 = nothing yet."""

    def __init__(self, send: Send, visit: Visit, headers: Headers) -> None:
        self._send = send
        self._headers = (*headers, (b"x-request-id", visit.request_id.encode("ascii")))
        self.status = 0
        self.bytes = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
        else:
            self.bytes += len(message.get("body", b""))
        await self._send(message)


def _is_for_few(path: str) -> bool:
    return path in OPERATIONS or path.startswith(PRIVATE)


def _shown_path(scope: Scope) -> str:
    """As it came over the wire, still escaped: no path can draw a line of its own. Queries are nobody's business."""
    shown = redacted(scope["raw_path"][:MAX_PATH].decode("latin-1"))
    return shown if len(shown) <= _SHOWN_PATH else shown[:_SHOWN_PATH] + "..."
