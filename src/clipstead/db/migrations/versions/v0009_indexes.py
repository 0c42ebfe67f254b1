"""Indexes for what would else read millions of rows to find a few."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

_STATEMENTS = (
    "DROP INDEX posts_handle_idx",
    "CREATE INDEX posts_handle_idx ON posts (lower(author_handle), archived_at, aweme_id)",
    "DROP INDEX authors_handle_idx",
    "CREATE INDEX authors_handle_idx ON authors (lower(handle))",
    "CREATE INDEX archive_queue_source_idx ON archive_queue (source) WHERE resolved_at IS NULL",
    "CREATE INDEX dead_letters_source_idx ON dead_letters (source, died_at, aweme_id)",
    "CREATE INDEX pgqueuer_failed_idx ON pgqueuer (updated) WHERE status = 'failed'",
    """
CREATE INDEX webhook_deliveries_post_idx ON webhook_deliveries ((payload ->> 'aweme_id'))
WHERE payload ->> 'aweme_id' IS NOT NULL
""",
    "ALTER TABLE tombstones ADD COLUMN finished boolean DEFAULT false NOT NULL",
    """
UPDATE tombstones AS t SET finished = NOT EXISTS (SELECT FROM posts AS p WHERE p.aweme_id = t.id)
    AND NOT EXISTS (SELECT FROM archive_queue AS q WHERE q.aweme_id = t.id)
WHERE kind = 'post'
""",
    "CREATE INDEX tombstones_unfinished_idx ON tombstones (id) WHERE kind = 'post' AND NOT finished",
)


def upgrade() -> None:
    """Statement by statement: asyncpg takes one at a time."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
