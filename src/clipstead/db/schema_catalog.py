"""The tables of the catalog: what has been captured, its files, how its counters went, and who posted it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import TIMESTAMP, TSVECTOR
from sqlalchemy.types import Double

from clipstead.db.schema import metadata


def _moment(name: str) -> Column[object]:
    return Column(name, TIMESTAMP(timezone=True))


def _words(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text("''::text"))


posts = Table(
    "posts",
    metadata,
    Column("aweme_id", Text, primary_key=True),
    Column("author_id", Text, nullable=False),
    Column("author_handle", Text, nullable=False),
    Column("title", Text),
    Column("region", Text),
    Column("duration", Integer),  # seconds
    Column("create_time", BigInteger),  # unix seconds
    Column("play_count", BigInteger),
    Column("digg_count", BigInteger),
    Column("comment_count", BigInteger),
    Column("share_count", BigInteger),
    Column("music_id", Text),
    Column("storage_key", Text, nullable=False),  # base key, without an extension
    Column("bytes", BigInteger, nullable=False),  # of all files
    Column("archived_at", TIMESTAMP(timezone=True), server_default=text("now()")),  # the first capture, for good
    Column("download_count", BigInteger),
    Column("collect_count", BigInteger),
    Column("repost_count", BigInteger),
    _words("music_title"),
    _words("music_author"),
    _words("language"),
    Column("platform", Text, nullable=False, server_default=text("'tiktok'::text")),
    _words("url"),  # canonical link
    _words("source_url"),  # the link as it was listed or given
    _words("source"),
    _words("kind"),  # of its main file: video, image, audio
    _words("provider"),
    _words("sha256"),  # of its main file, as are the next three
    Column("width", Integer),
    Column("height", Integer),
    Column("codec", Text),
    Column("availability", Text, nullable=False, server_default=text("'available'::text")),  # or why it is gone
    _moment("availability_at"),  # when that was seen to have changed
    Column("first_seen", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    Column("last_seen", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),  # there and visible
    Column("refreshed_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),  # looked at
    Column("words", TSVECTOR),  # caption, author, sound, subtitles, and "#tag" for each tag
    Index("posts_author_idx", "author_id"),
    Index("posts_music_idx", "music_id"),
    Index("posts_create_idx", "create_time"),
    Index("posts_archived_idx", "archived_at", "aweme_id"),
    Index("posts_handle_idx", text("lower(author_handle)"), "archived_at", "aweme_id"),
    Index("posts_source_idx", "source", "archived_at", "aweme_id", postgresql_where=text("source <> ''::text")),
    Index(
        "posts_platform_idx",
        "platform",
        "archived_at",
        "aweme_id",
        postgresql_where=text("platform <> 'tiktok'::text"),
    ),
    Index(
        "posts_gone_idx",
        "availability",
        "archived_at",
        "aweme_id",
        postgresql_where=text("availability <> 'available'::text"),
    ),
    Index("posts_refreshed_idx", "refreshed_at", "aweme_id"),
    Index("posts_words_idx", "words", postgresql_using="gin"),
)

post_files = Table(
    "post_files",
    metadata,
    Column("aweme_id", Text, ForeignKey("posts.aweme_id", ondelete="CASCADE"), primary_key=True),
    Column("number", SmallInteger, primary_key=True),  # in the order of the record, from 0
    Column("kind", Text, nullable=False),
    _words("variant"),
    Column("key", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    _words("content_type"),
    Column("width", Integer),
    Column("height", Integer),
    Column("codec", Text),
    Column("duration", Double),
    _words("language"),
)

post_metrics_history = Table(
    "post_metrics_history",
    metadata,
    Column("aweme_id", Text, ForeignKey("posts.aweme_id", ondelete="CASCADE"), primary_key=True),
    Column("seen_at", TIMESTAMP(timezone=True), primary_key=True),
    *(
        Column(f"{name}_count", BigInteger)
        for name in ("play", "digg", "comment", "share", "download", "collect", "repost")
    ),
)

authors = Table(
    "authors",
    metadata,
    Column("id", Text, primary_key=True),  # "@handle" where the platform gives none
    _words("platform"),
    _words("handle"),
    _words("nickname"),
    _words("sec_uid"),
    Column("verified", Boolean, nullable=False, server_default=text("false")),
    Column("first_seen", TIMESTAMP(timezone=True), nullable=False),
    Column("last_seen", TIMESTAMP(timezone=True), nullable=False),
    Index("authors_handle_idx", text("lower(handle)")),
)

__all__ = ["authors", "post_files", "post_metrics_history", "posts"]
