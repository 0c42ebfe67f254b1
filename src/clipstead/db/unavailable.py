"""What is raised when there is no database to work with, or it has left us."""

from __future__ import annotations

from clipstead.errors import StorageError


class DatabaseUnavailable(StorageError):
    """There is no database, or it does not answer; one line that says what to do about it where that is known."""

    code = "database"
