"""`clipstead archive import`: what others have kept becomes part of the archive."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from clipstead.archive.importing import Importer
from clipstead.cli.archive_shelves import open_shelves, probed
from clipstead.cli.exits import Exit, say
from clipstead.errors import InvalidParams


def run(paths: Sequence[Path]) -> Exit:
    """Take over all of it; SOME_FAILED when something could not be, which is named."""
    for path in paths:
        if not (path.is_file() or path.is_dir()):
            raise InvalidParams({"PATH": f"must be a file or a folder that is there, and {path} is not"})
    return asyncio.run(_run(paths))


async def _run(paths: Sequence[Path]) -> Exit:
    told = 0
    async with open_shelves() as shelves:
        await probed(shelves)
        importer = Importer(shelves.ledger, shelves.dead, shelves.tombstones, shelves.store)
        done = importer.done
        for path in paths:
            async for _ in importer.path(path):
                for what, why in done.failed[told:]:
                    say(f"failed  {what}  {why}")
                told = len(done.failed)
        await shelves.ledger.sweep()
    lists = f", {done.passed_over} lists passed over" if done.passed_over else ""
    say(f"{done.adopted} posts adopted, {done.queued} queued for `archive run`, {done.known} known already{lists}")
    return Exit.SOME_FAILED if done.failed else Exit.DONE
