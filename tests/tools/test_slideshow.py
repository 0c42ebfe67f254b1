"""Slideshows: photos of any shape, one after another, with their sound until the last of them ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pyvips  # type: ignore[import-untyped]  # its stubs come without the marker that mypy asks for

from clipstead.errors import BadMedia, InvalidParams
from clipstead.media.images import Image
from clipstead.media.inspect import inspect
from clipstead.media.progress import Progress
from clipstead.media.sandbox import Sandbox
from clipstead.tools.show import show
from clipstead.tools.slideshow import Slideshow
from clipstead.tools.workbench import Workbench

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Upright and dark, wide and bright, small and between."""
    made = []
    for number, (width, height, grey) in enumerate([(120, 200, 40), (300, 100, 220), (30, 30, 128)]):
        path = tmp_path / f"{number}.jpg"
        (pyvips.Image.black(width, height) + grey).cast("uchar").write_to_file(str(path))
        made.append(path)
    return made


async def test_each_photo_is_seen_for_its_time_and_the_sound_is_repeated(
    photos: list[Path], clip: Callable[[str], Path], bench: Workbench, sandbox: Sandbox, results: Path, frames: Any
) -> None:
    told: list[Progress] = []
    tool = Slideshow.parse({"seconds": "1", "width": "91", "height": "160"})
    done = await show(bench, tool, photos, clip("plain.mp3"), results / "show.mp4", told.append)
    found = await inspect(sandbox, done.path)
    assert found.need_picture().shown == (90, 160)
    assert found.need_picture().pixel_format == "yuv420p"
    assert found.duration == pytest.approx(3, abs=0.06)
    assert found.need_sound().duration == pytest.approx(3, abs=0.06)
    seen = frames(done.path)
    for at, grey in ((0.5, 40), (1.5, 220), (2.5, 128)):
        nearest = min(range(len(seen.times)), key=lambda index: abs(seen.times[index] - at))
        assert seen.middle[nearest] == pytest.approx(16 + grey * 219 / 255, abs=4)
    assert [path.name for path in results.iterdir()] == ["show.mp4"]
    assert len(done.receipt.inputs) == 4
    assert told[-1].percent == 100


async def test_without_a_sound_it_is_silent_and_without_a_size_it_has_the_first_ones_shape(
    photos: list[Path], bench: Workbench, sandbox: Sandbox, results: Path
) -> None:
    done = await show(bench, Slideshow(seconds=0.5), photos[:1], None, results / "show.mp4")
    found = await inspect(sandbox, done.path)
    assert (found.sound, found.need_picture().shown) == (None, (1080, 1800))


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(3000, 4000, (1080, 1440)), (1080, 2400, (864, 1920)), (4000, 1000, (1920, 480)), (10, 10, (1080, 1080))],
)
async def test_the_shape_of_the_first_photo_is_kept_within_full_hd(
    width: int, height: int, size: tuple[int, int]
) -> None:
    assert Slideshow().size(Image("jpg", width, height, 1)) == size


async def test_one_bad_photo_spoils_it_and_leaves_nothing(
    photos: list[Path], bench: Workbench, results: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.jpg").write_text("no photo")
    with pytest.raises(BadMedia, match="Not an image"):
        await show(bench, Slideshow(), [*photos, tmp_path / "bad.jpg"], None, results / "show.mp4")
    with pytest.raises(InvalidParams, match="photos must be from 1 to 200"):
        await show(bench, Slideshow(), [], None, results / "show.mp4")
    assert list(results.iterdir()) == []


async def test_cancelling_leaves_nothing(photos: list[Path], bench: Workbench, results: Path) -> None:
    for wait in (0.02, 0.1, 0.3):
        job = asyncio.create_task(show(bench, Slideshow(), photos * 5, None, results / "show.mp4"))
        await asyncio.sleep(wait)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert list(results.iterdir()) == []
