"""The database: Postgres from the wheel or by URL, connections that survive its restarts, tables and migrations."""

from clipstead.db.database import Database
from clipstead.db.embedded import embedded, reach
from clipstead.db.migrate import Status, status, upgrade
from clipstead.db.unavailable import DatabaseUnavailable

__all__ = ["Database", "DatabaseUnavailable", "Status", "embedded", "reach", "status", "upgrade"]
