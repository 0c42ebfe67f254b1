"""The command's front door: what subcommands there are, and how every failure ends in one line and an exit code."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from clipstead import __version__
from clipstead.cli import archive_commands, db_commands, exits, keys_commands, webhooks_commands

app = typer.Typer(
    name="clipstead",
    help="Short-video media: a link becomes a post, its files, or an API that answers for it.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawing help with rich would double what --help costs
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Quality(StrEnum):
    """Which of a video's variants is wanted."""

    best = "best"
    hd = "hd"
    sd = "sd"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"clipstead {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None: ...


@app.command()
def get(
    links: Annotated[list[str] | None, typer.Argument(metavar="LINK...", help="Links, or texts that hold one.")] = None,
    output: Annotated[str, typer.Option("-o", "--output", help="Template of the file name.")] = "{author}_{id}.{ext}",
    quality: Annotated[Quality, typer.Option(help="Which variant.")] = Quality.best,
    audio: Annotated[bool, typer.Option("--audio", help="Only the sound.")] = False,
    subs: Annotated[bool, typer.Option("--subs", help="Also subtitles.")] = False,
    cover: Annotated[bool, typer.Option("--cover", help="Also the cover.")] = False,
    info_json: Annotated[bool, typer.Option("--info-json", help="Also what is known of the post.")] = False,
    batch: Annotated[
        str, typer.Option("-a", "--batch-file", metavar="FILE", help="Links from a file, - is stdin.")
    ] = "",
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, max=32, help="Links worked on at a time.")] = 4,
) -> None:
    """Download posts: video, or photos with their sound. Files that are there already are skipped."""
    from clipstead.cli import get as command

    wishes = command.Wishes(output, quality.value, audio, subs, cover, info_json, jobs)
    _end(lambda: command.run(links or [], batch, wishes))


@app.command()
def info(
    link: Annotated[str, typer.Argument(metavar="LINK", help="A link, or a text that holds one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
) -> None:
    """Tell what a link points at, and which files there are."""
    from clipstead.cli import info as command

    _end(lambda: command.run(link, as_json=as_json))


@app.command()
def serve(
    direct: Annotated[bool, typer.Option("--direct", help="Hand out CDN addresses instead of our own.")] = False,
) -> None:
    """Start the server; CLIPSTEAD_* settings say where and how."""
    from clipstead.cli import serve as command

    _end(lambda: command.run(direct=direct))


@app.command()
def demo(
    check: Annotated[bool, typer.Option("--check", help="Walk through once and stop.")] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Where to keep the demo's files; a temporary one if unset.")
    ] = None,
) -> None:
    """Practice world and server together: walk through both, then leave them running."""
    from clipstead.cli import demo as command

    _end(lambda: command.run(stay=not check, folder=folder))


@app.command()
def worker(
    parent: Annotated[int, typer.Option(hidden=True, help="End when this process does.")] = 0,
) -> None:
    """Do jobs until told to stop: any number of these, on any machine that reaches the database."""
    from clipstead.cli import worker as command
    from clipstead.cli.working import work
    from clipstead.server import configure_logs
    from clipstead.settings import load

    def run() -> exits.Exit:
        settings = load()
        configure_logs(settings.log_format, settings.log_level)
        return command.run(lambda stop: work(settings, stop), parent=parent)

    _end(run)


@app.command()
def mcp(
    url: Annotated[str, typer.Option(help="The server; CLIPSTEAD_API_URL if unset, else this machine's.")] = "",
    key: Annotated[str, typer.Option(help="Its key; CLIPSTEAD_API_KEY if unset.")] = "",
    http: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Serve over HTTP; each caller brings a key of its own.")
    ] = "",
) -> None:
    """Serve agents: the Model Context Protocol over standard input and output, on top of a running server."""
    from clipstead.cli import mcp as command

    _end(lambda: command.run(url, key, http))


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Look at everything the house stands on, and say what to do where something is missing."""
    from clipstead.cli import doctor as command

    _end(lambda: command.run(as_json=as_json))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
def tool(context: typer.Context) -> None:
    """Apply a media tool to a file, without server or database: `clipstead tool` lists them."""
    from clipstead.cli import tool as command
    from clipstead.settings import SettingsError, load

    try:
        settings = load()
    except SettingsError as error:
        raise typer.Exit(exits.told(error)) from None
    command.main(context.args, ffmpeg_path=settings.ffmpeg)


app.add_typer(archive_commands.app, name="archive")
app.add_typer(keys_commands.app, name="keys")
app.add_typer(webhooks_commands.app, name="webhooks")
app.add_typer(db_commands.app, name="db")


def _end(run: exits.Run) -> None:
    raise typer.Exit(exits.guarded(run))


def main() -> None:
    """Entry point of the `clipstead` command."""
    try:
        app()
    except BrokenPipeError:
        # Whoever read our output has left (`clipstead info ... | head`): that is no failure of ours.
        sys.stderr.close()
        sys.exit(int(exits.Exit.DONE))
