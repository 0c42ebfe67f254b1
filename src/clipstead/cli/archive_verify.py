"""`clipstead archive verify`: ledger, catalog, store and sidecars against each other."""

from __future__ import annotations

import asyncio
import time

from clipstead.archive.verify import Finding, Seen, verify
from clipstead.cli.archive_shelves import open_shelves
from clipstead.cli.consoles import Meter, open_console, write_json
from clipstead.cli.exits import Exit, say
from clipstead.cli.words import printable, size_words


def run(*, read_data: bool, as_json: bool) -> Exit:
    """A line for each thing that does not agree; SOME_FAILED if there is one. With `as_json` a JSON object a line."""
    return asyncio.run(_run(read_data=read_data, as_json=as_json))


async def _run(*, read_data: bool, as_json: bool) -> Exit:
    telling, output, found = _Telling(), open_console(), 0
    async with open_shelves() as shelves:
        async for finding in verify(shelves.database, shelves.store, read_data=read_data, told=telling):
            found += 1
            if as_json:
                write_json(finding)
            else:
                output.print(_line(finding), markup=False)
    telling.meter.clear()
    if as_json:
        total = {"ok": not found, "findings": found, "read_data": read_data, **_figures(telling.seen)}
        write_json(total)
    else:
        telling.close(found)
    return Exit.SOME_FAILED if found else Exit.DONE


def _line(finding: Finding) -> str:
    return printable(f"{finding.fault}  {finding.subject}  {finding.detail}")


def _figures(seen: Seen) -> dict[str, int]:
    return {name: getattr(seen, name) for name in Seen.__slots__}


class _Telling:
    """How far it has got, on a terminal; a summary anywhere."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.meter = Meter()
        self._began = time.monotonic()

    def __call__(self, seen: Seen) -> None:
        self.seen = seen
        self.meter.show(self._words())

    def close(self, found: int) -> None:
        seconds = time.monotonic() - self._began
        say(f"{self._words()} in {seconds:.1f} s: " + (f"{found} do not agree" if found else "all agree"))
        if self.seen.unfinished:
            say(
                f"{self.seen.unfinished} objects belong to posts that are not finished: `archive run` goes on with them"
            )
        if self.seen.quarantined:
            say(f"{self.seen.quarantined} objects are in quarantine/: see `archive audit`")

    def _words(self) -> str:
        read = f", {size_words(self.seen.bytes_read)} read" if self.seen.bytes_read else ""
        return f"{self.seen.posts} posts, {self.seen.objects} objects{read}"
