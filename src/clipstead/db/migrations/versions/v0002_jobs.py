"""Jobs, their files and receipts."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

_STATEMENTS = (
    """
CREATE TABLE jobs (
    id text PRIMARY KEY,
    token text NOT NULL UNIQUE,
    kind text NOT NULL,
    name text NOT NULL,
    lane text NOT NULL,
    params jsonb NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'pending',
    percent real NOT NULL DEFAULT 0,
    speed text,
    eta integer,
    priority integer NOT NULL DEFAULT 0,
    turn bigint NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    fence bigint NOT NULL DEFAULT 0,
    alive_until timestamptz,
    version bigint NOT NULL DEFAULT 1,
    result jsonb,
    error text,
    error_code text,
    key_id text,
    source_file text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz,
    expires_at timestamptz,
    CONSTRAINT jobs_status_is_known CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled'))
) WITH (fillfactor = 70)
""",
    "CREATE INDEX jobs_waiting ON jobs (lane, priority DESC, turn) WHERE status = 'pending'",
    "CREATE INDEX jobs_open ON jobs (id) WHERE status IN ('pending', 'processing')",
    "CREATE INDEX jobs_source ON jobs (source_file) WHERE status IN ('pending', 'processing')",
    "CREATE INDEX jobs_of_key ON jobs (key_id, created_at)",
    "CREATE INDEX jobs_expiry ON jobs (expires_at)",
    # Whoever changes what a watcher sees, by whatever road: the version grows, and it is announced.
    """
CREATE FUNCTION clipstead_job_changed() RETURNS trigger AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.status, NEW.percent, NEW.speed, NEW.eta, NEW.result, NEW.error)
           IS NOT DISTINCT FROM (OLD.status, OLD.percent, OLD.speed, OLD.eta, OLD.result, OLD.error) THEN
            RETURN NEW;
        END IF;
        NEW.version := OLD.version + 1;
        PERFORM pg_notify('clipstead_jobs', concat_ws(' ', NEW.id, NEW.lane, NEW.status, OLD.status));
    ELSE
        PERFORM pg_notify('clipstead_jobs', concat_ws(' ', NEW.id, NEW.lane, NEW.status, 'new'));
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql
""",
    """
CREATE TRIGGER clipstead_job_changed BEFORE INSERT OR UPDATE ON jobs
FOR EACH ROW EXECUTE FUNCTION clipstead_job_changed()
""",
    """
CREATE TABLE files (
    id text PRIMARY KEY,
    kind text NOT NULL,
    ext text NOT NULL DEFAULT '',
    name text NOT NULL DEFAULT '',
    bytes bigint NOT NULL DEFAULT 0,
    sha256 text,
    open boolean NOT NULL DEFAULT true,
    key_id text,
    job_id text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT files_kind_is_known CHECK (kind IN ('upload', 'result'))
)
""",
    "CREATE INDEX files_expiry ON files (expires_at)",
    """
CREATE TABLE receipts (
    token text PRIMARY KEY,
    job_id text NOT NULL,
    key_id text,
    tool text NOT NULL,
    params jsonb NOT NULL,
    params_sha256 text NOT NULL,
    input_sha256 text NOT NULL,
    commands jsonb NOT NULL,
    ffmpeg text NOT NULL,
    output_sha256 text NOT NULL,
    output_bytes bigint NOT NULL,
    file_id text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
)
""",
    "CREATE INDEX receipts_same_work ON receipts (key_id, tool, input_sha256, params_sha256)",
    "CREATE INDEX receipts_expiry ON receipts (expires_at)",
)


def upgrade() -> None:
    """Statement by statement: asyncpg takes one at a time."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
