"""The whole database as one file, by Postgres' own pg_dump."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from pathlib import Path

from clipstead.db.programs import run
from clipstead.errors import InvalidParams, StorageError

_PRIVATE = 0o600


async def backup(url: str, path: Path) -> int:
    """Write a dump of the database at `url`, as it is at one moment, to `path`; its bytes.

    The file appears whole or not at all, readable by us alone. Raises DatabaseUnavailable, StorageError.
    """
    if not path.name:
        raise InvalidParams({"FILE": "must name a file"})
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE))
        await run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={draft}", url=url)
        return await asyncio.to_thread(_settle, draft, path)
    except OSError as error:
        raise StorageError(f"Cannot write {path.name}: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


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
