"""docs/command.md names every command that there is."""

from __future__ import annotations

import re
from pathlib import Path

from typer.core import TyperGroup
from typer.main import get_command

from clipstead.cli.main import app


def test_every_command_is_named(repository: Path) -> None:
    """The groups with all that they understand."""
    told = (repository / "docs" / "command.md").read_text().split("```")[1]
    lines = {line.split()[1]: line for line in told.strip().splitlines()}
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    assert lines.keys() == root.commands.keys()
    for name, command in root.commands.items():
        if isinstance(command, TyperGroup):
            assert command.commands.keys() <= set(re.findall(r"[a-z-]+", lines[name])), name
