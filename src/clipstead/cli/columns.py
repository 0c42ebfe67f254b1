"""Rows of words in aligned columns, each on a line of its own however narrow the terminal is: made to be grepped."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from clipstead.cli.consoles import open_console
from clipstead.cli.words import printable


def print_columns(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The names, and the rows below them; what a terminal would obey becomes a blank."""
    plain = [[printable(cell) for cell in row] for row in (names, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*plain, strict=True)]
    console = open_console()
    for row in plain:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        console.print("  ".join(cells).rstrip(), markup=False)
