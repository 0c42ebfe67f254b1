"""What workers do: one function a kind of job, and the tidying up between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from clipstead.jobs import Result
from clipstead.jobs.attempt import Attempt
from clipstead.tasks.kit import Kit
from clipstead.tasks.link import download_link
from clipstead.tasks.tool import run_tool

__all__ = ["Kit", "download_link", "run_tool", "sweeps", "tasks"]


def tasks(kit: Kit) -> Mapping[str, Callable[[Attempt], Coroutine[Any, Any, Result]]]:
    """The task of each kind of job."""
    return {"tool": partial(run_tool, kit), "download": partial(download_link, kit)}


def sweeps(kit: Kit) -> tuple[Callable[[], Awaitable[object]], ...]:
    """What is to be called from time to time, by one of all workers."""
    return (kit.workspace.sweep, kit.sweep)
