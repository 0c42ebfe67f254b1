"""The bars of a terminal go with what they stand for."""

import io

from rich.console import Console
from rich.progress import Progress

from clipstead.cli.progress import _Bars
from clipstead.model import Link, Media, MediaKind, Post


def test_no_bar_outlives_its_post() -> None:
    """Neither that of a variant that was given up half-way, nor one of a length that nobody told."""
    progress = Progress(console=Console(file=io.StringIO()))
    board = _Bars(1, progress, progress.console)
    with board.progress(Post("7", Link("tiktok", "", "7"))) as report:
        report(Media(MediaKind.VIDEO, "hd", ""), 5, 10)
        report(Media(MediaKind.VIDEO, "sd", ""), 5, None)
        assert len(progress.tasks) == 2
    assert progress.tasks == []
