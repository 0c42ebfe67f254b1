"""Those who share an embedded Postgres: who comes first starts it, who leaves last stops it, everybody watches over it.

Who uses it is a shared lock on a file, so a process that is killed leaves no trace; the server itself holds another
lock for as long as it lives, so it is found again whatever became of its starter. Who starts or stops it goes through
a turnstile.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from clipstead.db.account import server_account
from clipstead.db.binaries import binaries
from clipstead.db.folders import make_folder
from clipstead.db.line import connect
from clipstead.db.locks import FileLock, turnstile
from clipstead.db.postgres import Postgres
from clipstead.db.unavailable import DatabaseUnavailable

_START_SECONDS = 330.0  # a little more than pg_ctl's own patience
_UNREACHABLE_SECONDS = 60.0
_LOOK_SECONDS = 1.0
_UNREACHABLE = (
    "the embedded Postgres is run by a process that cannot be seen from here, perhaps in another container: give each "
    "its own CLIPSTEAD_DATA_DIR, or let them share a database by CLIPSTEAD_DATABASE_URL"
)


async def join(data_dir: Path) -> Household:
    """Become one of them; DatabaseUnavailable, in one line, where that cannot be."""
    account = server_account()
    folder = (data_dir / "postgres").resolve()  # by its real name: a link's own folder may be closed to `nobody`
    try:
        # `nobody` has to walk through, to its own folder and no further.
        make_folder(folder, 0o711 if account.other else 0o700)
        programs = await asyncio.to_thread(binaries, account, folder)
        household = Household(folder, Postgres(folder, programs, account))
        await household.enter()
    except OSError as error:
        raise DatabaseUnavailable(
            f"cannot keep a database in {folder}: {error.strerror}; set CLIPSTEAD_DATA_DIR or CLIPSTEAD_DATABASE_URL"
        ) from None
    return household


class Household:
    """One user among those who share the server of `folder`."""

    def __init__(self, folder: Path, server: Postgres) -> None:
        self._server = server
        self._gate = folder / "gate.lock"
        self._users = FileLock(folder / "users.lock")
        self._run_folder = Path()
        self._in = False

    @property
    def url(self) -> str:
        """Where the server listens: a socket that only we can get at."""
        return f"postgresql://postgres@/clipstead?host={self._run_folder}"

    async def enter(self) -> None:
        """Become a user; the first one starts the server, or finds the one that a killed process left."""
        clock = asyncio.get_running_loop().time
        deadline, patience = clock() + _START_SECONDS, clock() + _UNREACHABLE_SECONDS
        try:
            while not await self._try_to_enter():
                if clock() > (deadline if self._server.postmaster() else patience):
                    raise DatabaseUnavailable(_UNREACHABLE)
                await asyncio.sleep(0.05)
        except BaseException:
            await self.leave()
            raise

    async def _try_to_enter(self) -> bool:
        """False while there is a server that is starting, ending, or not to be reached from here."""
        async with turnstile(self._gate, _START_SECONDS):
            if not self._server.alive:
                await self._server.make()
                postmaster = await self._server.start()
            elif not (found := self._server.postmaster()) or not found.ready or not found.run_folder.is_dir():
                return False
            else:
                postmaster = found
            self._run_folder = postmaster.run_folder
            self._users.try_shared()
            self._in = True
            await self._create_database()
            return True

    async def _create_database(self) -> None:
        connection = await connect(self.url.replace("/clipstead?", "/postgres?"))
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = 'clipstead'"):
                await connection.execute("CREATE DATABASE clipstead")
        finally:
            await connection.close()

    async def leave(self) -> None:
        """Stop being a user; the last one stops the server. Whoever never got in has nothing to stop."""
        if not self._in:
            self._users.close()
            return
        async with turnstile(self._gate, _START_SECONDS):
            last = self._users.try_exclusive()
            try:
                if last and self._server.alive:
                    await self._server.stop()
            finally:
                self._users.close()

    async def watch(self) -> None:
        """Start the server again, in the same place, whenever it has died under us."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._server.alive:
                continue
            with contextlib.suppress(DatabaseUnavailable, OSError):  # tried again at the next look
                async with turnstile(self._gate, _START_SECONDS):
                    if not self._server.alive:
                        await self._server.start()
