"""Images: whatever a camera, a printer or a browser made becomes what the web shows, upright and in its colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pyvips  # type: ignore[import-untyped]  # its stubs come without the marker that mypy asks for

from clipstead.errors import BadMedia
from clipstead.media import images
from clipstead.media.images import ImageCaps, look
from clipstead.media.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="session")

LeftOver = Callable[[], list[str]]
RED, GREEN = [200, 30, 30], [20, 180, 40]


def flat(colour: list[int], width: int = 60, height: int = 40) -> Any:
    """One colour, as libvips holds it before it is written."""
    image = pyvips.Image.black(width, height, bands=len(colour)) + colour
    return image.cast("uchar").copy(interpretation="srgb")


def halves() -> Any:
    """Red on the left, green on the right."""
    return flat(RED, 30).join(flat(GREEN, 30), "horizontal")


def colour(path: Path, across: float = 0.5, down: float = 0.5) -> list[int]:
    """The colour at a place of an image, as fractions of its sides."""
    image = pyvips.Image.new_from_file(str(path))
    values = image.getpoint(int((image.width - 1) * across), int((image.height - 1) * down))
    return [round(value) for value in values]


def near(found: list[int], wanted: list[int], slack: int = 14) -> bool:
    return len(found) == len(wanted) and all(abs(a - b) <= slack for a, b in zip(found, wanted, strict=True))


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """Writes an image with libvips' own options and gives its path."""

    def written(image: Any, name: str, **options: Any) -> Path:
        path = tmp_path / name
        image.write_to_file(str(path), **options)
        return path

    return written


def animation(frames: int = 4) -> Any:
    """Frames of 40x30, each brighter than the one before."""
    pages = [flat([25 * number + 20, 0, 0], 40, 30) for number in range(frames)]
    joined = pyvips.Image.arrayjoin(pages, across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", 30)
    joined.set_type(pyvips.GValue.array_int_type, "delay", [100] * frames)
    return joined


@pytest.mark.parametrize("source", ["x.jpg", "x.png", "x.webp", "x.gif", "x.tif", "x.avif"])
@pytest.mark.parametrize("output", ["jpg", "png", "webp"])
async def test_every_format_becomes_every_other(
    source: str, output: str, made: Callable[..., Path], apply: Any, left_over: LeftOver
) -> None:
    done = await apply("image-converter", made(flat(RED), source), outputFormat=output)
    assert left_over() == [f"result.{output}"]
    assert near(colour(done.path)[:3], RED)


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.webp", "x.gif"])
async def test_a_resized_image_has_exactly_the_size_and_its_format(
    name: str, made: Callable[..., Path], apply: Any, sandbox: Sandbox
) -> None:
    done = await apply("resize-image", made(halves(), name), width=31, height=47)
    found = await look(sandbox, done.path)
    assert (found.format, found.width, found.height) == (name[2:], 31, 47)
    assert near(colour(done.path, 0.1)[:3], RED, 25)
    assert near(colour(done.path, 0.9)[:3], GREEN, 25)


@pytest.mark.parametrize(("name", "params"), [("image-converter", {"outputFormat": "png"}),
                                              ("resize-image", {"width": 40, "height": 60})])  # fmt: skip
async def test_a_photo_that_lies_on_its_side_is_stood_up(
    name: str, params: dict[str, object], made: Callable[..., Path], apply: Any, sandbox: Sandbox
) -> None:
    lying = halves().copy()
    lying.set_type(pyvips.GValue.gint_type, "orientation", 6)  # turn right by a quarter to see it
    path = made(lying, "x.jpg", Q=95)
    assert ((await look(sandbox, path)).width, (await look(sandbox, path)).height) == (40, 60)
    done = await apply(name, path, **params)
    found = await look(sandbox, done.path)
    assert (found.width, found.height) == (40, 60)
    assert near(colour(done.path, 0.5, 0.1), RED, 25)
    assert near(colour(done.path, 0.5, 0.9), GREEN, 25)
    assert pyvips.Image.new_from_file(str(done.path)).get_typeof("orientation") == 0


async def test_nothing_the_camera_noted_goes_along(made: Callable[..., Path], apply: Any) -> None:
    """Where a photo was taken is nobody's business."""
    tagged = flat(RED).copy()
    tagged.set_type(pyvips.GValue.gstr_type, "exif-ifd3-GPSLatitude", "48/1 12/1 0/1")
    path = made(tagged, "x.jpg")
    assert b"Exif" in path.read_bytes()
    for name, params in (("image-converter", {"outputFormat": "jpg"}), ("resize-image", {"width": 30, "height": 20})):
        assert b"Exif" not in (await apply(name, path, **params)).path.read_bytes()


async def test_print_colours_become_screen_colours(made: Callable[..., Path], apply: Any) -> None:
    cmyk = flat(RED).icc_transform("cmyk", input_profile="srgb", embedded=False)
    path = made(cmyk, "x.jpg", Q=95)
    assert pyvips.Image.new_from_file(str(path)).bands == 4
    for name, params in (("image-converter", {"outputFormat": "png"}), ("resize-image", {"width": 30, "height": 20})):
        assert near(colour((await apply(name, path, **params)).path), RED, 30)


async def test_sixteen_bits_and_grey_are_kept_in_eight(made: Callable[..., Path], apply: Any) -> None:
    deep = (flat(RED).cast("ushort") * 257).copy(interpretation="rgb16").cast("ushort")
    grey = (pyvips.Image.black(20, 20) + 30000).cast("ushort").copy(interpretation="grey16")
    assert near(colour((await apply("image-converter", made(deep, "x.png"), outputFormat="jpg")).path), RED)
    assert near(colour((await apply("image-converter", made(grey, "y.png"), outputFormat="png")).path), [117])


async def test_what_is_transparent_is_white_in_jpg_and_transparent_elsewhere(
    made: Callable[..., Path], apply: Any
) -> None:
    path = made(flat([200, 30, 30, 128]), "x.png")
    assert near(colour((await apply("image-converter", path, outputFormat="jpg")).path), [227, 142, 142])
    for output in ("png", "webp"):
        assert near(colour((await apply("image-converter", path, outputFormat=output)).path), [200, 30, 30, 128])


@pytest.mark.parametrize("name", ["x.gif", "x.webp"])
async def test_an_animation_stays_one_where_the_format_can_hold_it(
    name: str, made: Callable[..., Path], apply: Any, sandbox: Sandbox
) -> None:
    path = made(animation(), name)
    for tool, params, pages, size in (
        ("image-converter", {"outputFormat": "webp"}, 4, (40, 30)),
        ("image-converter", {"outputFormat": "png"}, 1, (40, 30)),
        ("image-converter", {"outputFormat": "jpg"}, 1, (40, 30)),
        ("resize-image", {"width": 25, "height": 19}, 4, (25, 19)),
    ):
        found = await look(sandbox, (await apply(tool, path, **params)).path)
        assert (found.pages, found.width, found.height) == (pages, *size), tool


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.webp"])
async def test_compressing_never_makes_a_file_larger(
    name: str, made: Callable[..., Path], apply: Any, sandbox: Sandbox
) -> None:
    noise = pyvips.Image.gaussnoise(80, 60, mean=128, sigma=40).bandjoin([128, 90]).cast("uchar")
    path = made(noise.copy(interpretation="srgb"), name)
    smaller = await apply("compress-image", path, quality=20)
    assert smaller.receipt.size < path.stat().st_size
    assert (await look(sandbox, smaller.path)).format == name[2:]
    again = await apply("compress-image", smaller.path, quality=100)
    assert again.receipt.size <= smaller.receipt.size


async def test_an_image_that_cannot_shrink_is_given_back_as_it_is(made: Callable[..., Path], apply: Any) -> None:
    noise = pyvips.Image.gaussnoise(300, 200, mean=128, sigma=60).bandjoin([128, 90]).cast("uchar")
    for name in ("x.jpg", "x.webp", "x.avif"):
        path = made(noise.copy(interpretation="srgb"), name, Q=30, keep="none")
        done = await apply("compress-image", path, quality=100)
        assert done.path.suffix == path.suffix
        assert done.path.read_bytes() == path.read_bytes()
        assert (done.receipt.unchanged, done.receipt.output) == (True, done.receipt.inputs[0])


async def test_pixels_are_counted_before_they_are_decoded(
    made: Callable[..., Path], apply: Any, sandbox: Sandbox, tmp_path: Path, left_over: LeftOver
) -> None:
    """A megabyte that declares 900 million pixels costs as little as any other header."""
    small = made(flat(RED), "x.png").read_bytes()
    bomb = tmp_path / "bomb.png"
    header = (30_000).to_bytes(4, "big") * 2
    bomb.write_bytes(_with_checksum(small[:16] + header + small[24:29]) + small[33:])
    for tool, params in (("compress-image", {}), ("resize-image", {"width": 10, "height": 10})):
        with pytest.raises(BadMedia, match="The file is too large: 30000x30000 pixels"):
            await apply(tool, bomb, **params)
    with pytest.raises(BadMedia, match="too large: 40x30 pixels, 4 frames"):
        await look(sandbox, made(animation(), "x.gif"), ImageCaps(pixels=4 * 40 * 30 - 1))
    assert left_over() == []


def _with_checksum(until: bytes) -> bytes:
    import zlib

    return until + zlib.crc32(until[12:]).to_bytes(4, "big")


async def test_an_animation_may_not_be_blown_up_without_end(made: Callable[..., Path], apply: Any) -> None:
    with pytest.raises(BadMedia, match="the result would have 7680x4320 pixels, 8 frames"):
        await apply("resize-image", made(animation(8), "x.gif"), width=7680, height=4320)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"8BPS\0\1" + bytes(200), "Not an image"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "Not an image"),
        (b"%PDF-1.7\n" + bytes(200), "Not an image"),
        (b"P3 1 1 255 0 0 0\n", "Not an image"),
        (b"push graphic-context\nimage over 0,0 0,0 'x'\n", "Not an image"),
        (b"hello", "Not an image"),
        (b"\xff\xd8\xff\xe0" + bytes(300), "The file is damaged"),
        (b"RIFF\x10\0\0\0WEBPVP8 " + bytes(40), "The file is damaged"),
    ],
)
async def test_what_is_no_image_of_ours_is_refused(content: bytes, words: str, apply: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(BadMedia) as refused:
        await apply("compress-image", path)
    assert str(refused.value) == words


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.webp", "x.gif"])
async def test_half_an_image_is_damaged(name: str, made: Callable[..., Path], apply: Any, left_over: LeftOver) -> None:
    noise = pyvips.Image.gaussnoise(200, 200, mean=128, sigma=40).bandjoin([128, 90]).cast("uchar")
    path = made(noise.copy(interpretation="srgb"), name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadMedia, match=r"^The file is damaged$"):
        await apply("resize-image", path, width=100, height=100)
    assert left_over() == []


async def test_the_receipt_says_what_libvips_was_told(made: Callable[..., Path], apply: Any) -> None:
    done = await apply("resize-image", made(flat(RED), "x.jpg"), width=5, height=6)
    assert done.receipt.program.startswith("libvips 8.")
    assert done.receipt.commands == (
        ("libvips", "make", '{"suffix": "jpg", "quality": 88, "width": 5, "height": 6, "palette": false}'),
    )


async def test_a_format_that_is_not_written_becomes_one_that_is() -> None:
    for found, alpha, kept in (
        ("avif", False, "jpg"),
        ("tiff", True, "png"),
        ("gif", True, "gif"),
        ("jpg", False, "jpg"),
    ):
        assert images.kept_format(images.Image(found, 1, 1, 1, alpha=alpha)) == kept  # type: ignore[arg-type]  # a table
