"""A captured post written into all its tables, in one statement: $1 the posts as JSON, $2 their files."""

from __future__ import annotations

_POST_COLUMNS = {
    "aweme_id": "text",
    "author_id": "text",
    "author_handle": "text",
    "title": "text",
    "region": "text",
    "duration": "integer",
    "create_time": "bigint",
    "play_count": "bigint",
    "digg_count": "bigint",
    "comment_count": "bigint",
    "share_count": "bigint",
    "download_count": "bigint",
    "collect_count": "bigint",
    "repost_count": "bigint",
    "music_id": "text",
    "music_title": "text",
    "music_author": "text",
    "language": "text",
    "platform": "text",
    "storage_key": "text",
    "bytes": "bigint",
    "url": "text",
    "source_url": "text",
    "source": "text",
    "kind": "text",
    "provider": "text",
    "sha256": "text",
    "width": "integer",
    "height": "integer",
    "codec": "text",
    "archived_at": "timestamptz",
    "first_seen": "timestamptz",
    "last_seen": "timestamptz",
    "refreshed_at": "timestamptz",
    "words": "text",
}
_BESIDE = {"attempt": "integer", "nickname": "text", "sec_uid": "text", "verified": "boolean"}
_FILE_COLUMNS = {
    "aweme_id": "text",
    "number": "smallint",
    "kind": "text",
    "variant": "text",
    "key": "text",
    "sha256": "text",
    "bytes": "bigint",
    "content_type": "text",
    "width": "integer",
    "height": "integer",
    "codec": "text",
    "duration": "double precision",
    "language": "text",
}
_METRICS = "play_count, digg_count, comment_count, share_count, download_count, collect_count, repost_count"
_ONCE = ("aweme_id", "archived_at", "first_seen")  # never changed by a later capture


def _typed(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


_NAMES = ", ".join(_POST_COLUMNS)
_VALUES = _NAMES.replace(", words", ", words::tsvector")
_LATER = ", ".join(f"{name} = excluded.{name}" for name in _POST_COLUMNS if name not in _ONCE)
_FILE_NAMES = ", ".join(_FILE_COLUMNS)
_FILE_LATER = ", ".join(f"{name} = excluded.{name}" for name in _FILE_COLUMNS if name not in ("aweme_id", "number"))

# `kept` are the records; `fresh` the ids whose rows are to be written.
_KEEP = f"""
WITH kept AS (SELECT * FROM jsonb_to_recordset($1::text::jsonb) AS r ({_typed(_POST_COLUMNS | _BESIDE)})),
files AS (SELECT * FROM jsonb_to_recordset($2::text::jsonb) AS r ({_typed(_FILE_COLUMNS)})),
erased AS (
    SELECT aweme_id FROM kept
    WHERE EXISTS (SELECT FROM tombstones AS t WHERE t.kind = 'post' AND t.id = aweme_id)
       OR EXISTS (SELECT FROM tombstones AS t WHERE t.kind = 'author' AND t.id = author_id)
       OR EXISTS (SELECT FROM tombstones AS t WHERE t.kind = 'author' AND t.id = '@' || lower(author_handle))
),
{{ledger}},
written AS (
    INSERT INTO posts AS p ({_NAMES}) SELECT {_VALUES} FROM kept WHERE aweme_id IN (SELECT aweme_id FROM fresh)
    ON CONFLICT (aweme_id) DO {{again}}
    RETURNING p.aweme_id
),
filed AS (
    INSERT INTO post_files ({_FILE_NAMES})
    SELECT {_FILE_NAMES} FROM files WHERE aweme_id IN (SELECT aweme_id FROM fresh)
    ON CONFLICT (aweme_id, number) DO UPDATE SET {_FILE_LATER}
),
measured AS (
    INSERT INTO post_metrics_history (aweme_id, seen_at, {_METRICS})
    SELECT aweme_id, last_seen, {_METRICS} FROM kept WHERE aweme_id IN (SELECT aweme_id FROM fresh)
    ON CONFLICT DO NOTHING
),
signed AS (
    INSERT INTO authors AS a (id, platform, handle, nickname, sec_uid, verified, first_seen, last_seen)
    SELECT DISTINCT ON (author_id) author_id, platform, author_handle, nickname, sec_uid, verified,
           min(last_seen) OVER (PARTITION BY author_id), last_seen
    FROM kept WHERE author_id <> '' AND aweme_id IN (SELECT aweme_id FROM fresh)
    ORDER BY author_id, last_seen DESC, aweme_id DESC
    ON CONFLICT (id) DO UPDATE SET
        handle = CASE WHEN excluded.last_seen > a.last_seen THEN excluded.handle ELSE a.handle END,
        nickname = CASE WHEN excluded.last_seen > a.last_seen THEN excluded.nickname ELSE a.nickname END,
        sec_uid = CASE WHEN excluded.last_seen > a.last_seen THEN excluded.sec_uid ELSE a.sec_uid END,
        verified = CASE WHEN excluded.last_seen > a.last_seen THEN excluded.verified ELSE a.verified END,
        first_seen = LEAST(a.first_seen, excluded.first_seen), last_seen = GREATEST(a.last_seen, excluded.last_seen)
){{and_so}}
"""  # noqa: S608  # constants of ours
FINISH = _KEEP.format(
    again=f"UPDATE SET {_LATER}, availability = 'available', availability_at = NULL",
    ledger="""
asked AS (SELECT * FROM unnest($3::text[], $4::bigint[]) AS t (aweme_id, fence)),
held AS (
    SELECT q.aweme_id, q.fence, q.state FROM archive_queue AS q JOIN asked USING (aweme_id, fence)
    WHERE q.state IN ('working', 'done') AND NOT EXISTS (SELECT FROM erased WHERE erased.aweme_id = q.aweme_id)
    ORDER BY q.aweme_id FOR UPDATE OF q
),
fresh AS (
    UPDATE archive_queue AS q SET state = 'done', resolved_at = kept.last_seen, storage_key = kept.storage_key,
        url = kept.source_url, reason = '', alive_until = NULL, next_at = NULL
    FROM held JOIN kept USING (aweme_id) WHERE q.aweme_id = held.aweme_id AND held.state = 'working'
    RETURNING q.aweme_id, q.source
)""",
    and_so=""",
excused AS (
    UPDATE sources AS s SET failures = 0
    FROM (
        SELECT id FROM sources WHERE failures > 0 AND spec IN (SELECT source FROM fresh) ORDER BY spec FOR UPDATE
    ) AS blamed WHERE s.id = blamed.id
),
told AS (
    INSERT INTO webhook_deliveries (webhook_id, event, payload)
    SELECT w.id, 'captured', jsonb_build_object(
        'aweme_id', k.aweme_id, 'url', k.url, 'author', k.author_handle, 'author_id', k.author_id, 'title', k.title,
        'source', k.source, 'storage_key', k.storage_key, 'bytes', k.bytes, 'sha256', k.sha256,
        'archived_at', k.archived_at
    )
    FROM kept AS k JOIN fresh USING (aweme_id), webhooks AS w
    WHERE w.disabled_at IS NULL AND 'captured' = ANY(w.events)
)
SELECT aweme_id, fence FROM held""",
)
RESTORE = _KEEP.format(
    again="NOTHING",
    ledger="""
fresh AS (SELECT aweme_id FROM kept WHERE aweme_id NOT IN (SELECT aweme_id FROM erased)),
finished AS (
    INSERT INTO archive_queue AS q (aweme_id, source, state, attempts, added_at, resolved_at, url, storage_key)
    SELECT aweme_id, source, 'done', attempt, first_seen, last_seen, source_url, storage_key
    FROM kept JOIN fresh USING (aweme_id) ORDER BY aweme_id
    ON CONFLICT (aweme_id) DO UPDATE SET state = 'done', resolved_at = excluded.resolved_at, fence = q.fence + 1,
        storage_key = excluded.storage_key, url = excluded.url, reason = '', alive_until = NULL, next_at = NULL
    WHERE q.state <> 'done'
)""",
    and_so="SELECT count(*) AS number FROM written",
)
