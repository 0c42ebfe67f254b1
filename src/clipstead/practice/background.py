"""A world with a thread and an event loop of its own, for callers that are not asynchronous."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from clipstead.practice.world import World


@contextmanager
def running(world: World) -> Iterator[World]:
    """The world, open in a thread until the block ends; its counters and faults may be used from any thread."""
    opened, failure = threading.Event(), list[BaseException]()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def live() -> None:
        async with world:
            opened.set()
            await stop.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            try:
                runner.run(live())
            except OSError as error:
                failure.append(error)
            finally:
                opened.set()

    thread = threading.Thread(target=run, name="practice world")
    thread.start()
    opened.wait()
    if failure:
        thread.join()
        raise failure[0]
    try:
        yield world
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
