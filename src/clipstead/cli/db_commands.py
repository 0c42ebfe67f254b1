"""What `clipstead db` understands; the work is in db.py, loaded when there is some."""

from __future__ import annotations

import typer

from clipstead.cli import exits

app = typer.Typer(name="db", help="The database's schema.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Apply what is missing."""
    from clipstead.cli import db as command
    from clipstead.settings import load

    def run() -> exits.Exit:
        settings = load()
        return command.run_upgrade(settings.database_url, settings.data_dir)

    raise typer.Exit(exits.guarded(run))


@app.command()
def status() -> None:
    """Say where it stands; exit code 1 if it lacks something."""
    from clipstead.cli import db as command
    from clipstead.settings import load

    def run() -> exits.Exit:
        settings = load()
        return command.run_status(settings.database_url, settings.data_dir)

    raise typer.Exit(exits.guarded(run))
