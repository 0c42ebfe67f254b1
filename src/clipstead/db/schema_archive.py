"""The tables of the archive: where posts come from, the ledger, what is dead, deleted or stays away, and, from
schema_catalog.py, the catalog.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.types import Double

from clipstead.db.schema import metadata
from clipstead.db.schema_catalog import authors, post_files, post_metrics_history, posts


def _moment(name: str, *, now: bool = False) -> Column[object]:
    default = text("clock_timestamp()") if now else None
    return Column(name, TIMESTAMP(timezone=True), nullable=not now, server_default=default)


def _words(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text("''::text"))


def _number(name: str, kind: type = BigInteger) -> Column[int]:
    return Column(name, kind, nullable=False, server_default=text("0"))


def _serial() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


sources = Table(
    "sources",
    metadata,
    _serial(),
    Column("spec", Text, nullable=False, unique=True),  # canonical text: what the ledger's rows name
    Column("kind", Text, nullable=False),  # user, tag, search, sound, playlist, collection
    _words("target"),
    Column("platform", Text, nullable=False, server_default=text("'tiktok'::text")),
    _words("region"),
    _number("publish_time", Integer),
    _number("sort_by", Integer),
    Column("state", Text, nullable=False, server_default=text("'active'::text")),
    _words("reason"),  # why it is not active, as a word
    _words("detail"),  # and in words
    _words("lister"),  # whose the cursor is
    _words("cursor"),  # what to ask for next; "" = from the top
    Column("watch_hours", Double),  # NULL: listed once
    Column("max_posts", BigInteger),  # of one pass
    _moment("since"),  # nothing created before
    _number("priority", SmallInteger),
    _number("passes", Integer),  # from the top to the end, or to what is known
    _number("pages"),  # ever asked for
    _number("listed"),  # posts in the pass under way
    _number("added"),  # posts that nobody had found before, ever
    _number("failures", Integer),  # in a row
    _number("fence"),
    _moment("alive_until"),  # promised by whoever lists it just now
    _moment("next_at"),  # not before
    _moment("created_at", now=True),
    _moment("page_at"),  # of the newest page
    _moment("passed_at"),  # end of the newest pass
    CheckConstraint("state IN ('active', 'paused', 'done', 'unavailable')", name="sources_state_is_known"),
    Index("sources_due", "next_at", postgresql_where=text("state = 'active'::text")),
    postgresql_with={"fillfactor": 70},  # each page rewrites its source's row in place
)

# Whether a row is final is told by `resolved_at`, which an index looks at; no attempt changes an indexed column, so
# that Postgres rewrites the row in place and touches no index.
archive_queue = Table(
    "archive_queue",
    metadata,
    Column("aweme_id", Text, primary_key=True),
    Column("source", Text, nullable=False),  # a source's spec; "" = given by itself
    Column("state", Text, nullable=False, server_default=text("'pending'::text")),
    _number("attempts", Integer),  # counted before the work
    Column("added_at", TIMESTAMP(timezone=True), server_default=text("now()")),  # first listed or given
    _moment("resolved_at"),  # captured: when its post was resolved; dead: when that was known; NULL: still open
    _words("url"),  # as listed or given
    Column("storage_key", Text),  # base key, fixed by the first successful resolve
    _words("reason"),  # of the newest failure
    _number("priority", SmallInteger),  # -4 to 3
    _number("fence"),  # of the newest attempt
    _moment("alive_until"),  # promised by the attempt under way
    _moment("next_at"),  # not before
    CheckConstraint("state IN ('pending', 'working', 'done', 'dead')", name="archive_queue_state_is_known"),
    Index("archive_queue_open", "aweme_id", postgresql_where=text("resolved_at IS NULL")),
    Index("archive_queue_source_idx", "source", postgresql_where=text("resolved_at IS NULL")),
    postgresql_with={"fillfactor": 80},
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("aweme_id", Text, primary_key=True),
    _words("source"),
    _words("url"),
    Column("reason", Text, nullable=False),
    _words("detail"),
    _number("attempts", Integer),
    _moment("died_at", now=True),
    Index("dead_letters_died_idx", "died_at", "aweme_id"),
    Index("dead_letters_reason_idx", "reason", "died_at", "aweme_id"),
    Index("dead_letters_source_idx", "source", "died_at", "aweme_id"),
)

archive_audit = Table(
    "archive_audit",
    metadata,
    _serial(),
    _moment("at", now=True),
    Column("action", Text, nullable=False),  # delete, purge, erase, quarantine, replace...
    Column("subject", Text, nullable=False),  # what was deleted: an object's key, a post's id, a source's spec
    _words("reason"),
    _words("actor"),  # who wanted it: a command, a rule, a key id
    _number("bytes"),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Index("archive_audit_subject_idx", "subject"),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("kind", Text, primary_key=True),  # post, author
    Column("id", Text, primary_key=True),  # a post's id; an author's id, or "@handle"
    _words("reason"),
    _moment("erased_at", now=True),
    Column("finished", Boolean, nullable=False, server_default=text("false")),  # no rows and objects of it are left
    Column("storage_key", Text),  # base key that an attempt may still put something under, until it is settled
    _moment("settles_at"),  # when nobody can be at work on the post any more: what is there then goes
    CheckConstraint("kind IN ('post', 'author')", name="tombstones_kind_is_known"),
    Index("tombstones_unfinished_idx", "id", postgresql_where=text("kind = 'post'::text AND NOT finished")),
    Index("tombstones_unsettled_idx", "settles_at", postgresql_where=text("settles_at IS NOT NULL")),
)

# What status reads instead of counting rows: every change of the ledger and the catalog leaves its difference, written
# by triggers, and a sweep adds them up.
archive_totals = Table(
    "archive_totals",
    metadata,
    Column("what", Text, primary_key=True),  # queue, posts
    Column("source", Text, primary_key=True),
    Column("state", Text, primary_key=True),  # of the ledger; of the catalog: availability
    Column("reason", Text, primary_key=True),
    _number("number"),
    _number("bytes"),
)

archive_deltas = Table(
    "archive_deltas",
    metadata,
    Column("what", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)

archive_marks = Table(
    "archive_marks",
    metadata,
    Column("name", Text, primary_key=True),
    _words("place"),  # how far a task that goes by slices has got; "" = at the beginning
)

api_budgets = Table(
    "api_budgets",
    metadata,
    Column("provider", Text, primary_key=True),
    _moment("next_free", now=True),  # the moment of the next request; blocks are taken by moving it forward
    _moment("rests_until"),  # blocked: nobody asks before
    _words("reason"),
    _number("used"),  # requests taken, ever
    postgresql_with={"fillfactor": 50},
)

# Who may have how many calls under way; a holder is a process, and gone once its lease or its session is over.
api_slots = Table(
    "api_slots",
    metadata,
    Column("holder", Text, primary_key=True),
    Column("wants", Integer, nullable=False),  # calls under way and waiting at a time, at its last word
    Column("slots", Integer, nullable=False),  # calls that it may have under way
    Column("since", TIMESTAMP(timezone=True), nullable=False),  # when it came to hold any, or none
    Column("session", Integer, nullable=False),  # the server process that heard its last word
    Column("told_at", TIMESTAMP(timezone=True), nullable=False),  # its last word
    Column("alive_until", TIMESTAMP(timezone=True), nullable=False),  # promised
    postgresql_with={"fillfactor": 50},
)

webhooks = Table(
    "webhooks",
    metadata,
    _serial(),
    Column("url", Text, nullable=False),
    Column("events", ARRAY(Text), nullable=False),  # captured, dead, deleted, source_paused
    Column("secret", Text),  # NULL: signed with the instance's own
    _moment("created_at", now=True),
    _moment("disabled_at"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    _serial(),
    Column("webhook_id", BigInteger, ForeignKey("webhooks.id", ondelete="CASCADE")),  # NULL: of a job, with its own url
    Column("event", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    _number("attempts", Integer),
    Column("next_at", TIMESTAMP(timezone=True), server_default=text("clock_timestamp()")),  # NULL: given up
    _moment("delivered_at"),
    Column("last_error", Text),
    _moment("created_at", now=True),
    Column("url", Text),
    Column("key_id", Text),  # whose job it was, and who can verify
    CheckConstraint("webhook_id IS NOT NULL OR url IS NOT NULL", name="webhook_deliveries_lead_somewhere"),
    Index("webhook_deliveries_due", "next_at", postgresql_where=text("delivered_at IS NULL")),
    Index("webhook_deliveries_of", "webhook_id", "id"),
    Index(
        "webhook_deliveries_post_idx",
        text("(payload ->> 'aweme_id'::text)"),
        postgresql_where=text("(payload ->> 'aweme_id'::text) IS NOT NULL"),
    ),
)

__all__ = [
    "api_budgets",
    "api_slots",
    "archive_audit",
    "archive_deltas",
    "archive_marks",
    "archive_queue",
    "archive_totals",
    "authors",
    "dead_letters",
    "post_files",
    "post_metrics_history",
    "posts",
    "sources",
    "tombstones",
    "webhook_deliveries",
    "webhooks",
]
