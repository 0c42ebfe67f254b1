"""`clipstead archive add`: sources and posts into the books; nothing is asked of anybody before `archive run`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from clipstead.app import open_app
from clipstead.archive import layout
from clipstead.archive.given import is_short, moment_of, narrowed, source_of, understood
from clipstead.archive.ledger import Added, Entry
from clipstead.cli import archive_given as given
from clipstead.cli.archive_shelves import Shelves, open_shelves
from clipstead.cli.consoles import open_console
from clipstead.cli.exits import Exit, say
from clipstead.cli.words import printable
from clipstead.errors import ClipsteadError, InvalidParams, StorageError, UnsupportedLink
from clipstead.model import Link, Source
from clipstead.resolve.tiktok.short import expand
from clipstead.settings import load

_BATCH = 20_000
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Terms:
    """What the options say; 0 and "" mean that nothing was said."""

    watch: float
    most: int
    since: str
    region: str
    publish_time: int
    sort_by: int

    def narrowed(self, source: Source) -> Source:
        """The source with what narrows it."""
        return narrowed(source, self.region, self.publish_time, self.sort_by)


@dataclass(slots=True)
class _Wanted:
    """What was given, judged: nothing is added before all of the command line is understood."""

    whole: list[Source | Link] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def run(texts: Sequence[str], terms: Terms) -> Exit:
    """Add all; SOME_FAILED when a line of a file, or a short link, could not be."""
    given.check_terms(terms.region, terms.publish_time, terms.sort_by)
    with given.in_options(since="--since", watch_hours="--watch", max_posts="--max"):
        since = moment_of(terms.since)
        return asyncio.run(_Adding(terms, since).all(_judged(texts)))


def _judged(texts: Sequence[str]) -> _Wanted:
    wanted = _Wanted()
    for text in texts:
        try:
            wanted.whole.append(understood(text))
        except UnsupportedLink as error:
            if text != "-" and given.as_file(text) is None:
                shown = text if text.isprintable() else ascii(text)
                raise InvalidParams({"SOURCE": f"{shown[:_SHOWN]}: {error}, nor is it a file that is there"}) from None
            wanted.files.append(text)
    return wanted


class _Adding:
    """One run of the command."""

    def __init__(self, terms: Terms, since: datetime | None) -> None:
        self._terms, self._since = terms, since
        self._posts = Added()
        self._failed = self._sources = 0
        self._out = open_console()

    async def all(self, wanted: _Wanted) -> Exit:
        async with open_shelves() as shelves:
            await self._add(shelves, wanted.whole)
            for name in wanted.files:
                async for batch in _batches(given.lines_of(None if name == "-" else given.as_file(name))):
                    await self._add(shelves, self._read(batch))
        self._close()
        return Exit.SOME_FAILED if self._failed else Exit.DONE

    def _read(self, lines: Iterable[str]) -> list[Source | Link]:
        found = []
        for line in lines:
            try:
                found.append(understood(line))
            except UnsupportedLink as error:
                self._fail(line, str(error))
        return found

    async def _add(self, shelves: Shelves, wanted: Sequence[Source | Link]) -> None:
        plain = [each for each in wanted if not is_short(each)]
        plain += await self._expanded([each for each in wanted if isinstance(each, Link) and is_short(each)])
        posts = [each for each in plain if isinstance(each, Link)]
        if posts:
            self._posts += await shelves.ledger.add([Entry(layout.post_id(link), link.url) for link in posts], "")
        for source in (each for each in plain if isinstance(each, Source)):
            await self._source(shelves, self._terms.narrowed(source))

    async def _source(self, shelves: Shelves, source: Source) -> None:
        terms = self._terms
        row = await shelves.sources.add(
            source, watch_hours=terms.watch or None, max_posts=terms.most or None, since=self._since
        )
        self._sources += 1
        watched = f", looked at every {row.watch_hours:g} h" if row.watch_hours else ""
        self._out.print(f"{row.spec}  added{watched}", markup=False)

    async def _expanded(self, shorts: Sequence[Link]) -> list[Source | Link]:
        """What short links lead to, which has to be asked: the ledger knows posts by their ids."""
        if not shorts:
            return []
        found: list[Source | Link] = []
        async with AsyncExitStack() as stack:
            app = await stack.enter_async_context(open_app(load()))
            slots = asyncio.Semaphore(app.settings.archive_api_concurrent)

            async def one(link: Link) -> None:
                async with slots:
                    try:
                        found.append(source_of(await expand(link, app.net)))
                    except StorageError:
                        raise
                    except ClipsteadError as error:
                        self._fail(link.url, str(error))

            await asyncio.gather(*(one(link) for link in shorts))
        return found

    def _fail(self, text: str, why: str) -> None:
        self._failed += 1
        say(f"failed  {printable(text)[:_SHOWN]}  {why}")

    def _close(self) -> None:
        posts, words = self._posts, []
        if posts.new or posts.known or posts.refused:
            words = [f"{posts.new} posts added", f"{posts.known} known already"]
        if posts.refused:
            words.append(f"{posts.refused} refused: they were erased")
        if self._failed:
            words.append(f"{self._failed} failed")
        if words:
            say(", ".join(words))


async def _batches(lines: Iterable[str]) -> AsyncIterator[list[str]]:
    """Standard input may be a terminal or a slow pipe: it is read apart from the loop."""
    rest = iter(lines)
    while batch := await asyncio.to_thread(lambda: list(islice(rest, _BATCH))):
        yield batch
