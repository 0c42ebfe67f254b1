"""`clipstead db backup|restore`: everything in the database as one file."""

from __future__ import annotations

import asyncio
from pathlib import Path

from clipstead.cli.exits import Exit, say
from clipstead.cli.words import size_words
from clipstead.db import reach
from clipstead.db.backup import backup
from clipstead.db.restore import restore


def run_backup(database_url: str, data_dir: Path, file: Path) -> Exit:
    """Write it; `database_url` empty means the embedded database in `data_dir`."""

    async def run() -> int:
        async with reach(database_url, data_dir) as url:
            return await backup(url, file)

    say(f"{file}: {size_words(asyncio.run(run()))}")
    return Exit.DONE


def run_restore(database_url: str, data_dir: Path, file: Path) -> Exit:
    """Read it back."""

    async def run() -> None:
        async with reach(database_url, data_dir) as url:
            await restore(url, file)

    asyncio.run(run())
    say(f"the database holds what {file} holds")
    return Exit.DONE
