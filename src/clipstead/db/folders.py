"""The folders a database needs: with the right modes, short where a socket lives, open to whom the server runs as."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clipstead.db.account import Account
from clipstead.db.unavailable import DatabaseUnavailable

_SOCKET = ".s.PGSQL.5432"
_LONGEST_SOCKET_PATH = 107  # bytes, of sockaddr_un
_RUN_PREFIX = "clipstead-"


def make_folder(folder: Path, mode: int) -> None:
    """Make `folder` and what is missing above it, with `mode` whatever the umask; what exists stays as it is."""
    if folder.is_dir():
        return
    make_folder(folder.parent, mode)
    try:
        folder.mkdir()
    except FileExistsError:
        return
    folder.chmod(mode)


def run_folders(account: Account) -> Iterator[Path]:
    """Where a run folder may be, best first: near enough to the root for a socket's path, by names nobody can guess."""
    for base in _run_bases(account):
        folder = base / f"{_RUN_PREFIX}{secrets.token_hex(6)}"
        if len(os.fsencode(folder / _SOCKET)) <= _LONGEST_SOCKET_PATH and account.can_reach(base):
            yield folder


def make_run_folder(folder: Path, account: Account) -> bool:
    """Make `folder` or find it made: whether it is a 0700 folder of `account`'s now."""
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700)
        account.own(folder)
    return _is_run_folder(folder, account)


def _is_run_folder(folder: Path, account: Account) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    private = stat.S_ISDIR(status.st_mode) and status.st_uid == account.uid and not status.st_mode & 0o077
    return private and folder.name.startswith(_RUN_PREFIX)


def _run_bases(account: Account) -> Iterator[Path]:
    if account.other:
        yield Path("/run")
    elif runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime)
    yield Path(tempfile.gettempdir())
    yield Path("/tmp")  # noqa: S108  # a folder in it must be ours


def drop_run_folder(folder: Path, account: Account) -> None:
    """Remove a run folder of ours, if it is one."""
    if _is_run_folder(folder, account):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def doorway(folder: Path, account: Account) -> Iterator[tuple[Path, tuple[int, ...]]]:
    """A path by which `account` gets into `folder`, and the descriptors that a child needs for it.

    Where the folders above are closed to that user (a 0700 home, a 0700 temporary folder), nothing of theirs is
    changed: we open the folder ourselves and hand it down, and /proc/self/fd/N leads in without a walk.
    """
    if account.can_reach(folder.parent):
        yield folder, ()
        return
    if not Path("/proc/self/fd").is_dir():
        raise DatabaseUnavailable(f"the user `nobody` cannot get to {folder}: set CLIPSTEAD_DATA_DIR to another folder")
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{descriptor}"), (descriptor,)
    finally:
        os.close(descriptor)
