"""`clipstead archive export`: the catalog as NDJSON, CSV or Parquet."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from clipstead.archive import export, sheets
from clipstead.cli.database import open_database
from clipstead.cli.exits import Exit, say
from clipstead.errors import InvalidParams, StorageError
from clipstead.settings import load


def chosen(*, ndjson: bool, csv: bool, parquet: bool) -> sheets.Format:
    """The format that the options name; InvalidParams unless it is exactly one."""
    formats: Mapping[sheets.Format, bool] = {"ndjson": ndjson, "csv": csv, "parquet": parquet}
    wanted = [name for name, asked in formats.items() if asked]
    if len(wanted) != 1:
        raise InvalidParams({"--ndjson, --csv, --parquet": "say which, and one of them"})
    return wanted[0]


def run(wanted: sheets.Format, output: Path | None) -> Exit:
    """Write every post; to a file, all of them or none."""
    if wanted == "parquet" and (output is None or (output.exists() and not output.is_file())):
        raise InvalidParams({"--parquet": "needs a file to write to: -o posts.parquet"})
    rows = asyncio.run(_run(wanted, output))
    if output is not None:
        say(f"{output}: {rows} posts")
    return Exit.DONE


async def _run(wanted: sheets.Format, output: Path | None) -> int:
    number = 0
    async with open_database(load()) as database:
        with _sheet(wanted, output) as sheet:
            async for batch in export.rows(database):
                sheet.write(batch)
                number += len(batch)
    return number


@contextmanager
def _sheet(wanted: sheets.Format, output: Path | None) -> Iterator[sheets.Sheet]:
    if output is None:
        yield _plain(wanted, _to_screen)
        return
    if output.is_symlink() or (output.exists() and not output.is_file()):  # a pipe, /dev/stdout: not ours to replace
        with output.open("wb") as file:
            yield _plain(wanted, file.write)
        return
    draft = output.with_name(f".{output.name}.{secrets.token_hex(6)}.part")
    try:
        with _opened(wanted, draft) as sheet:
            yield sheet
        _settle(draft, output)
    except OSError as error:
        raise StorageError(f"Cannot write {output.name}: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _opened(wanted: sheets.Format, draft: Path) -> Iterator[sheets.Sheet]:
    if wanted == "parquet":
        parquet = sheets.Parquet(draft, export.columns())
        try:
            yield parquet
        finally:
            parquet.close()
        return
    with draft.open("xb") as file:
        yield _plain(wanted, file.write)


def _to_screen(data: bytes) -> None:
    """Standard output, which may be closed; one whose reader has left ends the command."""
    if sys.stdout is not None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def _plain(wanted: sheets.Format, out: Callable[[bytes], object]) -> sheets.Sheet:
    return (sheets.Csv if wanted == "csv" else sheets.Ndjson)(out, export.columns())


def _settle(draft: Path, output: Path) -> None:
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(output)
