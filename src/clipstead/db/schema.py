"""The tables of jobs, as SQLAlchemy Core sees them; migrations/ makes them, and a test holds the two equal.

The tables of keys stand in schema_keys.py, those of the archive in schema_archive.py; all share `metadata`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, REAL, TIMESTAMP

HEAD = "0009"
"""The newest migration; what `status` and a start compare with."""

JOBS_CHANNEL = "clipstead_jobs"
"""Where each visible change of a job is announced, as "id lane status status-before"."""

metadata = MetaData()
_OPEN = "status = ANY (ARRAY['pending'::text, 'processing'::text])"


def _moment(name: str, *, now: bool = False) -> Column[object]:
    return Column(
        name, TIMESTAMP(timezone=True), nullable=not now, server_default=text("clock_timestamp()") if now else None
    )


def _words(name: str, *, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=None if default is None else text(f"'{default}'::text"))


jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),  # 19 random digits
    Column("token", Text, nullable=False, unique=True),  # what the result is fetched by
    _words("kind"),  # tool, download
    _words("name"),
    _words("lane"),  # the engine's kind: who works on it, and how many at a time
    Column("params", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    _words("status", default="pending"),
    Column("percent", REAL, nullable=False, server_default=text("0")),
    Column("speed", Text),
    Column("eta", Integer),  # seconds
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("turn", BigInteger, nullable=False),  # grows in the order in which the engine serves
    Column("attempts", Integer, nullable=False, server_default=text("0")),  # counted before the work
    Column("fence", BigInteger, nullable=False, server_default=text("0")),  # of the newest attempt
    _moment("alive_until"),  # promised by the attempt under way
    Column("version", BigInteger, nullable=False, server_default=text("1")),  # of what a watcher sees
    Column("result", JSONB),
    Column("error", Text),
    Column("error_code", Text),
    Column("key_id", Text),
    Column("source_file", Text),
    _moment("created_at", now=True),
    _moment("started_at"),
    _moment("finished_at"),
    _moment("expires_at"),
    Column("webhook", JSONB(none_as_null=True)),  # {"url", "base"}: whom to tell of its end, and how clients reach us
    CheckConstraint(
        "status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')", name="jobs_status_is_known"
    ),
    Index("jobs_waiting", "lane", text("priority DESC"), "turn", postgresql_where=text("status = 'pending'::text")),
    Index("jobs_open", "id", postgresql_where=text(_OPEN)),
    Index("jobs_source", "source_file", postgresql_where=text(_OPEN)),
    Index("jobs_of_key", "key_id", "created_at"),
    Index("jobs_expiry", "expires_at"),
    postgresql_with={"fillfactor": 70},  # progress rewrites rows in place
)

files = Table(
    "files",
    metadata,
    Column("id", Text, primary_key=True),  # 32 random hex digits, and the file's name on disk
    _words("kind"),  # upload, result
    _words("ext", default=""),
    _words("name", default=""),  # as its sender called it
    Column("bytes", BigInteger, nullable=False, server_default=text("0")),  # what it may grow to while it is open
    Column("sha256", Text),
    Column("open", Boolean, nullable=False, server_default=text("true")),  # still being written
    Column("key_id", Text),
    Column("job_id", Text),
    _moment("created_at", now=True),
    Column("expires_at", TIMESTAMP(timezone=True), nullable=False),
    CheckConstraint("kind IN ('upload', 'result')", name="files_kind_is_known"),
    Index("files_expiry", "expires_at"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("token", Text, primary_key=True),  # the job's
    _words("job_id"),
    Column("key_id", Text),
    _words("tool"),
    Column("params", JSONB, nullable=False),
    _words("params_sha256"),
    _words("input_sha256"),
    Column("commands", JSONB, nullable=False),  # a list of argument lists
    _words("ffmpeg"),
    _words("output_sha256"),
    Column("output_bytes", BigInteger, nullable=False),
    Column("file_id", Text),  # the result, for as long as it is there
    _moment("created_at", now=True),
    Column("expires_at", TIMESTAMP(timezone=True), nullable=False),
    Index("receipts_same_work", "key_id", "tool", "input_sha256", "params_sha256"),
    Index("receipts_expiry", "expires_at"),
)

__all__ = ["HEAD", "JOBS_CHANNEL", "files", "jobs", "metadata", "receipts"]
