"""`clipstead doctor`: whether everything that Clipstead needs is there and works, and what to do where it is not."""

from __future__ import annotations

import asyncio

from rich.console import Console
from rich.markup import escape

from clipstead.cli import doctor_here as here
from clipstead.cli import doctor_there as there
from clipstead.cli import doctor_youtube
from clipstead.cli.consoles import open_console, write_json
from clipstead.cli.exits import Exit
from clipstead.cli.finding import Finding, fault
from clipstead.settings import Settings, SettingsError, load

_COLORS = {"ok": "green", "warning": "yellow", "fault": "bold red"}


def run(*, as_json: bool) -> Exit:
    """Look at everything and tell; CANNOT_WORK if there is a fault, DONE with warnings too."""
    findings = asyncio.run(_findings())
    if as_json:
        write_json({"ok": not _is_broken(findings), "findings": findings})
    else:
        _print(open_console(), findings)
    return Exit.CANNOT_WORK if _is_broken(findings) else Exit.DONE


async def _findings() -> list[Finding]:
    try:
        settings = load()
    except SettingsError as error:
        advice = "correct it, then ask again: the rest goes by the settings"
        return [here.python(), fault("settings", str(error), advice)]
    local, outside = await asyncio.gather(_local(settings), _outside(settings))
    return [here.python(), here.settings_named(settings), *local, *outside]


async def _local(settings: Settings) -> list[Finding]:
    """One after the other: some start programs, and two at a time would be slower."""
    looks = (here.data_folder, here.disk, here.which_ffmpeg)
    found = [await asyncio.to_thread(look, settings) for look in looks]
    return [*found, await here.sandbox(), await asyncio.to_thread(doctor_youtube.javascript)]


async def _outside(settings: Settings) -> list[Finding]:
    database, store, providers = await asyncio.gather(
        there.database(settings), there.store(settings), there.providers(settings)
    )
    asked = [each.finding for each in providers]
    return [database.finding, store, *asked, there.clock([database, *providers])]


def _is_broken(findings: list[Finding]) -> bool:
    return any(finding.state == "fault" for finding in findings)


def _print(console: Console, findings: list[Finding]) -> None:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        color = _COLORS[finding.state]
        line = f"[{color}]{finding.state:<7}[/]  {finding.name:<{width}}  {escape(finding.found)}"
        console.print(line + (f"  [{color}]->[/] {escape(finding.advice)}" if finding.advice else ""))
