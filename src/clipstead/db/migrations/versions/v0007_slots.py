"""Calls under way at a time, shared by all workers: who holds how many, and the function that deals them out."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

_STATEMENTS = (
    """
CREATE TABLE api_slots (
    holder text NOT NULL,
    wants integer NOT NULL,
    slots integer NOT NULL,
    since timestamptz NOT NULL,
    session integer NOT NULL,
    told_at timestamptz NOT NULL,
    alive_until timestamptz NOT NULL,
    PRIMARY KEY (holder)
)
 WITH (fillfactor = 50)
""",
    # Who says a word here holds `kept` slots and could use `wanted`; 0 wanted gives all back. `allowed` is what it may
    # use from now on, `held` what nobody else gets until its next word: what it keeps, or more. `fair` is what it has a
    # right to.
    #
    # Slots are dealt one by one in rounds, to all who want as many, until there are none left; what nobody wants is
    # dealt out besides. Where there are fewer slots than holders, those go first who got theirs in the last seconds,
    # then who has waited longest: so each has its turn. A holder is gone when its lease is over, or at once when its
    # session has ended, as that of a killed process does (a restart of the database ends all, and proves nothing).
    """
CREATE FUNCTION clipstead_api_slots(
    me text, most integer, wanted integer, kept integer, lease double precision,
    OUT allowed integer, OUT held integer, OUT fair integer
) LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz;
    dealt integer;
    holders integer;
    others integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('clipstead_api_slots')), set_config('synchronous_commit', 'off', true);
    moment := clock_timestamp();
    DELETE FROM api_slots AS s
    WHERE (s.holder = me AND wanted = 0) OR s.alive_until < moment
       OR (s.holder <> me AND s.told_at > pg_postmaster_start_time()
           AND NOT EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.pid = s.session));
    IF wanted = 0 THEN
        allowed := 0; held := 0; fair := 0;
        RETURN;
    END IF;
    INSERT INTO api_slots AS s (holder, wants, slots, since, session, told_at, alive_until)
    VALUES (me, LEAST(wanted, most), kept, moment, pg_backend_pid(), moment, moment + lease * interval '1 second')
    ON CONFLICT (holder) DO UPDATE SET wants = excluded.wants, slots = excluded.slots, session = excluded.session,
        told_at = excluded.told_at, alive_until = excluded.alive_until,
        since = CASE WHEN (s.slots = 0) = (excluded.slots = 0) THEN s.since ELSE moment END;
    SELECT count(*), count(*) FILTER (WHERE holder = me) INTO dealt, fair FROM (
        SELECT s.holder FROM api_slots AS s, generate_series(1, s.wants) AS round
        ORDER BY round,
                 CASE WHEN s.slots = 0 THEN 1 WHEN s.since > moment - interval '2 seconds' THEN 0 ELSE 2 END,
                 CASE WHEN s.slots = 0 THEN s.since - moment ELSE moment - s.since END, s.holder
        LIMIT most
    ) AS cards;
    SELECT count(*), COALESCE(sum(slots) FILTER (WHERE holder <> me), 0) INTO holders, others FROM api_slots;
    allowed := GREATEST(0, LEAST(fair + (most - dealt) / holders, most - others));
    held := GREATEST(kept, allowed);
    UPDATE api_slots SET slots = held, since = CASE WHEN slots = 0 THEN moment ELSE since END
    WHERE holder = me AND slots <> held;
END;
$$
""",
)


def upgrade() -> None:
    """Statement by statement: asyncpg takes one at a time."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
