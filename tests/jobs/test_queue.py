"""Jobs in their rows: queued or not at all, each attempt counted and fenced, called off, retried, mended, forgotten."""

import asyncio

import pytest
from sqlalchemy import text

from clipstead.db import Database
from clipstead.engine import Engine
from clipstead.errors import BadRequest, Forbidden, NotFound
from clipstead.jobs import Job, Jobs, Lease, Result
from clipstead.jobs.attempts import GAVE_UP, Report

RESULT = Result("f" * 32, "clip", "mp4", "video/mp4", 7, "0" * 64)


async def begin(jobs: Jobs, job: Job) -> Lease:
    """Begin an attempt, as a worker does."""
    begun = await jobs.attempts.begin(job.id)
    assert begun
    return begun[1]


async def submit(jobs: Jobs, **how: object) -> Job:
    """A job of one key in one lane."""
    return await jobs.submit("tool", "trim-video", {"endTime": 3}, key_id="mine", lane="video", **how)  # type: ignore[arg-type]


async def count(database: Database, query: str) -> int:
    """One number from the database."""
    async with database.begin() as connection:
        return int(await connection.scalar(text(query)))


async def execute(database: Database, statement: str) -> None:
    """Do something behind everybody's back."""
    async with database.begin() as connection:
        await connection.execute(text(statement))


async def test_a_job_is_queued_with_its_row(jobs: Jobs, database: Database) -> None:
    """Ids are 19 random digits, tokens are uuids; row and entry are both there."""
    first, second = await submit(jobs), await submit(jobs)
    assert len(first.id) == 19
    assert first.id.isdigit()
    assert first.id[:6] != second.id[:6]
    assert len(first.token) == 36
    assert first.token != second.token
    assert first.params == {"endTime": 3}
    assert (first.status, first.percent, first.final) == ("pending", 0, False)
    assert await count(database, "SELECT count(*) FROM pgqueuer JOIN jobs ON dedupe_key = jobs.id") == 2


async def test_a_transaction_that_fails_leaves_no_entry(database: Database, engine: Engine) -> None:
    """What enqueue does belongs to the caller's transaction, even when it is its first statement."""
    with pytest.raises(RuntimeError):
        async with database.begin() as connection:
            await engine.enqueue(connection, "video", "1")
            raise RuntimeError
    assert await count(database, "SELECT count(*) FROM pgqueuer") == 0
    assert await count(database, "SELECT count(*) FROM pgqueuer_log") == 0


async def test_a_row_is_queued_once(database: Database, engine: Engine) -> None:
    """Enqueued again while it waits, a row gets no second entry."""
    async with database.begin() as connection:
        (turn,) = await engine.enqueue(connection, "video", "1")
        assert turn
        assert await engine.enqueue(connection, "video", "2", "1", "3") == [turn + 1, None, turn + 3]


async def test_positions_are_right_under_concurrency(jobs: Jobs) -> None:
    """Forty jobs submitted at once stand at 1 to 40, each once, of 40; another lane counts for itself."""
    batch = await asyncio.gather(*(submit(jobs) for _ in range(40)))
    await jobs.submit("tool", "x", {}, key_id=None, lane="light")
    states = [await jobs.get(job.id) for job in batch]
    assert sorted(state.position or 0 for state in states) == list(range(1, 41))
    assert {state.total for state in states} == {40}


async def test_positions_follow_the_order_of_service(jobs: Jobs) -> None:
    """Higher priority first, then by age; whoever is being served stands nowhere."""
    late, urgent, early = await submit(jobs), await submit(jobs, priority=5), await submit(jobs)
    assert [(await jobs.get(job.id)).position for job in (urgent, late, early)] == [1, 2, 3]
    await begin(jobs, urgent)
    assert (await jobs.get(urgent.id)).position is None
    assert [((await jobs.get(job.id)).position, (await jobs.get(job.id)).total) for job in (late, early)] == [
        (1, 2),
        (2, 2),
    ]


async def test_an_attempt_is_counted_before_its_work(jobs: Jobs) -> None:
    """Three that never came back, and the fourth is not begun: the job has failed."""
    job = await submit(jobs)
    for number in (1, 2, 3):
        await begin(jobs, job)
        assert (await jobs.get(job.id)).attempts == number
    assert await jobs.attempts.begin(job.id) is None
    over = await jobs.get(job.id)
    assert (over.status, over.error, over.error_code, over.attempts) == ("failed", GAVE_UP, "gave_up", 3)


async def test_only_the_newest_attempt_has_a_say(jobs: Jobs) -> None:
    """Whatever the one before says, in any way, changes nothing."""
    job = await submit(jobs)
    old, new = await begin(jobs, job), await begin(jobs, job)
    attempts = jobs.attempts
    assert not await attempts.report(old, Report(99))
    assert not await attempts.complete(old, RESULT)
    assert not await attempts.fail(old, "no", "no")
    assert not await attempts.put_back(old, counted=True)
    assert not await attempts.keep_alive(old)
    assert (await jobs.get(job.id)).percent == 0
    assert await attempts.keep_alive(new)
    assert await attempts.report(new, Report(50.5, "1.5x", 3))
    state = await jobs.get(job.id)
    assert (state.percent, state.speed, state.eta) == (50.5, "1.5x", 3)
    assert await attempts.complete(new, RESULT)
    assert (await jobs.get(job.id)).result == RESULT


async def test_a_completion_said_twice_is_one(jobs: Jobs) -> None:
    """Whoever did not hear the answer says it again; what comes after the end is too late."""
    job = await submit(jobs)
    lease = await begin(jobs, job)
    assert await jobs.attempts.complete(lease, RESULT)
    assert await jobs.attempts.complete(lease, RESULT)
    assert not await jobs.attempts.fail(lease, "no", "no")
    assert not await jobs.attempts.report(lease, Report(1))
    over = await jobs.get(job.id)
    assert (over.status, over.percent) == ("completed", 100)
    assert over.expires_at
    assert over.finished_at
    assert (over.expires_at - over.finished_at).total_seconds() == 86400


async def test_an_attempt_that_did_not_count_is_given_back(jobs: Jobs) -> None:
    """A worker that leaves costs the job none of its attempts; trouble of the job's own does."""
    job = await submit(jobs)
    assert await jobs.attempts.put_back(await begin(jobs, job), counted=False)
    assert (await jobs.get(job.id)).attempts == 0
    assert await jobs.attempts.put_back(await begin(jobs, job), counted=True)
    state = await jobs.get(job.id)
    assert (state.attempts, state.status, state.position) == (1, "pending", 1)


async def test_many_at_once_travel_together_and_each_gets_its_own(jobs: Jobs) -> None:
    """Two hundred attempts begun, reported and ended at once: every one by its own lease."""
    batch = await asyncio.gather(*(submit(jobs) for _ in range(200)))
    leases = await asyncio.gather(*(begin(jobs, job) for job in batch))
    assert [lease.job_id for lease in leases] == [job.id for job in batch]
    assert all(await asyncio.gather(*(jobs.attempts.report(lease, Report(i / 2)) for i, lease in enumerate(leases))))
    assert [(await jobs.get(batch[i].id)).percent for i in (0, 199)] == [0, 99.5]
    ends = [
        jobs.attempts.complete(lease, RESULT) if i % 2 else jobs.attempts.fail(lease, f"no {i}", "x")
        for i, lease in enumerate(leases)
    ]
    assert all(await asyncio.gather(*ends))
    assert (await jobs.get(batch[100].id)).error == "no 100"
    assert (await jobs.get(batch[101].id)).status == "completed"


async def test_asked_for_twice_at_once_it_is_begun_once(jobs: Jobs) -> None:
    """Two entries of the engine for one row do not become two attempts with one fence."""
    job = await submit(jobs)
    begun = await asyncio.gather(*(jobs.attempts.begin(job.id) for _ in range(2)))
    leases = [one[1] for one in begun if one]
    assert len({lease.fence for lease in leases}) == len(leases)


async def test_words_that_postgres_does_not_take_do_no_harm(jobs: Jobs) -> None:
    """A NUL or half a character in one job's words does not take along the others of its statement."""
    batch = [await submit(jobs) for _ in range(3)]
    odd = await jobs.submit("tool", "x", {"a": ["\0b", {"c\0": "\ud83d"}]}, key_id=None, lane="video")
    assert odd.params == {"a": ["b", {"c": "?"}]}
    leases = [await begin(jobs, job) for job in batch]
    await asyncio.gather(
        jobs.attempts.fail(leases[0], "a\0b", "x"),
        jobs.attempts.fail(leases[1], "fine", "x"),
        jobs.attempts.complete(leases[2], Result("f", "a\0b\"'\\u0000", "mp4", "video/mp4", 7, "0")),
    )
    assert [(await jobs.get(job.id)).error for job in batch] == ["ab", "fine", None]
    result = (await jobs.get(batch[2].id)).result
    assert result
    assert result.name == "ab\"'\\u0000"


async def test_calling_off_is_for_the_key_that_asked_or_an_administrator(jobs: Jobs, database: Database) -> None:
    """Another's key is refused, and changes nothing."""
    job = await submit(jobs)
    with pytest.raises(Forbidden):
        await jobs.cancel(job.id, by="other")
    assert (await jobs.get(job.id)).status == "pending"
    assert (await jobs.cancel(job.id, by="mine")).status == "cancelled"
    assert (await jobs.cancel((await submit(jobs)).id, by=None)).status == "cancelled"
    assert await count(database, "SELECT count(*) FROM pgqueuer") == 0
    with pytest.raises(NotFound):
        await jobs.cancel("1" * 19, by=None)


async def test_what_is_over_is_not_called_off(jobs: Jobs) -> None:
    """A completed job stays completed."""
    job = await submit(jobs)
    await jobs.attempts.complete(await begin(jobs, job), RESULT)
    assert (await jobs.cancel(job.id, by="mine")).status == "completed"


async def test_a_cancelled_job_takes_no_more_words(jobs: Jobs) -> None:
    """The attempt that was under way has lost its lease, and none is begun."""
    job = await submit(jobs)
    lease = await begin(jobs, job)
    await jobs.cancel(job.id, by="mine")
    assert not await jobs.attempts.complete(lease, RESULT)
    assert await jobs.attempts.begin(job.id) is None
    assert (await jobs.get(job.id)).status == "cancelled"


async def test_a_failed_job_is_done_afresh(jobs: Jobs, database: Database) -> None:
    """With all its attempts, at the end of the queue, and queued once; what is under way cannot be retried."""
    job = await submit(jobs)
    await submit(jobs)
    with pytest.raises(BadRequest):
        await jobs.retry(job.id, by="mine")
    await jobs.attempts.fail(await begin(jobs, job), "no", "x")
    with pytest.raises(Forbidden):
        await jobs.retry(job.id, by="other")
    again = await jobs.retry(job.id, by="mine")
    assert (again.status, again.attempts, again.error, again.finished_at) == ("pending", 0, None, None)
    assert (await jobs.get(job.id)).position == 2
    assert await count(database, f"SELECT count(*) FROM pgqueuer WHERE dedupe_key = '{job.id}'") == 1


async def test_the_sweep_queues_what_has_lost_its_entry(jobs: Jobs, database: Database) -> None:
    """Waiting rows at once, begun ones when nobody promises any more to be alive; rows that are over never."""
    waiting, alive, dead, over = [await submit(jobs) for _ in range(4)]
    for job in (alive, dead, over):
        lease = await begin(jobs, job)
    await jobs.attempts.complete(lease, None)
    await execute(database, f"UPDATE jobs SET alive_until = now() - interval '1 second' WHERE id = '{dead.id}'")
    assert await jobs.sweep() == 0  # all have their entry
    await execute(database, "DELETE FROM pgqueuer")
    assert await jobs.sweep() == 2
    async with database.begin() as connection:
        queued = set((await connection.execute(text("SELECT dedupe_key FROM pgqueuer"))).scalars())
    assert queued == {waiting.id, dead.id}
    assert await jobs.sweep() == 0
    assert (await jobs.get(waiting.id)).position == 1


async def test_an_entry_that_the_engine_holds_back_is_no_entry(jobs: Jobs, database: Database) -> None:
    """A failure inside the engine is kept to look at, and the row is queued again beside it."""
    job = await submit(jobs)
    await execute(database, "UPDATE pgqueuer SET status = 'failed'")
    assert await jobs.sweep() == 1
    assert (
        await count(database, f"SELECT count(*) FROM pgqueuer WHERE dedupe_key = '{job.id}' AND status = 'queued'") == 1
    )


async def test_the_sweep_forgets_by_the_databases_clock(jobs: Jobs, database: Database) -> None:
    """Jobs whose time is over are gone; others, however old, stay; the engine's log is kept short."""
    expired, kept, waiting = [await submit(jobs) for _ in range(3)]
    for job in (expired, kept):
        await jobs.attempts.complete(await begin(jobs, job), None)
    await execute(database, f"UPDATE jobs SET expires_at = now() - interval '1 second' WHERE id = '{expired.id}'")
    await execute(database, f"UPDATE jobs SET created_at = now() - interval '1 year' WHERE id = '{waiting.id}'")
    await execute(database, "UPDATE pgqueuer_log SET created = now() - interval '25 hours' WHERE job_id % 2 = 0")
    await jobs.sweep()
    with pytest.raises(NotFound):
        await jobs.get(expired.id)
    assert (await jobs.get(kept.id)).status == "completed"
    assert (await jobs.get(waiting.id)).status == "pending"
    assert await count(database, "SELECT count(*) FROM pgqueuer_log WHERE created < now() - interval '24 hours'") == 0


async def test_a_job_is_found_by_the_token_of_its_result(jobs: Jobs) -> None:
    """And only by the whole of it."""
    job = await submit(jobs)
    assert (await jobs.of_token(job.token)).id == job.id
    with pytest.raises(NotFound):
        await jobs.of_token(job.token[:-1])
    with pytest.raises(NotFound):
        await jobs.get("no such job")
