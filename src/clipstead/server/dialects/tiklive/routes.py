"""Which path is answered by what, and what is said when something is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from clipstead.errors import ClipsteadError, DeadlineExceeded, ResolveFailed, Unauthorized
from clipstead.server.admission import HEADER, access_headers
from clipstead.server.dialect import Dialect, Handler, add_call
from clipstead.server.dialects.base import Services
from clipstead.server.dialects.tiklive import describe, words
from clipstead.server.dialects.tiklive.details import Details
from clipstead.server.dialects.tiklive.links import Links
from clipstead.server.dialects.tiklive.lists import Lists
from clipstead.server.dialects.tiklive.lookups import LookUps, unanswered
from clipstead.server.dialects.tiklive.params import Params, read
from clipstead.server.dialects.tiklive.paying import credit_headers, paid
from clipstead.server.dialects.tiklive.words import NobodyAnswers
from clipstead.server.farewell import parting
from clipstead.server.responses import Json
from clipstead.server.visit import visit_of

Call = Callable[[Params, Links], Awaitable[dict[str, Any]]]

_PATIENCE = 19.0  # its clients wait 20 seconds: what comes later is paid for and never seen

# What the contract knows and nobody we can ask answers.
_UNANSWERED = (
    "user-liked",
    "user-stories",
    "user-followers",
    "user-following",
    "user-playlists",
    "user-collections",
    "playlist-info",
    "collection-info",
)


def build(services: Services) -> Dialect:
    """The dialect for its 29 paths at the root; with a slash at their end, as documented, the front takes it off."""
    router = APIRouter(tags=["TikLive"])
    calls = _calls(services)
    for name, call in calls.items():
        handler = _answered(services, call)
        add_call(router, "tiklive", "GET", f"/{name}", handler, describe.call(name), summary=describe.SUMMARIES[name])
        router.add_api_route(f"/{name}", handler, methods=["POST"], include_in_schema=False)

    def error(request: Request, error: ClipsteadError) -> Response:
        return _worded(request, error, services.options.tiklive_auth_status)

    return Dialect("tiklive", "", router, error, paths=frozenset(f"/{name}" for name in calls))


def _calls(services: Services) -> Mapping[str, Call]:
    details, lists, lookups = Details(services), Lists(services), LookUps(services)
    return {
        "post-detail": details.post,
        "download-video": details.video,
        "download-music": details.music,
        "ads-detail": details.advertisement,
        "user-posts": lists.of_user,
        "challenge-posts": lists.of_challenge,
        "search-video": lists.of_search,
        "music-posts": lists.of("sound", "music_id"),
        "playlist-posts": lists.of("playlist", "playlist_id"),
        "collection-posts": lists.of("collection", "collection_id"),
        "userid": lookups.user_id,
        "userinfo-by-username": lookups.user_by_name,
        "userinfo-by-id": lookups.user_by_id,
        "search-user": lookups.search_user,
        "challenge-info-id": lookups.challenge_by_id,
        "challenge-info-name": lookups.challenge_by_name,
        "search-challenge": lookups.search_challenge,
        "music-info": lookups.music,
        "post-comments": lookups.comments,
        "post-comment-replies": lookups.replies,
        "region-list": lookups.regions,
        **dict.fromkeys(_UNANSWERED, _nobody),
    }


async def _nobody(_params: Params, _links: Links) -> dict[str, Any]:
    raise NobodyAnswers


def _answered(services: Services, call: Call) -> Handler:
    """The key first, then the parameters, then the work."""

    async def answered(request: Request) -> Response:
        async with paid(request, services):
            params = await read(request)
            links = Links(services.addresses, visit_of(request.scope).base_url)
            try:
                async with asyncio.timeout(_PATIENCE) as patience:
                    told = await call(params, links)
            except ResolveFailed as error:
                if unanswered(error):
                    raise NobodyAnswers from None
                raise
            except TimeoutError:
                if not patience.expired():
                    raise
                raise DeadlineExceeded("Nobody answered in time") from None
        return Json(told, headers=credit_headers(request))

    return answered


def _worded(request: Request, error: ClipsteadError, auth_status: int) -> Response:
    """`{"message": ...}`; a body still under way is not waited for."""
    status = words.status(error, auth_status)
    told = words.body(error, shown_key=bool(request.headers.get(HEADER, "").strip()))
    challenge = access_headers(request, error) if isinstance(error, Unauthorized) and status == 401 else {}
    return parting(request, Json(told, status, words.headers(error) | credit_headers(request) | challenge))
