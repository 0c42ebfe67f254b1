"""Postgres' own pg_dump, pg_restore and psql: run with the password out of sight, their trouble told in one line."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from clipstead.db.binaries import own_programs
from clipstead.db.unavailable import DatabaseUnavailable

_KEPT = {name: value for name, value in os.environ.items() if name.startswith("PG") or name in ("HOME", "PATH")}
_PIECE = 64 * 1024
_TROUBLE = re.compile(r"\b(?:error|ERROR):\s*(\S.*)")


@asynccontextmanager
async def running(program: str, *arguments: str, url: str = "", stdin: int = DEVNULL) -> AsyncIterator[Process]:
    """One of them, working on the database at `url` ("" for none); ended if it is still there at the end.

    Standard output and error are pipes, `stdin` is one if told so. The password travels by the environment, where
    nobody else can read it.
    """
    address, passed = without_password(url)
    where = (f"--dbname={address}",) if url else ()
    try:
        child = await asyncio.create_subprocess_exec(
            own_programs() / program,
            *where,
            *arguments,
            env={**_KEPT, "LC_ALL": "C", "PGOPTIONS": "-c lock_timeout=30s", **passed},
            stdin=stdin,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise DatabaseUnavailable(f"cannot run Postgres' {program}: {error.strerror}") from None
    try:
        yield child
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        assert child.stdout is not None
        while await child.stdout.read(_PIECE):
            pass  # what nobody reads would keep its end from being seen
        await child.wait()


async def run(program: str, *arguments: str, url: str = "") -> bytes:
    """What it says on standard output; DatabaseUnavailable in one line when it fails."""
    async with running(program, *arguments, url=url) as child:
        out, words = await child.communicate()
    if child.returncode:
        raise trouble(program, words)
    return out


def trouble(program: str, words: bytes) -> DatabaseUnavailable:
    """The first error of what it said on standard error."""
    found = _TROUBLE.search(words.decode(errors="replace"))
    return DatabaseUnavailable(f"Postgres' {program} failed: {found[1].strip() if found else 'it said nothing'}")


def without_password(url: str) -> tuple[str, Mapping[str, str]]:
    """An address fit for a list of processes, and the environment that completes it."""
    parts = urlsplit(url)
    told = parse_qsl(parts.query, keep_blank_values=True)
    named = [value for name, value in told if name == "password"]
    if parts.password is None and not named:
        return url, {}
    user, _, host = parts.netloc.rpartition("@")
    place = f"{user.partition(':')[0]}@{host}" if user else host
    query = urlencode([pair for pair in told if pair[0] != "password"], quote_via=quote) if named else parts.query
    password = named[-1] if named else unquote(parts.password or "")
    return f"{parts.scheme}://{place}{parts.path}{'?' if query else ''}{query}", {"PGPASSWORD": password}
