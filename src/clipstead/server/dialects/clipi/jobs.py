"""Jobs: progress, files and receipts for whoever knows their ids; changes for whoever shows the key."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response

from clipstead.errors import NotFound
from clipstead.jobs import Job
from clipstead.jobs.receipts import receipt_json
from clipstead.server.admission import admit, recognise
from clipstead.server.dialects.base import Services
from clipstead.server.dialects.clipi.events import event_of
from clipstead.server.keys import Admission
from clipstead.server.responses import Json
from clipstead.server.sse import Event
from clipstead.server.stored import Stored

_YES = frozenset(("1", "true", "yes"))
_NO_FILE = "File not found or expired"
_NO_JOB = "Job not found"
_NO_RECEIPT = "Receipt not found or expired"
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class JobDesk:
    """The handlers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._hub = services.streams.hub(self._watch)

    async def progress(self, request: Request) -> Response:
        """The job's states as server-sent events, until the last."""
        told = request.headers.get("last-event-id", "")
        seen = int(told) if told.isascii() and told.isdigit() and len(told) < 19 else 0
        return await self._hub.stream(_named(request, "job_id", _NO_JOB), seen)

    async def download(self, request: Request) -> Response:
        """The file that a download job has made."""
        return await self._file(request, "download")

    async def result(self, request: Request) -> Response:
        """The file that a tool job has made; `?preview=1` is shown, not saved."""
        return await self._file(request, "tool")

    async def receipt(self, request: Request) -> Response:
        """What was done to the file, to the last argument."""
        token = _named(request, "token", _NO_RECEIPT)
        kept = await self._services.workroom().receipts.of(token)
        return Json({"success": True, "data": {"toolJobId": token, **receipt_json(kept)}})

    async def cancel(self, request: Request) -> Response:
        """Call a job off. A job that is over stays as it is."""
        room = self._services.workroom()
        # No use of the key: to stop must always be possible. An open instance knows no keys.
        judge = admit if room.keys.open_to_all else recognise
        by = _on_behalf(await judge(request, room.keys))
        return _told(await room.jobs.cancel(_named(request, "job_id", _NO_JOB), by=by))

    async def retry(self, request: Request) -> Response:
        """Do a failed or cancelled job again."""
        room = self._services.workroom()
        by = _on_behalf(await admit(request, room.keys))
        return _told(await room.jobs.retry(_named(request, "job_id", _NO_JOB), by=by))

    async def _file(self, request: Request, kind: str) -> Response:
        room = self._services.workroom()
        job = await room.jobs.of_token(_named(request, "token", _NO_FILE))
        if job.kind != kind or job.status != "completed" or job.result is None:
            raise NotFound(_NO_FILE)
        stored = await room.workspace.find(job.result.file_id)
        inline = request.query_params.get("preview", "").lower() in _YES
        return Stored(request, job.result, stored.path, inline=inline)

    async def _watch(self, job_id: str) -> AsyncIterator[Event]:
        async with aclosing(self._services.workroom().jobs.watch(job_id)) as states:
            async for job in states:
                yield event_of(job)


def _named(request: Request, name: str, otherwise: str) -> str:
    """The id in the path. Raises NotFound, in these words, for what is nobody's id: no database takes a NUL."""
    found: str = request.path_params[name]
    if not _ID.fullmatch(found):
        raise NotFound(otherwise)
    return found


def _on_behalf(admission: Admission) -> str | None:
    """The key whose jobs may be changed; None is everybody's."""
    return None if admission.admin else admission.key_id


def _told(job: Job) -> Response:
    return Json({"success": True, "jobId": job.id, "status": job.status})
