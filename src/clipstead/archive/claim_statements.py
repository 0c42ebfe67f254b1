"""What attempts say to the ledger, in SQL: each statement a transaction, its rows locked in the order of ids."""

from __future__ import annotations

_MINE = """
WITH asked AS (SELECT * FROM unnest($1::text[], $2::bigint[] {types}) AS t (aweme_id, fence {names})),
mine AS (
    SELECT asked.* FROM asked JOIN archive_queue AS q USING (aweme_id, fence) WHERE q.state IN ({states})
    ORDER BY asked.aweme_id FOR UPDATE OF q
),
"""
# What a death leaves behind, beside the row itself: `fallen` are those that have just died. What was erased leaves
# nothing that tells of it.
_DEAD = """
lettered AS (
    INSERT INTO dead_letters AS d (aweme_id, source, url, reason, detail, attempts, died_at)
    SELECT aweme_id, source, url, reason, detail, attempts, now() FROM fallen WHERE reason <> 'erased'
    ON CONFLICT (aweme_id) DO UPDATE SET reason = excluded.reason, detail = excluded.detail,
        attempts = excluded.attempts, died_at = excluded.died_at
),
told AS (
    INSERT INTO webhook_deliveries (webhook_id, event, payload)
    SELECT w.id, 'dead', jsonb_build_object('aweme_id', f.aweme_id, 'source', f.source, 'url', f.url,
                                            'reason', f.reason, 'detail', f.detail, 'attempts', f.attempts, 'at', now())
    FROM fallen AS f, webhooks AS w WHERE f.reason <> 'erased' AND w.disabled_at IS NULL AND 'dead' = ANY(w.events)
)
"""

# $1 ids, $2 most attempts, $3 lease, $4 words for those that have had them all. A post whose source is paused waits:
# its entry in the engine is used up, and the sweep makes another when the source goes on.
BEGIN = f"""
WITH mine AS (
    SELECT q.aweme_id FROM archive_queue AS q
    WHERE q.aweme_id = ANY($1::text[]) AND q.resolved_at IS NULL
      AND NOT EXISTS (SELECT FROM sources AS s WHERE s.spec = q.source AND s.state = 'paused')
    ORDER BY q.aweme_id FOR UPDATE OF q
),
begun AS (
    UPDATE archive_queue AS q SET
        state = CASE WHEN attempts < $2 THEN 'working' ELSE 'dead' END,
        resolved_at = CASE WHEN attempts < $2 THEN NULL ELSE now() END,
        reason = CASE WHEN attempts < $2 THEN reason ELSE 'attempts' END,
        alive_until = CASE WHEN attempts < $2 THEN now() + $3::float8 * interval '1 second' END,
        attempts = LEAST(attempts + 1, $2),
        fence = fence + 1, next_at = NULL
    FROM mine WHERE q.aweme_id = mine.aweme_id
    RETURNING q.aweme_id, q.url, q.source, q.fence, q.attempts, q.storage_key, q.added_at, q.state, q.reason,
              now() AS began_at
),
fallen AS (SELECT aweme_id, source, url, reason, $4::text AS detail, attempts FROM begun WHERE state = 'dead'),
{_DEAD}
SELECT * FROM begun
"""  # noqa: S608  # constants of ours, here and below

_MINE_ALIVE = _MINE.format(types="", names="", states="'working'")
KEEP_ALIVE = f"""
{_MINE_ALIVE}
kept AS (
    UPDATE archive_queue AS q SET alive_until = now() + $3::float8 * interval '1 second'
    FROM mine WHERE q.aweme_id = mine.aweme_id RETURNING q.aweme_id, q.fence
)
SELECT aweme_id, fence, (SELECT set_config('synchronous_commit', 'off', true)) FROM kept
"""  # noqa: S608

_MINE_NAMED = _MINE.format(types=", $3::text[]", names=", key", states="'working'")
FIX_KEY = f"""
{_MINE_NAMED}
fixed AS (
    UPDATE archive_queue AS q SET storage_key = COALESCE(q.storage_key, mine.key)
    FROM mine WHERE q.aweme_id = mine.aweme_id RETURNING q.aweme_id, q.fence, q.storage_key
)
SELECT * FROM fixed
"""  # noqa: S608

# $7 is how many failures in a row pause a source.
_MINE_BACK = _MINE.format(
    types=", $3::float8[], $4::text[], $5::int[], $6::bool[]",
    names=", delay, why, uncounted, blames",
    states="'working'",
)
_TOO_MANY = "s.failures + blamed.times >= $7 AND s.state IN ('active', 'done')"
PUT_BACK = f"""
{_MINE_BACK}
back AS (
    UPDATE archive_queue AS q SET state = 'pending', alive_until = NULL, reason = mine.why,
        next_at = now() + mine.delay * interval '1 second', attempts = q.attempts - mine.uncounted
    FROM mine WHERE q.aweme_id = mine.aweme_id RETURNING q.aweme_id, q.fence, q.source, mine.blames, mine.why
),
blamed AS (
    SELECT s.spec, min(back.why) AS why, count(*) AS times
    FROM (
        SELECT spec FROM sources WHERE spec IN (SELECT source FROM back WHERE blames) ORDER BY spec FOR UPDATE
    ) AS s JOIN back ON back.source = s.spec AND back.blames
    GROUP BY s.spec
),
counted AS (
    UPDATE sources AS s SET failures = s.failures + blamed.times,
        state = CASE WHEN {_TOO_MANY} THEN 'paused' ELSE s.state END,
        reason = CASE WHEN {_TOO_MANY} THEN 'failures' ELSE s.reason END,
        detail = CASE WHEN {_TOO_MANY}
                 THEN format('%s posts in a row failed, the last one with: %s', s.failures + blamed.times, blamed.why)
                 ELSE s.detail END
    FROM blamed WHERE s.spec = blamed.spec
    RETURNING s.id, s.spec, s.detail, s.state = 'paused' AND s.failures - blamed.times < $7 AS stopped
),
told AS (
    INSERT INTO webhook_deliveries (webhook_id, event, payload)
    SELECT w.id, 'source_paused', jsonb_build_object('id', c.id, 'source', c.spec, 'reason', 'failures',
                                                     'detail', c.detail, 'at', now())
    FROM counted AS c, webhooks AS w WHERE c.stopped AND w.disabled_at IS NULL AND 'source_paused' = ANY(w.events)
)
SELECT aweme_id, fence FROM back
"""  # noqa: S608

# An end whose answer was lost is sent again, and found done already: that is no loss of the claim.
_MINE_DYING = _MINE.format(types=", $3::text[], $4::text[]", names=", why, detail", states="'working', 'dead'")
DIE = f"""
{_MINE_DYING}
fallen AS (
    UPDATE archive_queue AS q SET state = 'dead', resolved_at = now(), reason = mine.why, alive_until = NULL,
        next_at = NULL, url = CASE WHEN mine.why = 'erased' THEN '' ELSE q.url END,
        storage_key = CASE WHEN mine.why = 'erased' THEN NULL ELSE q.storage_key END
    FROM mine WHERE q.aweme_id = mine.aweme_id AND q.state = 'working'
    RETURNING q.aweme_id, q.source, q.url, q.reason, mine.detail, q.attempts
),
{_DEAD}
SELECT aweme_id, fence FROM mine
"""  # noqa: S608
