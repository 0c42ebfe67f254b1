"""Which path is answered by what, and what is said when something is wrong."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from clipstead.errors import ClipsteadError
from clipstead.server.admission import access_headers
from clipstead.server.dialect import Dialect, Handler, add_call
from clipstead.server.dialects.base import Services
from clipstead.server.dialects.clipi import describe, words
from clipstead.server.dialects.clipi.jobs import JobDesk
from clipstead.server.dialects.clipi.tools import Tools
from clipstead.server.dialects.clipi.videos import Videos
from clipstead.server.farewell import parting
from clipstead.server.responses import Json
from clipstead.tools import TOOLS


def build(services: Services) -> Dialect:
    """The dialect for `/api/` and everything below it that nobody else speaks for."""
    videos, tools, jobs = Videos(services), Tools(services), JobDesk(services)
    router = APIRouter(prefix="/api", tags=["Clipi"])

    def add(
        method: str, path: str, handler: Handler, summary: str, described: dict[str, Any], *, head: bool = False
    ) -> None:
        add_call(router, "clipi", method, path, _answered(handler), described, summary=summary, head=head)

    add("POST", "/video/info", videos.info, "What a link can be had as", describe.info())
    add("POST", "/video/download", videos.download, "Get a video", describe.download())
    for tool in TOOLS:
        add("POST", f"/tools/{tool.name}", tools.handler(tool), (tool.__doc__ or "").strip(), describe.tool(tool))
    for below in ("", "/tools"):
        add("GET", f"{below}/jobs/{{job_id}}", jobs.progress, "Follow a job", describe.events())
        add("DELETE", f"{below}/jobs/{{job_id}}", jobs.cancel, "Call a job off", describe.change())
        add("POST", f"{below}/jobs/{{job_id}}/retry", jobs.retry, "Do a job again", describe.change())
    for path, handler in (("/download/{token}", jobs.download), ("/tools/download/{token}", jobs.result)):
        add("GET", path, handler, "The file of a finished job", describe.file(), head=True)
    add("GET", "/tools/receipt/{token}", jobs.receipt, "What was done to the file", describe.receipt())
    return Dialect("clipi", "/api/", router, error)


def error(request: Request, error: ClipsteadError) -> Response:
    """`{"error": ...}` with the contract's statuses; a body still under way is not waited for."""
    headers = words.headers(error) | access_headers(request, error)
    return parting(request, Json(words.body(error), words.status(error), headers))


def _answered(handler: Handler) -> Handler:
    """Good answers tell the key's limits, too."""

    async def answered(request: Request) -> Response:
        response = await handler(request)
        response.headers.update(access_headers(request))
        return response

    return answered
