"""Fixtures that every part of the suite shares."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clipstead.practice import World

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's root folder."""
    return REPOSITORY


@pytest.fixture
def video_bytes() -> int:
    """The size of the best quality of each practice video; tests that want another parametrise it."""
    return 200_000


@pytest.fixture
async def world(video_bytes: int) -> AsyncIterator[World]:
    """A practice world of its own for each test."""
    async with World(seed=1, video_bytes=video_bytes) as world:
        yield world


@pytest.fixture(scope="session")
def samples() -> Path:
    """The real recordings, which live beside the checkout and are never copied into it."""
    folder = REPOSITORY.parent / "shared" / "samples"
    if not folder.is_dir():
        pytest.skip("the recordings of shared/samples are not on this machine")
    return folder
