"""Watching: the state as it is, every newer one that one has time for, and always the last; one query for all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import pytest
from sqlalchemy import event, text

from clipstead.db import Database
from clipstead.errors import NotFound
from clipstead.jobs import Job, Jobs, Lease
from clipstead.jobs.attempts import Report

Submit = Callable[..., Awaitable[Job]]


async def begin(jobs: Jobs, job: Job) -> Lease:
    """Begin an attempt, as a worker does."""
    begun = await jobs.attempts.begin(job.id)
    assert begun
    return begun[1]


async def next_of(states: AsyncIterator[Job]) -> Job:
    """The next state, in time."""
    async with asyncio.timeout(10):
        return await anext(states)


async def test_the_state_as_it_is_then_each_newer_one_until_the_last(jobs: Jobs, submit: Submit) -> None:
    """Pending with its place, processing, progress, completed; then it ends. Versions grow."""
    job = await submit("x")
    seen = []
    async with aclosing(jobs.watch(job.id)) as states:
        seen.append(await next_of(states))
        lease = await begin(jobs, job)
        seen.append(await next_of(states))
        await jobs.attempts.report(lease, Report(40, "2.0MB/s", 12))
        seen.append(await next_of(states))
        await jobs.attempts.complete(lease, None)
        seen.append(await next_of(states))
        with pytest.raises(StopAsyncIteration):
            await next_of(states)
    assert [state.status for state in seen] == ["pending", "processing", "processing", "completed"]
    assert [state.percent for state in seen] == [0, 0, 40, 100]
    assert (seen[0].position, seen[0].total) == (1, 1)
    assert (seen[2].speed, seen[2].eta) == ("2.0MB/s", 12)
    assert [state.version for state in seen] == sorted({state.version for state in seen})


async def test_what_is_over_is_told_again_to_whoever_comes(jobs: Jobs, submit: Submit) -> None:
    """Even to somebody who has seen that very version: who comes back to a finished job needs the end."""
    job = await submit("x")
    await jobs.attempts.fail(await begin(jobs, job), "That is no video", "bad_media")
    version = (await jobs.get(job.id)).version
    for after in (0, version):
        states = [state async for state in jobs.watch(job.id, after=after)]
        assert [(state.status, state.error) for state in states] == [("failed", "That is no video")]


async def test_whoever_comes_back_is_not_told_what_he_knows(jobs: Jobs, submit: Submit) -> None:
    """`after` the present version the first thing told is the next one; after an older one, the present."""
    job = await submit("x")
    lease = await begin(jobs, job)
    version = (await jobs.get(job.id)).version
    async with aclosing(jobs.watch(job.id, after=version - 1)) as states:
        assert (await next_of(states)).version == version
    async with aclosing(jobs.watch(job.id, after=version)) as states:
        waiting = asyncio.create_task(next_of(states))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await jobs.attempts.report(lease, Report(10))
        assert (await waiting).percent == 10


async def test_no_such_job_is_said_at_once(jobs: Jobs) -> None:
    """Instead of waiting for something that will never be."""
    with pytest.raises(NotFound):
        await next_of(jobs.watch("1" * 19))


async def test_places_in_the_queue_are_told_as_they_change(jobs: Jobs, submit: Submit) -> None:
    """The third of three moves up when the first is served and when the second is called off."""
    first, second, third = [await submit("x") for _ in range(3)]
    async with aclosing(jobs.watch(third.id)) as states:
        assert [(s.position, s.total) for s in [await next_of(states)]] == [(3, 3)]
        await begin(jobs, first)
        assert [(s.position, s.total) for s in [await next_of(states)]] == [(2, 2)]
        await jobs.cancel(second.id, by="key")
        assert [(s.position, s.total) for s in [await next_of(states)]] == [(1, 1)]


async def test_a_slow_reader_misses_some_but_never_the_last(jobs: Jobs, submit: Submit) -> None:
    """What gathers while somebody does not read is one state, not a backlog."""
    job = await submit("x")
    lease = await begin(jobs, job)
    async with aclosing(jobs.watch(job.id)) as states:
        await next_of(states)
        for percent in range(1, 60):
            await jobs.attempts.report(lease, Report(percent))
        await jobs.attempts.complete(lease, None)
        await asyncio.sleep(0.3)
        rest = [state async for state in states]
    assert [state.status for state in rest] == ["completed"]


async def test_many_listeners_cost_one_connection_and_few_queries(
    jobs: Jobs, submit: Submit, database: Database
) -> None:
    """Three hundred watch thirty jobs: all hear every end, and each end does not ask the database for each of them."""
    batch = [await submit("x") for _ in range(30)]
    queries: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *a: queries.append(a[2]))

    async def last(job: Job) -> Job:
        return [state async for state in jobs.watch(job.id)][-1]

    watchers = [asyncio.create_task(last(job)) for job in batch for _ in range(10)]
    await asyncio.sleep(0.5)
    loads = sum("places" in query for query in queries)
    assert loads <= 5
    leases = await asyncio.gather(*(begin(jobs, job) for job in batch))
    await asyncio.gather(*(jobs.attempts.complete(lease, None) for lease in leases))
    async with asyncio.timeout(10):
        ends = await asyncio.gather(*watchers)
    assert {end.status for end in ends} == {"completed"}
    assert sum("places" in query for query in queries) - loads <= 10


async def test_the_end_is_heard_though_the_database_restarts(jobs: Jobs, submit: Submit, database: Database) -> None:
    """All sessions are cut while somebody watches, and the job ends before he is back."""
    job = await submit("x")
    lease = await begin(jobs, job)
    async with aclosing(jobs.watch(job.id)) as states:
        await next_of(states)
        async with database.begin() as connection:
            cut = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await connection.execute(text("UPDATE jobs SET status = 'completed' WHERE id = :id"), {"id": lease.job_id})
            await connection.execute(text(cut))
        assert (await next_of(states)).status == "completed"


async def test_who_leaves_is_forgotten(jobs: Jobs, submit: Submit) -> None:
    """A second one who watches the same job goes on hearing; when both are gone, nothing is kept."""
    job = await submit("x")
    async with aclosing(jobs.watch(job.id)) as second:
        async with aclosing(jobs.watch(job.id)) as first:
            await next_of(first)
            await next_of(second)
        lease = await begin(jobs, job)
        assert (await next_of(second)).status == "processing"
    await jobs.attempts.complete(lease, None)
    assert (await next_of(jobs.watch(job.id))).status == "completed"
