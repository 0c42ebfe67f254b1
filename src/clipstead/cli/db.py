"""`clipstead db upgrade|status`: the database's schema, brought up to date or looked at."""

from __future__ import annotations

import asyncio
from pathlib import Path

from clipstead.cli.exits import Exit, tell
from clipstead.db import Status, reach, status, upgrade


def run_upgrade(database_url: str, data_dir: Path) -> Exit:
    """Apply what is missing; `database_url` empty means the embedded database in `data_dir`."""
    before, after = asyncio.run(_upgrade(database_url, data_dir))
    for step in before.pending:
        tell(f"applied {step}")
    _tell(after)
    return Exit.DONE


def run_status(database_url: str, data_dir: Path) -> Exit:
    """Say where it stands; SOME_FAILED (1) if it lacks something."""
    found = asyncio.run(_status(database_url, data_dir))
    _tell(found)
    return Exit.SOME_FAILED if found.pending else Exit.DONE


async def _upgrade(database_url: str, data_dir: Path) -> tuple[Status, Status]:
    async with reach(database_url, data_dir) as url:
        return await status(url), await upgrade(url)


async def _status(database_url: str, data_dir: Path) -> Status:
    async with reach(database_url, data_dir) as url:
        return await status(url)


def _tell(found: Status) -> None:
    lacks = f", lacks {', '.join(found.pending)}: clipstead db upgrade" if found.pending else ", up to date"
    tell(f"schema {found.current or 'none'} of {found.head}{lacks}")
