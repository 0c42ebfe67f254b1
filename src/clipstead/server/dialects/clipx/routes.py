"""ClipX's one route, and its words when something is wrong."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from clipstead.errors import ClipsteadError, InvalidParams, PostUnavailable, RateLimited, ResolveFailed
from clipstead.model import Link, Media, Resolution
from clipstead.server.dialect import Dialect, Refusal
from clipstead.server.dialects.base import Services, tiktok_post
from clipstead.server.dialects.clipx import answer, words
from clipstead.server.dialects.clipx.params import Params, leaves_out, parse
from clipstead.server.dialects.clipx.template import Spent, Template, error_trace
from clipstead.server.pages import wants_page
from clipstead.server.responses import Json, otherwise
from clipstead.server.visit import Visit, visit_of


class MissingUrl(InvalidParams):
    """Nothing was asked for."""

    def __str__(self) -> str:
        return "Missing required parameter: url"


@dataclass(frozen=True, slots=True)
class ClipX:
    """The dialect's handlers over the server's parts."""

    services: Services

    async def get(self, request: Request) -> Response:
        """A TikTok post with direct links; or help, statistics, or the limits."""
        if wants_page(request):
            return self.services.home(request)
        visit = visit_of(request.scope)
        params = parse(request.scope["query_string"])
        if params.help:
            return Json(_success({"help": words.help_text(self.services.options.version, visit.base_url)}))
        if params.stats:
            stats = words.statistics(self.services.resolver.cache_stats(), self.services.lane_totals()[0])
            return Json(_success({"cache": stats}))
        if not params.url:
            return self._without_link(params, visit)
        return await self._post(params, visit, tiktok_post(params.url))

    def _without_link(self, params: Params, visit: Visit) -> Response:
        if not params.rate_limit:
            raise MissingUrl({"url": "is required"})
        unlimited = self.services.root_quota.lifted(visit.token)
        return Json(_success({"rate_limit": words.standing(self._limits(visit), unlimited=unlimited)}))

    async def _post(self, params: Params, visit: Visit, link: Link) -> Response:
        quota = self.services.root_quota
        if not quota.admit(visit.client, visit.token):
            raise RateLimited("Rate limit exceeded", retry_after=quota.retry_after(visit.client))
        began = time.perf_counter()
        resolution = await self.services.resolver.resolve(link, language=params.lang, timeout=params.timeout / 1000)
        resolved = time.perf_counter()
        template = self._template(resolution, params, visit)
        spent = Spent(
            resolve=(resolved - began) * 1000,
            fetch=sum(attempt.ms for attempt in resolution.attempts),
            format=(time.perf_counter() - resolved) * 1000,
        )
        if resolution.cached and visit.lane_key is not None:
            self.services.shelf.put(visit.lane_key, template)
        return Json(template.render(visit.request_id, visit.client, visit.token, visit.started, spent))

    def _template(self, resolution: Resolution, params: Params, visit: Visit) -> Template:
        services = self.services

        def address(media: Media) -> str:
            return services.addresses.of(resolution, media, base_url=visit.base_url, language=params.lang)

        after_trace = {
            **({"contact": words.contact(services.options)} if params.contact else {}),
            **({"meta": self._meta(resolution, params)} if params.meta else {}),
        }
        data = answer.data(resolution, params, address)
        good_until = services.addresses.good_until(resolution)
        return Template(resolution, data, after_trace, params, services.root_quota, services.clock, good_until)

    def _meta(self, resolution: Resolution, params: Params) -> dict[str, Any]:
        used = {name: getattr(params, name) for name in Params.__slots__} | {"url": resolution.post.link.url}
        return {
            "api_info": {"name": words.API_NAME, "version": self.services.options.version},
            "parameters_used": used,
        }

    def _limits(self, visit: Visit) -> dict[str, int]:
        quota = self.services.root_quota
        return words.limits(quota.windows, quota.rooms(visit.client), self.services.clock())

    def error(self, request: Request, error: ClipsteadError) -> Response:
        """success, error, status_code, contact; 429 adds the eight figures, an upstream's failure what was tried."""
        visit, query = visit_of(request.scope), request.scope["query_string"]
        body = words.error_body(error)
        headers = {"access-control-expose-headers": "Retry-After, X-Request-Id"}
        if isinstance(error, Refusal):
            headers |= error.headers
        if isinstance(error, RateLimited):
            body["rate_limit"] = self._limits(visit)
            headers["retry-after"] = str(max(1, math.ceil(error.retry_after)))
        attempts = error.attempts if isinstance(error, ResolveFailed | PostUnavailable) else ()
        if attempts and not leaves_out(query, "trace"):
            body["trace"] = error_trace(visit.request_id, attempts)
        if not leaves_out(query, "contact"):
            body["contact"] = words.contact(self.services.options)
        if not query:
            headers["vary"] = "Accept"
        return Json(body, body["status_code"], headers)


def _success(data: dict[str, Any]) -> dict[str, Any]:
    return {"success": True, "data": data}


def build(services: Services) -> Dialect:
    """The dialect for the root and everything that nobody else speaks for."""
    clipx = ClipX(services)
    router = APIRouter(tags=["ClipX"], responses=otherwise("success", "error", "status_code"))
    router.add_api_route(
        "/",
        clipx.get,
        methods=["GET"],
        response_class=Response,
        summary="Resolve a TikTok post",
        openapi_extra={"parameters": words.openapi_parameters()},
    )
    router.add_api_route("/", clipx.get, methods=["HEAD"], include_in_schema=False)
    return Dialect("clipx", "/", router, clipx.error)
