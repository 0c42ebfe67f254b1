"""The server as one ASGI application: fast lane, then front, then the router with every dialect."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from clipstead.capture import Capture
from clipstead.errors import ClipsteadError
from clipstead.net.download import Fetcher
from clipstead.net.guard import Guard
from clipstead.resolve.listing import Listing
from clipstead.resolve.lookups import Lookups
from clipstead.resolve.resolver import Resolver
from clipstead.server import admin, my_key, ops
from clipstead.server.addresses import MediaAddresses
from clipstead.server.archive import routes as archive
from clipstead.server.client_address import Clients
from clipstead.server.dialect import Dialects, Refusal
from clipstead.server.dialects import BUILDERS, Services
from clipstead.server.fastlane import FastLane, Shelf
from clipstead.server.front import PUBLIC, Crash, Door, Front, Room
from clipstead.server.hosts import Hosts
from clipstead.server.keys import Keys
from clipstead.server.limits import RollingLimits, Window
from clipstead.server.metrics import Metrics
from clipstead.server.nouns import Finder
from clipstead.server.options import ServerOptions
from clipstead.server.pages import Pages
from clipstead.server.quota import Quota
from clipstead.server.receivers import Receivers
from clipstead.server.responses import JSON_HEADERS
from clipstead.server.sse import Streams
from clipstead.server.tokens import Signer
from clipstead.server.tunnel import Tunnel
from clipstead.server.tunnel_feed import Feeds
from clipstead.server.tunnel_source import Sources
from clipstead.server.views import View, Views, arrange
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
    listing: Listing | None = None,
    lookups: Lookups | None = None,
    webhook_guard: Guard | None = None,
    streams: Streams | None = None,
) -> ASGIApp:
    """Build the application. `clock` gives unix seconds, `ticks` seconds that never go back (for limits).

    `workroom` is asked at each request for jobs, files and keys: it may raise NotReady until the database is up.
    `webhook_guard` judges whom webhooks may go to; without one that is every public address. Whoever stops the server
    closes its `streams`.
    Must run with uvicorn's own proxy headers off: whom to believe is TRUSTED_PROXIES' business.
    """
    shelf = Shelf(options.lane_bytes if options.cache_seconds > 0 else 0, clock)
    quota = _quota(options, ticks)
    clients, ids = Clients(options.trusted_proxies), RequestIds()
    signer = Signer(options.secret, clock)
    pages = Pages()
    lane: FastLane | None = None

    def lane_totals() -> tuple[int, int]:
        return lane.totals() if lane else (0, 0)

    addresses = MediaAddresses(signer, clock, cache_seconds=options.cache_seconds, direct=options.direct_links)
    capture = Capture(resolver, fetcher, max_bytes=options.ttsave_max_bytes)
    receivers = Receivers(webhook_guard or Guard(), options.secret)
    shared = (resolver, addresses, shelf, quota, lane_totals, pages.home, options, clock, ticks, workroom)
    services = Services(*shared, listing, lookups, capture=capture, receivers=receivers, streams=streams or Streams())

    views = _views(services)
    metrics = Metrics(resolver, lane_totals)
    sources = Sources(Finder(resolver, lookups, clock), ticks)
    tunnel = Tunnel(signer, Feeds(sources, fetcher, lambda: workroom().archived), clock)
    common = (ops.router(resolver, metrics, workroom), pages.router(), tunnel.router())

    def room(view: View) -> Room:
        routers = (*common, *(dialect.router for dialect in view.served), *_front_page(view, pages))
        return Room(_api(view.dialects, routers, options.version), view.dialects)

    hosts = Hosts((*options.allowed_hosts, *views.by_host), options.public_url)
    door = Door(clients, hosts, options.public_url, ids, metrics.request)
    general = room(views.general)
    front = Front(general.app, general.dialects, door, {host: room(view) for host, view in views.by_host.items()})
    lane = FastLane(front, shelf, quota, clients, ids, (*JSON_HEADERS, *PUBLIC))
    return lane


def _quota(options: ServerOptions, ticks: Callable[[], float]) -> Quota:
    windows = (Window(options.clipx_per_minute, _MINUTE), Window(options.clipx_per_day, _DAY))
    return Quota(RollingLimits(windows, ticks), options.clipx_unlimited_tokens)


def _views(services: Services) -> Views:
    """Every contract, and what manages keys and the archive, behind the hosts they belong to."""
    options, workroom, receivers = services.options, services.workroom, services.receivers

    def keys() -> Keys:
        return workroom().keys

    managing = [
        admin.dialect(keys),
        my_key.dialect(keys, receivers),
        archive.dialect(workroom, receivers, services.streams),
    ]
    built = [build(services) for build in BUILDERS.values()]
    return arrange(built, managing, options.dialects, options.dialect_hosts)


def _front_page(view: View, pages: Pages) -> list[APIRouter]:
    """A browser gets its page at `/` even where nobody's API lives there."""
    return [] if any(dialect.prefix == "/" for dialect in view.served) else [pages.home_router()]


def _api(dialects: Dialects, routers: Sequence[APIRouter], version: str) -> FastAPI:
    """Routing and /openapi.json alone: the pages, the errors and the log lines are ours."""
    quiet: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
    api = FastAPI(
        title="Clipstead", version=version, docs_url=None, redoc_url=None, redirect_slashes=False, telemetry=quiet
    )

    async def worded(request: Request, error: Exception) -> Response:
        ours = _ours(request, error, routers)
        visit_of(request.scope).problem = f"{ours.code}: {ours}"
        return dialects.of(request.scope["path"]).error(request, ours)

    for kind in (ClipsteadError, HTTPException, Exception):
        api.add_exception_handler(kind, worded)
    for router in routers:
        api.include_router(router)
    return api


def _ours(request: Request, error: Exception, routers: Sequence[APIRouter]) -> ClipsteadError:
    """Starlette's refusals and crashes as errors of ours."""
    if isinstance(error, ClipsteadError):
        return error
    if isinstance(error, HTTPException):
        headers = {"allow": _allowed(request, error, routers)} if error.status_code == 405 else {}
        return Refusal(error.status_code, _PLAIN_TEXTS.get(error.status_code, str(error.detail)), headers)
    return Crash(f"Internal server error (request {visit_of(request.scope).request_id})")


def _allowed(request: Request, error: HTTPException, routers: Sequence[APIRouter]) -> str:
    """What every route of this path takes (the error names the first's alone), and OPTIONS, answered for all."""
    named = (error.headers or {}).get("Allow", "GET")
    routes = (route for router in routers for route in router.routes if isinstance(route, Route | APIRoute))
    here = (route.methods or () for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    methods = {method.strip() for method in named.split(",")} | {"OPTIONS"}
    return ", ".join(sorted(methods.union(*here)))
