"""Erasures that raced an attempt: where it may still put something, until nobody can be at work on it any more."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

_STATEMENTS = (
    "ALTER TABLE tombstones ADD COLUMN storage_key text",
    "ALTER TABLE tombstones ADD COLUMN settles_at timestamptz",
    "CREATE INDEX tombstones_unsettled_idx ON tombstones (settles_at) WHERE settles_at IS NOT NULL",
)


def upgrade() -> None:
    """Statement by statement: asyncpg takes one at a time."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
