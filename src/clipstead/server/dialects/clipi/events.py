"""A job's state as the contract's event: one line of JSON, with the fields of its kind and no others. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from clipstead.jobs.job import Job
from clipstead.server.sse import Event

_FAILED = "The work failed"
_CANCELLED = "Job cancelled"
DOWNLOADS = "/api/download/"
RESULTS = "/api/tools/download/"


def event_of(job: Job) -> Event:
    """The event that tells the state of `job`."""
    data = download_state(job) if job.kind == "download" else tool_state(job)
    return Event(job.version, job.status, orjson.dumps(data), last=job.final)


def download_state(job: Job) -> dict[str, Any]:
    """jobId, status, percent; speed and eta while they are known; downloadUrl or error at the end."""
    state = _state(job)
    if job.status == "processing":
        state |= {} if job.speed is None else {"speed": job.speed}
        state |= {} if job.eta is None else {"eta": job.eta}
    return state


def tool_state(job: Job) -> dict[str, Any]:
    """jobId, status, percent; the place in the queue while it waits; downloadUrl or error at the end."""
    state = _state(job)
    if job.status == "pending" and job.position is not None:
        state |= {"queuePosition": job.position, "queueTotal": max(job.total or 0, job.position)}
    return state


def download_url(job: Job) -> str:
    """Where the result is, from the origin on."""
    return (DOWNLOADS if job.kind == "download" else RESULTS) + job.token


def _state(job: Job) -> dict[str, Any]:
    """The contract knows no job that was called off: to its clients it has failed."""
    status = "failed" if job.status == "cancelled" else job.status
    state: dict[str, Any] = {"jobId": job.id, "status": status, "percent": _percent(job)}
    if status == "completed":
        state["downloadUrl"] = download_url(job)
    if status == "failed":
        state["error"] = _CANCELLED if job.status == "cancelled" else job.error or _FAILED
    return state


def _percent(job: Job) -> int:
    """Whole, and 100 only when it is done."""
    return 100 if job.status == "completed" else min(99, int(job.percent))
