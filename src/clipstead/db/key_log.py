"""The log of keys' uses, kept short."""

from __future__ import annotations

from sqlalchemy import text

from clipstead.db.database import Database

# Twice the longest window: a clock that jumps ahead for a while costs no use that still counts when it is back.
_SWEEP = text("""
    DELETE FROM key_uses WHERE (key_id, number) IN (
        SELECT old.key_id, old.number
        FROM api_keys CROSS JOIN LATERAL (
            SELECT key_id, number FROM key_uses
            WHERE key_id = api_keys.id AND used_at < clock_timestamp() - interval '48 hours'
            ORDER BY used_at LIMIT :batch FOR UPDATE SKIP LOCKED
        ) AS old LIMIT :batch
    )
""")


async def sweep_key_uses(database: Database, *, batch: int = 5_000) -> int:
    """Delete the uses that no limit counts any more, by the database's clock, a batch at a time; how many they were."""
    swept = 0
    while True:
        async with database.begin() as connection:
            gone = (await connection.execute(_SWEEP, {"batch": batch})).rowcount
        swept += gone
        if gone < batch:
            return swept
