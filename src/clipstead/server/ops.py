"""What operators ask: /healthz (can answer), /readyz (what it can answer with), /metrics."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from clipstead.resolve import ProviderHealth
from clipstead.resolve.resolver import Resolver
from clipstead.server.metrics import Metrics
from clipstead.server.responses import Json, otherwise
from clipstead.server.workroom import GetWorkroom, NotReady, no_workroom

_PATIENCE = 2.0  # seconds; probes have little more


def router(resolver: Resolver, metrics: Metrics, workroom: GetWorkroom) -> APIRouter:
    """The three routes; HEAD is answered too, since some probes use it."""
    routes = APIRouter(tags=["operations"])

    async def healthz() -> Response:
        """200 as soon as the server can answer."""
        return Json({"status": "ok"})

    async def readyz() -> Response:
        """200 when there is a provider to ask and the database is there; a provider that rests comes back by itself."""
        health = resolver.health()
        providers = {each.name: each.maintenance or ("resting" if each.resting_until else "ok") for each in health}
        missing = await _missing(health, workroom)
        return Json({"status": missing or "ready", "providers": providers}, 503 if missing else 200)

    async def show_metrics() -> Response:
        """Prometheus exposition format."""
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"})

    for path, answer, summary in (
        ("/healthz", healthz, "Whether the server can answer"),
        ("/readyz", readyz, "Whether there is somebody to ask"),
        ("/metrics", show_metrics, "Figures for Prometheus"),
    ):
        routes.add_api_route(
            path, answer, methods=["GET"], response_class=Response, summary=summary, responses=otherwise()
        )
        routes.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False)
    return routes


async def _missing(health: list[ProviderHealth], workroom: GetWorkroom) -> str:
    """What keeps the server from its work, "" for nothing. One that was started without jobs waits for no database."""
    if all(each.maintenance for each in health):
        return "no provider"
    try:
        database = workroom().database if workroom is not no_workroom else None
    except NotReady as error:
        return str(error)
    return "The database does not answer" if database and not await database.answers(_PATIENCE) else ""
