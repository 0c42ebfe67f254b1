"""Whom Postgres runs as: ourselves, or `nobody` where we are root, since Postgres refuses to be root."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from clipstead.db.unavailable import DatabaseUnavailable


@dataclass(frozen=True, slots=True)
class Account:
    """A user to run as; `other` says that it is not the one we are."""

    uid: int
    gid: int
    other: bool

    def own(self, path: Path) -> None:
        """Give `path` to this user."""
        if self.other:
            os.chown(path, self.uid, self.gid)

    def can_reach(self, folder: Path) -> bool:
        """Whether this user may walk down to `folder` (which need not exist yet) by its real path."""
        if not self.other:
            return True
        real = folder.resolve()
        return all(parent.stat().st_mode & 0o001 for parent in (real, *real.parents) if parent.exists())


def server_account() -> Account:
    """The account that the embedded Postgres belongs to."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), other=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise DatabaseUnavailable(
            "Postgres will not run as root, and there is no user `nobody` here: set CLIPSTEAD_DATABASE_URL"
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid, other=True)


def own_name() -> str:
    """The name of the user we are."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise DatabaseUnavailable(
            f"Postgres cannot run as user {os.geteuid()}, who has no name in /etc/passwd: set CLIPSTEAD_DATABASE_URL"
        ) from None
