"""What ffmpeg says of its progress, as text, becomes a percentage."""

from __future__ import annotations

from clipstead.media.progress import Progress, ProgressReader, part_of


def told(text: str, seconds: float | None = 10.0) -> list[Progress]:
    """The reports that these lines lead to."""
    found: list[Progress] = []
    reader = ProgressReader(seconds, found.append)
    for line in text.splitlines():
        reader.line(line)
    return found


def test_a_block_of_lines_is_one_report() -> None:
    assert told("frame=75\nout_time_us=2500000\nspeed=2.5x\nprogress=continue\n") == [Progress(25.0, 2.5, 3.0)]


def test_the_end_that_ffmpeg_announces_is_never_a_hundred() -> None:
    """It announces one after SIGTERM, too."""
    lines = "out_time_us=10000000\nprogress=end\nout_time_us=99000000\nprogress=end"
    assert [progress.percent for progress in told(lines)] == [99, 99]


def test_percent_never_falls_and_what_is_no_number_is_nothing() -> None:
    lines = "out_time_us=N/A\nspeed=N/A\nprogress=continue\nout_time_us=5000000\nprogress=continue\n"
    lines += "out_time_us=4000000\nprogress=continue\nout_time_us=-9\nprogress=end"
    assert [progress.percent for progress in told(lines)] == [0, 50, 50, 50]


def test_without_an_expected_length_nothing_is_told() -> None:
    assert told("out_time_us=2500000\nprogress=continue", None) == []


def test_parts_add_up() -> None:
    found: list[float] = []
    for index in range(2):
        part_of(lambda progress: found.append(progress.percent), index, 2)(Progress(50))
    assert found == [25, 75]
