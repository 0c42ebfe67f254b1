"""One Postgres of our own: its data folder made, the server started, found and stopped by its own programs."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from clipstead.db.account import Account, own_name
from clipstead.db.binaries import MAJOR
from clipstead.db.folders import doorway, drop_run_folder, make_run_folder, run_folders
from clipstead.db.locks import FileLock, is_held
from clipstead.db.unavailable import DatabaseUnavailable

_PATIENCE = "300"  # seconds; recovery after a crash can take minutes, and pg_ctl's own 60 would give up
_LOCK_SECONDS = 10.0
_LOG_BYTES = 8 * 1024**2
_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "cluster_name": "clipstead",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "wal_level": "minimal",  # nobody replicates from here
    "max_wal_senders": "0",
    "jit": "off",  # our queries are short
    "io_method": "sync",  # spares three processes
    "max_logical_replication_workers": "0",
    "log_checkpoints": "off",
}


def _private(path: str, flags: int) -> int:
    """The log can quote statements: it is for the owner's eyes."""
    return os.open(path, flags, 0o600)


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What a running server says of itself in postmaster.pid."""

    pid: int
    run_folder: Path
    ready: bool


class Postgres:
    """The server of `folder`, where its data, log and lock lie; its `programs` run as `account`."""

    def __init__(self, folder: Path, programs: Path, account: Account) -> None:
        self._programs = programs
        self._account = account
        self._data = folder / "data"
        self._log = folder / "log"
        self._lock = folder / "server.lock"
        self._place = folder / "socket"

    @property
    def alive(self) -> bool:
        """Whether a server lives, or is being made, here or in any container: it inherits a lock and keeps it."""
        return is_held(self._lock)

    def postmaster(self) -> Postmaster | None:
        """What the server says of itself, if it has got that far; only worth reading while it is alive."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return Postmaster(int(lines[0]), Path(lines[4]), ready=lines[7].strip() == "ready")
        except (OSError, IndexError, ValueError):
            return None

    async def make(self) -> None:
        """Make the data folder unless there is one; DatabaseUnavailable where it is not for our programs."""
        if not self._data.exists():
            await self._initialise()
        try:
            major = (self._data / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise DatabaseUnavailable(f"{self._data} cannot be used as a database: {error.strerror}") from None
        if major != str(MAJOR):
            raise DatabaseUnavailable(
                f"{self._data} was made by PostgreSQL {major}, and this Clipstead brings {MAJOR}: dump it with the "
                f"Clipstead that made it and restore it into an empty folder, or set CLIPSTEAD_DATABASE_URL"
            )
        if self._data.stat().st_uid != self._account.uid:
            raise DatabaseUnavailable(f"{self._data} belongs to another user than Postgres would run as here")

    async def _initialise(self) -> None:
        """Beside its place first: an initdb that was killed halfway leaves nothing that looks like a database."""
        draft = self._data.with_name("data.draft")
        locale = ("--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "-E", "UTF8")
        async with self._alone() as lock:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(mode=0o700)
            self._account.own(draft)
            with doorway(draft, self._account) as (door, descriptors):
                arguments = ("-D", door, "-U", "postgres", "-A", "peer", *locale)
                await self._run("initdb", *arguments, descriptors=(*descriptors, lock))
            draft.rename(self._data)

    async def start(self) -> Postmaster:
        """Start the server, which must be dead, with its socket where it was the last time, if that can be."""
        # We know that it is over. Postgres only compares process ids, which in a container come round again.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        self._admit()
        options = _OPTIONS | {"unix_socket_directories": str(self._run_folder())}
        words = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in options.items())
        async with self._alone() as lock:
            with doorway(self._data, self._account) as (door, descriptors):
                arguments = ("-D", door, "-w", "-t", _PATIENCE, "-s", "-o", words, "start")
                await self._run("pg_ctl", *arguments, descriptors=(*descriptors, lock))
        if started := self.postmaster():
            return started
        raise DatabaseUnavailable(f"Postgres ended at once: see {self._log}")

    async def stop(self) -> None:
        """End the server: sessions are cut off, everything committed is kept."""
        before = self.postmaster()
        with doorway(self._data, self._account) as (door, descriptors):
            arguments = ("-D", door, "-w", "-t", _PATIENCE, "-s", "-m", "fast", "stop")
            await self._run("pg_ctl", *arguments, descriptors=descriptors)
        if before:
            drop_run_folder(before.run_folder, self._account)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[int]:
        """A descriptor of the lock for a program that works on the data: it may outlive us, and then still has it."""
        lock = FileLock(self._lock)
        try:
            await lock.exclusive(_LOCK_SECONDS)
            yield lock.descriptor
        finally:
            lock.close()

    def _run_folder(self) -> Path:
        """Written down before it is made, so that none is left behind by whoever is killed in between."""
        known = [Path(self._place.read_text())] if self._place.exists() else []
        for folder in (*known, *run_folders(self._account)):
            self._place.write_text(str(folder))
            if make_run_folder(folder, self._account):
                return folder
        raise DatabaseUnavailable("found no short, writable folder for Postgres' socket: set TMPDIR to one")

    def _admit(self) -> None:
        """Only the user we are may log in, told by the kernel: not others who run as the server's user."""
        self._write("pg_hba.conf", "local all postgres peer map=clipstead\n")
        self._write("pg_ident.conf", f'clipstead "{own_name()}" postgres\n')

    def _write(self, name: str, text: str) -> None:
        draft = self._data / f"{name}.draft"
        draft.write_text(text)
        draft.chmod(0o600)
        self._account.own(draft)
        draft.rename(self._data / name)

    async def _run(self, program: str, *arguments: str | Path, descriptors: Sequence[int] = ()) -> None:
        """Run one of its programs to its end, even if we are cancelled meanwhile; what it says goes to the log."""
        try:
            code = await asyncio.to_thread(self._call, [self._programs / program, *arguments], descriptors)
        except OSError as error:
            raise DatabaseUnavailable(f"cannot run Postgres' {program}: {error.strerror}") from None
        if code != 0:
            raise DatabaseUnavailable(f"Postgres' {program} failed: {self._last_words()} (see {self._log})")

    def _call(self, command: Sequence[str | Path], descriptors: Sequence[int]) -> int:
        """A thread of ours waits, since uvloop starts no children as another user."""
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES:
            self._log.replace(self._log.with_name("log.1"))
        other = self._account.other
        with open(self._log, "ab", opener=_private) as log:  # Path.open() takes no opener
            child = subprocess.run(  # noqa: S603  # our own programs
                command,
                user=self._account.uid if other else None,
                group=self._account.gid if other else None,
                extra_groups=[] if other else None,
                pass_fds=descriptors,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in our terminal is not for Postgres
                check=False,
            )
        return child.returncode

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-30:]
        telling = [line for line in lines if "FATAL" in line or "PANIC" in line or "error:" in line]
        return (telling or lines or ["it said nothing"])[-1].strip()
