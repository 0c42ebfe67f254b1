"""The server as one ASGI application: fast lane, then front, then the router with every dialect."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from clipstead.errors import ClipsteadError
from clipstead.net.download import Fetcher
from clipstead.resolve.resolver import Resolver
from clipstead.server import admin, my_key, ops
from clipstead.server.addresses import MediaAddresses
from clipstead.server.client_address import Clients
from clipstead.server.dialect import Dialects, Refusal
from clipstead.server.dialects import BUILDERS, Services
from clipstead.server.fastlane import FastLane, Shelf
from clipstead.server.front import PUBLIC, Crash, Door, Front
from clipstead.server.hosts import Hosts
from clipstead.server.limits import RollingLimits, Window
from clipstead.server.metrics import Metrics
from clipstead.server.options import ServerOptions
from clipstead.server.pages import Pages
from clipstead.server.quota import Quota
from clipstead.server.responses import JSON_HEADERS
from clipstead.server.tokens import Signer
from clipstead.server.tunnel import Tunnel
from clipstead.server.tunnel_feed import Feeds
from clipstead.server.tunnel_source import Sources
from clipstead.server.visit import RequestIds, visit_of
from clipstead.server.workroom import GetWorkroom, no_workroom

_MINUTE = 60.0
_DAY = 86_400.0
_PLAIN_TEXTS = {404: "Not found", 405: "Method not allowed"}


def create(
    resolver: Resolver,
    fetcher: Fetcher,
    options: ServerOptions,
    clock: Callable[[], float] = time.time,
    ticks: Callable[[], float] = time.monotonic,
    workroom: GetWorkroom = no_workroom,
) -> ASGIApp:
    """Build the application. `clock` gives unix seconds, `ticks` seconds that never go back (for limits).

    `workroom` is asked at each request for jobs, files and keys: it may raise NotReady until the database is up.
    Must run with uvicorn's own proxy headers off: whom to believe is TRUSTED_PROXIES' business.
    """
    shelf = Shelf(options.lane_bytes if options.cache_seconds > 0 else 0, clock)
    windows = (Window(options.clipx_per_minute, _MINUTE), Window(options.clipx_per_day, _DAY))
    quota = Quota(RollingLimits(windows, ticks), options.clipx_unlimited_tokens)
    clients, ids = Clients(options.trusted_proxies), RequestIds()
    signer = Signer(options.secret, clock)
    pages = Pages()
    lane: FastLane | None = None

    def lane_totals() -> tuple[int, int]:
        return lane.totals() if lane else (0, 0)

    addresses = MediaAddresses(signer, clock, cache_seconds=options.cache_seconds, direct=options.direct_links)
    services = Services(resolver, addresses, shelf, quota, lane_totals, pages.home, options, clock, ticks, workroom)
    managing = [dialect(lambda: workroom().keys) for dialect in (admin.dialect, my_key.dialect)]
    dialects = Dialects([*(build(services) for build in BUILDERS), *managing])
    metrics = Metrics(resolver, lane_totals)
    tunnel = Tunnel(signer, Feeds(Sources(resolver, ticks), fetcher), clock)
    api = _api(dialects, options.version)
    for router in (ops.router(resolver, metrics, workroom), pages.router(), tunnel.router(), *dialects.routers()):
        api.include_router(router)
    hosts = Hosts(options.allowed_hosts, options.public_url)
    front = Front(api, dialects, Door(clients, hosts, options.public_url, ids, metrics.request))
    lane = FastLane(front, shelf, quota, clients, ids, (*JSON_HEADERS, *PUBLIC))
    return lane


def _api(dialects: Dialects, version: str) -> FastAPI:
    """Routing and /openapi.json alone: the pages, the errors and the log lines are ours."""
    quiet: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
    api = FastAPI(title="Clipstead", version=version, docs_url=None, redoc_url=None, telemetry=quiet)

    async def worded(request: Request, error: Exception) -> Response:
        ours = _ours(request, error)
        visit_of(request.scope).problem = f"{ours.code}: {ours}"
        return dialects.of(request.scope["path"]).error(request, ours)

    for kind in (ClipsteadError, HTTPException, Exception):
        api.add_exception_handler(kind, worded)
    return api


def _ours(request: Request, error: Exception) -> ClipsteadError:
    """Starlette's refusals and crashes as errors of ours."""
    if isinstance(error, ClipsteadError):
        return error
    if isinstance(error, HTTPException):
        headers = {"allow": _allowed(error)} if error.status_code == 405 else {}
        return Refusal(error.status_code, _PLAIN_TEXTS.get(error.status_code, str(error.detail)), headers)
    return Crash(f"Internal server error (request {visit_of(request.scope).request_id})")


def _allowed(error: HTTPException) -> str:
    """What the route takes, and OPTIONS, which the front answers for all."""
    named = (error.headers or {}).get("Allow", "GET")
    methods = {method.strip() for method in named.split(",")} | {"OPTIONS"}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
