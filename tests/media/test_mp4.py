"""MP4s built by hand: each corner of the format is read right, and samples beyond the file's end are found."""

from collections.abc import Callable
from io import BytesIO

import pytest

from clipstead.errors import BadMedia
from clipstead.media import Probe
from clipstead.media.probe import examine
from clipstead.media.source import Source

from .conftest import HandMade, box, numbers

Build = Callable[..., HandMade]


def look(data: bytes) -> Probe:
    return examine(Source(BytesIO(data), len(data)))


class _Counting(BytesIO):
    """Counts what is read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


def refused(data: bytes) -> BadMedia:
    with pytest.raises(BadMedia) as caught:
        look(data)
    return caught.value


@pytest.mark.parametrize(
    "bend",
    [
        {},
        {"chunk": 2},
        {"chunk": 5},
        {"long_boxes": True},
        {"wide_offsets": True},
        {"version": 1},
        {"open_ended": True},
        {"sizes": [1] * 5000, "chunk": 7},
        {"stsz": box(b"stsz", numbers(0, 200, 3))},
    ],
    ids=str,
)
def test_every_way_of_writing_the_index_is_read(handmade: Build, bend: dict[str, object]) -> None:
    found = look(handmade(**bend).build())
    assert (found.video, found.duration, found.width, found.height) == ("h264", 5.0, 320, 180)


@pytest.mark.parametrize(
    ("entry", "codec"),
    [
        (b"avc1", "h264"),
        (b"avc3", "h264"),
        (b"hvc1", "hevc"),
        (b"hev1", "hevc"),
        (b"bvc2", "bytevc2"),
        (b"vp09", "vp9"),
        (b"av01", "av1"),
        (b"xyz9", "xyz9"),
        (b"\0\xff!!", "unknown"),
        (b"encv", "encrypted"),
    ],
)
def test_codecs_have_our_names(handmade: Build, entry: bytes, codec: str) -> None:
    assert look(handmade(entry=entry).build()).video == codec


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((1, 0, 0, 1), (320, 180)),
        ((0, 1, -1, 0), (180, 320)),
        ((-1, 0, 0, -1), (320, 180)),
        ((0, -1, 1, 0), (180, 320)),
    ],
)
def test_rotation_is_applied_to_the_size(
    handmade: Build, matrix: tuple[int, int, int, int], shown: tuple[int, int]
) -> None:
    found = look(handmade(matrix=matrix).build())
    assert (found.width, found.height) == shown


def test_a_track_without_a_size_has_that_of_its_sample_entry(handmade: Build) -> None:
    found = look(handmade(size=(0, 0)).build())
    assert (found.width, found.height) == (640, 480)


def test_the_edit_list_says_how_much_is_shown(handmade: Build) -> None:
    assert look(handmade(edits=[1500, 500]).build()).duration == 2.0


@pytest.mark.parametrize("duration", [0, 0xFFFFFFFF])
def test_an_unknown_length_is_none(handmade: Build, duration: int) -> None:
    assert look(handmade(duration=duration).build()).duration is None


def test_a_track_of_sound_alone_makes_an_m4a(handmade: Build) -> None:
    found = look(handmade(handler=b"soun", entry=b"mp4a").build())
    assert (found.kind, found.ext, found.audio, found.video, found.width) == ("audio", "m4a", "aac", None, None)


def test_a_track_without_samples_is_not_there(handmade: Build) -> None:
    assert "no video and no sound" in str(refused(handmade(sizes=[]).build()))


def test_cover_art_is_no_video(handmade: Build) -> None:
    assert "no video and no sound" in str(refused(handmade(entry=b"jpeg").build()))


@pytest.mark.parametrize("missing", [1, 299, 300, 400])
def test_samples_beyond_the_end_are_a_truncated_file(handmade: Build, missing: int) -> None:
    """Also where `mdat` is said to go on to the end, so that no box is too long."""
    error = refused(handmade(open_ended=True).build()[:-missing])
    assert (str(error), error.transient) == ("truncated", True)


@pytest.mark.parametrize("cut", [1, 9, 100, 600])
def test_an_index_that_is_cut_off_is_a_truncated_file(handmade: Build, cut: int) -> None:
    assert str(refused(handmade().build()[:-cut])) == "truncated"


@pytest.mark.parametrize(
    "bend",
    [
        {"stsc": box(b"stsc", numbers(0, 0xFFFFFFFF, 1, 1, 1))},
        {"stsc": box(b"stsc", numbers(0, 3, 1, 1, 1))},
        {"stsc": b"\0\0\0\x08free"},
        {"stsz": box(b"stsz", numbers(0, 0, 0xFFFFFFFF))},
        {"offsets": box(b"stco", numbers(0, 0xFFFFFFFF))},
        {"offsets": box(b"co64", numbers(0, 1), numbers((1 << 64) - 1, width=8))},
        {"offsets": box(b"stco", numbers(0, 2, 40, 0xFFFFFFF0))},
        {"extra": box(b"trak", b"") * 5000},
        {"extra": box(b"trak", box(b"tkhd", b"\0"))},
        {"extra": numbers(0x7FFFFFFF) + b"trak"},
        {"extra": box(b"free", b"") * 200_000},
    ],
    ids=range(11),
)
def test_tables_that_lie_are_refused(handmade: Build, bend: dict[str, object]) -> None:
    refused(handmade(**bend).build())


def test_a_size_for_every_sample_is_arithmetic_not_work(handmade: Build) -> None:
    """Four thousand million samples of one size are a number, not a loop."""
    error = refused(
        handmade(stsz=box(b"stsz", numbers(0, 7, 0xFFFFFFFF)), stsc=box(b"stsc", numbers(0, 1, 1, 1 << 30, 1))).build()
    )
    assert str(error) == "truncated"


@pytest.mark.parametrize(
    "data",
    [
        numbers(0x18) + b"ftypisom",
        box(b"ftyp", b"isom", numbers(0)),
        box(b"ftyp", b"isom", numbers(0)) + numbers(4) + b"moov",
        box(b"ftyp", b"isom", numbers(0)) + numbers(1) + b"moov" + numbers(3, width=8),
        box(b"ftyp", b"isom", numbers(0)) + numbers(1) + b"mdat" + numbers((1 << 64) - 1, width=8),
        box(b"ftyp", b"isom", numbers(0)) + box(b"mdat", b"x") * 200_000,
        box(b"ftyp", b"isom", numbers(0)) + box(b"moov", b"") + box(b"mdat", b"x"),
        box(b"ftyp", b"isom", numbers(0)) + box(b"moov", bytes(100)) + box(b"mdat", b"x"),
    ],
    ids=range(8),
)
def test_boxes_that_lead_nowhere_are_refused(data: bytes) -> None:
    refused(data)


def test_a_fragment_whose_time_is_empty_is_refused(handmade: Build) -> None:
    """With the box that should tell it at the very end of the fragment."""
    run = box(b"trun", numbers(0, 1))
    moof = box(b"moof", box(b"traf", box(b"tfhd", numbers(0, 1)), run, box(b"tfdt")))
    assert str(refused(handmade().build() + moof)).startswith("damaged")


def test_rubbish_after_the_last_box_is_borne(handmade: Build) -> None:
    """Some writers append padding or notes of their own."""
    plain = handmade().build()
    assert look(plain + b"\0" * 7).video == "h264"
    assert look(plain + b"\x12\x34\x56\x78junk" * 100).video == "h264"


@pytest.mark.parametrize("bend", [{}, {"open_ended": True}, {"long_boxes": True}], ids=str)
def test_the_samples_themselves_are_never_read(handmade: Build, bend: dict[str, object]) -> None:
    data = handmade(sizes=[500_000] * 8, **bend).build()
    file = _Counting(data)
    assert examine(Source(file, len(data))).video == "h264"
    assert file.taken < 20_000
