"""TikTok-DL's routes: downloads, providers, stored links, ping, index; and its words when something is wrong."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from clipstead.errors import ClipsteadError, PostUnavailable, RateLimited, UnsupportedLink, UpstreamError
from clipstead.model import Media, Resolution
from clipstead.resolve.rotation import Turns
from clipstead.server.dialect import Dialect, Handler, add_call, status_of
from clipstead.server.dialects.base import Services
from clipstead.server.dialects.tiktokdl import answer, describe, words
from clipstead.server.dialects.tiktokdl.params import MOST_ASKED, RANDOM, BadUrl, Params, judge, of_body, of_query
from clipstead.server.dialects.tiktokdl.stored import StoredLinks
from clipstead.server.farewell import parting
from clipstead.server.limits import RollingLimits, Window
from clipstead.server.quota import Quota
from clipstead.server.responses import Json
from clipstead.server.small_body import small_body
from clipstead.server.visit import visit_of

_RESOLVE_SECONDS = 45.0
_LANGUAGE = "en"
_INDEX = {"index": "Hello world!", "endpoints": {"ping": "/api/ping", "download": "/api/download"}}


class TikTokDl:
    """The handlers over the server's parts."""

    def __init__(self, services: Services) -> None:
        self._services = services
        limits = RollingLimits((Window(services.options.tiktokdl_per_minute, 60.0),), services.ticks)
        self._quota = Quota(limits)
        self._stored = StoredLinks(services.resolver, kept=services.options.tiktokdl_stored_links)

    async def get(self, request: Request) -> Response:
        """What a query asks for."""
        return await self._download(request, of_query(request.scope["query_string"]))

    async def post(self, request: Request) -> Response:
        """What a body asks for."""
        body = await small_body(request)
        return await self._download(request, of_body(body, request.headers.get("content-type", "")))

    async def providers(self, request: Request) -> Response:
        """Who may be asked, as they stand now."""
        return _wrapped(request, words.providers(self._services.resolver.health()))

    async def stored_links(self, request: Request) -> Response:
        """Links in the cache; none, unless the operator lets everybody see them."""
        return _wrapped(request, self._stored.links())

    async def ping(self, request: Request) -> Response:
        """Whether we are there, and how many milliseconds it took to say so."""
        took = (time.perf_counter() - visit_of(request.scope).started) * 1000
        return Json({"status": 200, "took": round(took), "data": "OK"})

    async def index(self, request: Request) -> Response:
        """What there is."""
        return Json(_INDEX)

    async def _download(self, request: Request, values: Mapping[str, Any]) -> Response:
        params = judge(values, [health.name for health in self._services.resolver.health()])
        visit = visit_of(request.scope)
        if not self._quota.admit(visit.client, None):
            raise RateLimited(words.LIMITED, retry_after=self._quota.retry_after(visit.client))
        try:
            resolution = await self._resolve(params)
        except UnsupportedLink as error:
            raise BadUrl(str(error)) from None
        except (UpstreamError, PostUnavailable) as error:
            visit.problem = f"{error.code}: {error}"
            return Json(answer.failure(*words.failed(error, params.type)))
        self._stored.add(resolution.post)

        def address(media: Media) -> str:
            return self._services.addresses.of(resolution, media, base_url=visit.base_url, language=_LANGUAGE)

        return Json(answer.success(resolution, address))

    async def _resolve(self, params: Params) -> Resolution:
        """By one provider, or by a few in turn; by random unless one is named, and then never by one that rests."""
        named = "" if params.type == RANDOM else params.type
        alone = bool(named) and not params.rotate
        turns = Turns(shuffled=True, first=named, most=MOST_ASKED if params.rotate else 1)
        return await self._services.resolver.resolve(
            params.link,
            language=_LANGUAGE,
            timeout=_RESOLVE_SECONDS,
            fresh=params.nocache,
            provider=named if alone else None,
            turns=Turns() if alone else turns,
        )


def _wrapped(request: Request, content: list[Any]) -> Response:
    """A bare array, as documented; `?wrap=data` gives the object that the last version sends."""
    return Json({"data": content} if request.query_params.get("wrap") == "data" else content)


def error(request: Request, error: ClipsteadError) -> Response:
    """`error` and `message`, with the statuses that its clients know."""
    status = status_of(error)
    return parting(request, Json(words.body(error), status, words.headers(error, status)))


def build(services: Services) -> Dialect:
    """The dialect for its five paths; the rest of `/api/` is somebody else's."""
    desk = TikTokDl(services)
    router = APIRouter(prefix="/api", tags=["TikTok-DL"])
    routes: tuple[tuple[str, str, Handler, str, dict[str, Any]], ...] = (
        ("GET", "/download", desk.get, "Links of a TikTok post", describe.query()),
        ("POST", "/download", desk.post, "Links of a TikTok post", describe.body()),
        ("GET", "/providers", desk.providers, "Who may be asked", describe.providers()),
        ("GET", "/stored-links", desk.stored_links, "Links in the cache", describe.links()),
        ("GET", "/ping", desk.ping, "Whether the server is there", describe.plain()),
        ("GET", "", desk.index, "What there is", describe.plain()),
    )
    for method, path, handler, summary, described in routes:
        add_call(router, "tiktok-dl", method, path, handler, described, summary=summary, head=method == "GET")
    return Dialect("tiktokdl", "", router, error, paths=frozenset(f"/api{path}" for _, path, *_ in routes))
