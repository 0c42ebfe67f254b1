"""The whole house in the practice world: the command as a child process, the server over loopback."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from clipstead.practice import World

COMMAND = Path(sys.executable).with_name("clipstead")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Awaitable[Ended]]


@pytest.fixture
def environment(world: World, tmp_path: Path) -> dict[str, str]:
    """What a child of ours sees: the practice world, a data folder of its own, nothing of the developer's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLIPSTEAD_")}
    return {**kept, **world.environment, "CLIPSTEAD_DATA_DIR": str(tmp_path / "data"), "CLIPSTEAD_PORT": "0"}


@pytest.fixture
def command(environment: Mapping[str, str], tmp_path: Path) -> Command:
    """Runs `clipstead ARGUMENTS` in an empty folder `tmp_path/here` and says how it ended."""
    here = tmp_path / "here"
    here.mkdir()

    async def run(*arguments: str, stdin: str = "", **settings: str) -> Ended:
        child = await asyncio.create_subprocess_exec(
            COMMAND,
            *arguments,
            cwd=here,
            env={**environment, **settings},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(child.communicate(stdin.encode()), 60)
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return Ended(child.returncode or 0, out.decode(), err.decode())

    return run
