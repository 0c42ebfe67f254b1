"""Which path below /api/archive is answered by what, and what is said when something is wrong."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from clipstead.db import DatabaseUnavailable
from clipstead.errors import ClipsteadError, StorageError
from clipstead.server.archive import describe
from clipstead.server.archive.dead import DeadCalls
from clipstead.server.archive.entrance import Entrance
from clipstead.server.archive.params import RetryWish, SourcesWish, WatchWish, WebhookWish
from clipstead.server.archive.posts import PostCalls
from clipstead.server.archive.shown import PREFIX
from clipstead.server.archive.sources import SourceCalls
from clipstead.server.archive.status import StatusCalls
from clipstead.server.archive.webhooks import WebhookCalls
from clipstead.server.dialect import Dialect, add_call
from clipstead.server.farewell import parting
from clipstead.server.key_answers import error_answer
from clipstead.server.receivers import Receivers
from clipstead.server.responses import Json
from clipstead.server.sse import Streams
from clipstead.server.workroom import GetWorkroom


def dialect(workroom: GetWorkroom, receivers: Receivers, streams: Streams) -> Dialect:
    """The routes and their words."""
    entrance = Entrance(workroom)
    sources, posts, dead = SourceCalls(entrance), PostCalls(entrance), DeadCalls(entrance)
    status, webhooks = StatusCalls(entrance, streams), WebhookCalls(entrance, receivers)
    router = APIRouter(prefix=PREFIX, tags=["archive"])
    add = partial(add_call, router, "archive")
    one = describe.call(("id",))
    add("POST", "/sources", sources.add, describe.call(body=SourcesWish))
    add("GET", "/sources", sources.list, describe.call())
    add("POST", "/sources/{id}/pause", sources.pause, one)
    add("POST", "/sources/{id}/resume", sources.resume, one)
    add("POST", "/sources/{id}/watch", sources.watch, describe.call(("id",), body=WatchWish))
    add("DELETE", "/sources/{id}", sources.remove, one)
    add("GET", "/status", status.show, describe.call())
    add("GET", "/status/stream", status.stream, describe.events())
    add("GET", "/posts", posts.list, describe.call(query=("query", "author", "after", "limit")))
    add("GET", "/posts/{id}", posts.show, one)
    add("GET", "/posts/{id}/files/{number}", posts.file, describe.file("id", "number"), head=True)
    add("GET", "/dead", dead.list, describe.call(query=("reason", "after", "limit")))
    add("POST", "/dead/retry", dead.retry, describe.call(body=RetryWish))
    add("GET", "/webhooks", webhooks.list, describe.call())
    add("POST", "/webhooks", webhooks.add, describe.call(body=WebhookWish))
    add("DELETE", "/webhooks/{id}", webhooks.remove, one)
    return Dialect("archive", PREFIX, router, error)


def error(request: Request, error: ClipsteadError) -> Response:
    """`{"error": text}`; a body still under way is not waited for."""
    if isinstance(error, StorageError) and not isinstance(error, DatabaseUnavailable):
        answer: Response = Json({"error": "The archive's store cannot be used now"}, 503, {"retry-after": "2"})
    else:
        answer = error_answer(request, error)
    return parting(request, answer)
