"""The whole database as one file, and back: Postgres' own pg_dump and pg_restore, all or nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from clipstead.db.binaries import own_programs
from clipstead.db.line import connect
from clipstead.db.migrate import status, upgrade
from clipstead.db.unavailable import DatabaseUnavailable
from clipstead.errors import InvalidParams, StorageError

_PRIVATE = 0o600
_OTHERS = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'clipstead' AND pid <> pg_backend_pid()"""
_KEPT = {name: value for name, value in os.environ.items() if name.startswith("PG") or name in ("HOME", "PATH")}
_VERSION = re.compile(rb"^COPY [^\n]*alembic_version[^\n]*\n([0-9]+)\n", re.MULTILINE)


async def backup(url: str, path: Path) -> int:
    """Write a dump of the database at `url`, as it is at one moment, to `path`; its bytes.

    The file appears whole or not at all, readable by us alone. Raises DatabaseUnavailable, StorageError.
    """
    if not path.name:
        raise InvalidParams({"FILE": "must name a file"})
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE))
        await _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={draft}", url=url)
        return await asyncio.to_thread(_settle, draft, path)
    except OSError as error:
        raise StorageError(f"Cannot write {path.name}: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


async def restore(url: str, path: Path) -> None:
    """Replace what the database at `url` holds by the dump in `path`, in one transaction, then bring it up to date.

    Raises InvalidParams for a file that is no dump, DatabaseUnavailable while others use the database, where it is at
    another step than the dump, or where the dump cannot be restored.
    """
    version = await _dumped_version(path)
    current = (await status(url)).current
    if current not in ("", version):
        raise DatabaseUnavailable(
            f"the dump was made at schema {version} and this database is at {current}: restore it into an empty one "
            "(another CLIPSTEAD_DATA_DIR or CLIPSTEAD_DATABASE_URL), which is then brought up to date"
        )
    await _alone(url)
    flags = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction")
    await _run("pg_restore", *flags, "--dbname=" + _without_password(url)[0], "--", str(path), url=url, named=True)
    await upgrade(url)


async def _alone(url: str) -> None:
    connection = await connect(url)
    try:
        if others := await connection.fetchval(_OTHERS):
            raise DatabaseUnavailable(f"the database is in use ({others} connections): stop serve and workers first")
    finally:
        await connection.close()


async def _dumped_version(path: Path) -> str:
    """The schema step that a dump was made at."""
    if not await asyncio.to_thread(path.is_file):
        raise InvalidParams({"FILE": "must be a file that `clipstead db backup` wrote"})
    try:
        listed = await _run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", "--", str(path))
    except DatabaseUnavailable:
        listed = b""
    if found := _VERSION.search(listed):
        return found[1].decode()
    raise InvalidParams({"FILE": "must be a file that `clipstead db backup` wrote, and this one is not, or is damaged"})


async def _run(program: str, *arguments: str, url: str = "", named: bool = False) -> bytes:
    """What it says on standard output; the password travels by the environment, where nobody else can read it."""
    address, passed = _without_password(url)
    where = (f"--dbname={address}",) if url and not named else ()
    try:
        child = await asyncio.create_subprocess_exec(
            own_programs() / program,
            *where,
            *arguments,
            env={**_KEPT, "LC_ALL": "C", "PGOPTIONS": "-c lock_timeout=30s", **passed},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise DatabaseUnavailable(f"cannot run Postgres' {program}: {error.strerror}") from None
    try:
        out, words = await child.communicate()
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
            await child.wait()
    if child.returncode:
        raise DatabaseUnavailable(f"Postgres' {program} failed: {_last_words(words)}")
    return out


def _last_words(words: bytes) -> str:
    lines = [line for line in words.decode(errors="replace").splitlines() if "error:" in line]
    return (lines or ["it said nothing"])[0].partition("error:")[2].strip() or "it said nothing"


def _without_password(url: str) -> tuple[str, Mapping[str, str]]:
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


def _settle(draft: Path, path: Path) -> int:
    """On the disk before its name is, and its name after it."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
        size = os.fstat(file.fileno()).st_size
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return size
