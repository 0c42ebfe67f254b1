"""The command: each subcommand in its own file, imported only when it is called."""

from clipstead.cli.main import main

__all__ = ["main"]
