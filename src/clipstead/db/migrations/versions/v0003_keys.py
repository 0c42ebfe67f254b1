"""Owners, keys, the log of their uses, and the function that admits a use if its limits allow it."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_STATEMENTS = (
    """
CREATE TABLE owners (
    name text PRIMARY KEY,
    banned_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
""",
    """
CREATE TABLE api_keys (
    id text PRIMARY KEY,
    owner text NOT NULL REFERENCES owners (name),
    digest bytea NOT NULL,
    admin boolean NOT NULL DEFAULT false,
    hourly integer,
    daily integer,
    uses bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_used_at timestamptz,
    rotated_at timestamptz,
    disabled_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT api_keys_limits_are_limits CHECK (hourly >= 0 AND daily >= 0)
) WITH (fillfactor = 70)
""",
    "CREATE INDEX api_keys_of_owner ON api_keys (owner)",
    """
CREATE TABLE key_uses (
    key_id text NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    number bigint NOT NULL,
    used_at timestamptz NOT NULL,
    PRIMARY KEY (key_id, number)
)
""",
    "CREATE INDEX key_uses_window ON key_uses (key_id, used_at, number)",
    """
CREATE TYPE clipstead_standing AS (
    id text,
    owner text,
    digest bytea,
    admin boolean,
    state text,
    uses bigint,
    created_at timestamptz,
    last_used_at timestamptz,
    rotated_at timestamptz,
    hourly integer,
    hourly_used bigint,
    hourly_reset double precision,
    hourly_wait double precision,
    daily integer,
    daily_used bigint,
    daily_reset double precision,
    daily_wait double precision,
    own_hourly integer,
    own_daily integer
)
""",
    # One window of a key whose newest use is number `made`. Uses are numbered without gaps, so that neither counting
    # them nor finding the one that has to leave first takes longer for a limit of a million than for one of fifty.
    # `reset` says when the oldest leaves, `wait` when there is room again (0: there is), both in seconds.
    """
CREATE FUNCTION clipstead_key_window(wanted text, made bigint, quota integer, span interval, moment timestamptz)
RETURNS TABLE (used bigint, reset double precision, wait double precision) LANGUAGE sql STABLE AS $$
    SELECT coalesce(made - oldest.number + 1, 0),
           extract(epoch FROM coalesce(oldest.used_at + span - moment, span))::double precision,
           CASE WHEN quota > 0 AND made - oldest.number + 1 >= quota
                THEN extract(epoch FROM (
                    SELECT used_at FROM key_uses WHERE key_id = wanted AND number = made - quota + 1
                ) + span - moment)::double precision
                ELSE 0
           END
    FROM (SELECT 1) AS always LEFT JOIN LATERAL (
        SELECT number, used_at FROM key_uses
        WHERE key_id = wanted AND used_at > moment - span ORDER BY used_at, number LIMIT 1
    ) AS oldest ON true
$$
""",
    # How a key stands. `defaults`: hourly and daily of user keys, then of admin keys.
    """
CREATE FUNCTION clipstead_key_standing(wanted text, moment timestamptz, defaults integer[])
RETURNS SETOF clipstead_standing LANGUAGE sql STABLE AS $$
    SELECT k.id, k.owner, k.digest, k.admin,
           CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked'
                WHEN o.banned_at IS NOT NULL THEN 'banned'
                WHEN k.disabled_at IS NOT NULL THEN 'disabled'
                ELSE 'active' END,
           k.uses, k.created_at, k.last_used_at, k.rotated_at,
           quota.hourly, h.used, h.reset, h.wait,
           quota.daily, d.used, d.reset, d.wait,
           k.hourly, k.daily
    FROM api_keys AS k
    JOIN owners AS o ON o.name = k.owner
    CROSS JOIN LATERAL (
        SELECT coalesce(k.hourly, defaults[CASE WHEN k.admin THEN 3 ELSE 1 END]) AS hourly,
               coalesce(k.daily, defaults[CASE WHEN k.admin THEN 4 ELSE 2 END]) AS daily
    ) AS quota
    CROSS JOIN LATERAL clipstead_key_window(k.id, k.uses, quota.hourly, interval '1 hour', moment) AS h
    CROSS JOIN LATERAL clipstead_key_window(k.id, k.uses, quota.daily, interval '24 hours', moment) AS d
    WHERE k.id = wanted
$$
""",
    # Admit a use, or refuse it without a trace. No row: no such key. The caller must look at digest, state and waits;
    # it was admitted if they are right, active and 0. The first pass takes no lock and writes nothing, so that refusing
    # costs little; only what seems admissible queues up at the key's row and is judged again.
    """
CREATE FUNCTION clipstead_admit(wanted text, offered bytea, charge boolean, defaults integer[])
RETURNS SETOF clipstead_standing LANGUAGE plpgsql AS $$
DECLARE
    seen clipstead_standing;
    moment timestamptz;
    latest timestamptz;
BEGIN
    FOR pass IN 1..2 LOOP
        IF pass = 2 THEN
            SELECT last_used_at INTO latest FROM api_keys WHERE id = wanted FOR NO KEY UPDATE;
        END IF;
        moment := clock_timestamp();
        IF pass = 2 AND latest > moment THEN
            -- The clock was set back. Uses from what is now the future count as made just now: never one too many,
            -- and no key waits longer than a window for the clock to catch up.
            UPDATE key_uses SET used_at = moment WHERE key_id = wanted AND used_at > moment;
            UPDATE api_keys SET last_used_at = moment WHERE id = wanted;
        END IF;
        SELECT * INTO seen FROM clipstead_key_standing(wanted, moment, defaults);
        IF NOT FOUND THEN
            RETURN;
        END IF;
        IF NOT charge OR seen.digest <> offered OR seen.state <> 'active'
           OR (seen.hourly_wait > 0 OR seen.daily_wait > 0) AND (pass = 2 OR seen.last_used_at <= moment) THEN
            RETURN NEXT seen;
            RETURN;
        END IF;
    END LOOP;
    IF seen.hourly = 0 AND seen.daily = 0 THEN
        PERFORM set_config('synchronous_commit', 'off', true);  -- nothing to be exact about
    END IF;
    seen.uses := seen.uses + 1;
    seen.hourly_used := seen.hourly_used + 1;
    seen.daily_used := seen.daily_used + 1;
    seen.last_used_at := moment;
    INSERT INTO key_uses (key_id, number, used_at) VALUES (wanted, seen.uses, moment);
    UPDATE api_keys SET uses = seen.uses, last_used_at = moment WHERE id = wanted;
    RETURN NEXT seen;
END;
$$
""",
)


def upgrade() -> None:
    """Statement by statement: asyncpg takes one at a time."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
