"""What answers to jobs, files and keys: the parts that stand on the database, which may come up after the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clipstead.db import Database
from clipstead.jobs import Jobs
from clipstead.jobs.receipts import Receipts
from clipstead.jobs.workspace import Workspace
from clipstead.server.archive_room import ArchiveRoom
from clipstead.server.archived import Archived
from clipstead.server.dialect import NotReady
from clipstead.server.keys import Keys
from clipstead.tools.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Workroom:
    """The parts. `bench` looks at uploads; nothing is worked on in a process that serves. `archived` is None unless
    the archive may be asked for what it holds; `archive` is what is told and asked of it by those who show a key.
    `database` is what all of it stands on.
    """

    jobs: Jobs
    workspace: Workspace
    receipts: Receipts
    keys: Keys
    bench: Workbench
    archived: Archived | None = None
    archive: ArchiveRoom | None = None
    database: Database | None = None


GetWorkroom = Callable[[], Workroom]
"""Asked at each request; raises NotReady while there is none."""


def no_workroom() -> Workroom:
    """For a server that was started without one."""
    raise NotReady("Starting up, try again in a moment")


__all__ = ["GetWorkroom", "NotReady", "Workroom", "no_workroom"]
