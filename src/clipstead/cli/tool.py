"""`clipstead tool NAME FILE`: one media tool on one file, here and now; no server and no database take part."""

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from clipstead.cli.consoles import is_terminal, open_console
from clipstead.cli.exits import Exit, guarded
from clipstead.cli.words import size_words
from clipstead.errors import InvalidParams, ToolFailed
from clipstead.media import ffmpeg
from clipstead.media.progress import Progress, Report
from clipstead.media.sandbox import Limits, Sandbox
from clipstead.tools import BY_NAME, TOOLS, Tool
from clipstead.tools.base import rule_of
from clipstead.tools.run import Done, Name
from clipstead.tools.run import run as run_tool
from clipstead.tools.show import show
from clipstead.tools.slideshow import Slideshow
from clipstead.tools.workbench import Workbench

_SAME = {"jpeg": "jpg", "jpe": "jpg", "m4v": "mp4", "oga": "ogg", "tif": "tiff"}
# Whoever sits at the machine may wait longer than a stranger's job may take; the rest of the fence stays.
_LIMITS = Limits(cpu=24 * 3600, file_size=1 << 40, wall=24 * 3600.0, nice=0)


def run(name: str, file: Path, out: Path | None, params: Mapping[str, object], *, ffmpeg_path: str = "") -> Exit:
    """Apply the tool `name` to `file`; the result is `out` (a folder: within it; None: here, named after the file).

    `params` are named as the API names them. `ffmpeg_path` is the setting. Raises ClipsteadError.
    """
    tool = BY_NAME[name].parse(params)
    _check_input(file)
    return _with_bench(ffmpeg_path, lambda bench, tell: run_tool(bench, tool, file, _namer(name, file, out), tell))


def run_slideshow(
    files: Sequence[Path], sound: Path | None, out: Path | None, params: Mapping[str, object], *, ffmpeg_path: str = ""
) -> Exit:
    """Make a slideshow of `files`, in their order. Raises ClipsteadError."""
    tool = Slideshow.parse(params)
    for path in (*files, *([sound] if sound else [])):
        _check_input(path)
    target = _namer("slideshow", files[0], out)("mp4")
    return _with_bench(ffmpeg_path, lambda bench, tell: show(bench, tool, files, sound, target, tell))


def _check_input(file: Path) -> None:
    if not file.is_file():
        raise InvalidParams({"FILE": f"is no file: {file}"})


def _with_bench(ffmpeg_path: str, work: Callable[[Workbench, Report], Awaitable[Done]]) -> Exit:
    async def all_of_it(tell: Report) -> Done:
        sandbox = Sandbox()
        try:
            found = await asyncio.to_thread(ffmpeg.find, ffmpeg_path)
            return await work(Workbench(found, sandbox, _LIMITS), tell)
        finally:
            await sandbox.close()

    with _bar() as tell:
        done = asyncio.run(all_of_it(tell))
    unchanged = "  (unchanged: it would only have grown)" if done.receipt.unchanged else ""
    words = f"{done.path}  {size_words(done.receipt.size)}{unchanged}"
    open_console().print(words, markup=False)
    return Exit.DONE


def _namer(tool: str, file: Path, out: Path | None) -> Name:
    """Where the result goes, once its extension is known; a name that says something else is refused, not bent."""
    asked: list[str] = []

    def name(suffix: str) -> Path:
        asked.append(suffix)
        if out is None or out.is_dir():
            return (out or Path()) / f"{file.stem}-{tool}.{suffix}"
        given = out.suffix.lower().lstrip(".")
        if _SAME.get(given, given) != suffix:
            if len(asked) > 1:
                raise ToolFailed(f"The file cannot be made smaller; the best there is, is the {suffix} file itself")
            raise InvalidParams({"-o": f"must end in .{suffix}"})
        if out.exists() and out.samefile(file):
            raise InvalidParams({"-o": "must not be the file itself"})
        return out

    return name


@contextmanager
def _bar() -> Iterator[Report]:
    """A bar on a terminal, silence anywhere else."""
    if not is_terminal(sys.stderr):
        yield lambda progress: None
        return
    columns = (TextColumn("working"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bar(*columns, console=open_console(stderr=True), transient=True) as bar:
        task = bar.add_task("working", total=100)

        def tell(progress: Progress) -> None:
            bar.update(task, completed=progress.percent)

        yield tell


def main(arguments: Sequence[str], *, ffmpeg_path: str = "") -> None:
    """What follows `clipstead tool`: a command for each tool, its flags made of the tool's fields. Ends the process."""
    app = typer.Typer(name="tool", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    for tool in TOOLS:
        app.command(tool.name, help=tool.__doc__)(_command(tool, ffmpeg_path))
    app.command(Slideshow.name, help=Slideshow.__doc__)(_slideshow_command(ffmpeg_path))
    app(args=list(arguments), prog_name="clipstead tool")


def _command(tool: type[Tool], ffmpeg_path: str) -> Callable[..., None]:
    def command(file: Path, output: Path | None, **flags: str | None) -> None:
        raise typer.Exit(guarded(lambda: run(tool.name, file, output, _given(flags), ffmpeg_path=ffmpeg_path)))

    return _signed(command, [_FILE, _OUTPUT, *_flags(tool)])


def _slideshow_command(ffmpeg_path: str) -> Callable[..., None]:
    def command(files: list[Path], sound: Path | None, output: Path | None, **flags: str | None) -> None:
        given = _given(flags)
        raise typer.Exit(guarded(lambda: run_slideshow(files, sound, output, given, ffmpeg_path=ffmpeg_path)))

    return _signed(command, [_FILES, _SOUND, _OUTPUT, *_flags(Slideshow)])


def _given(flags: Mapping[str, str | None]) -> dict[str, object]:
    return {name: value for name, value in flags.items() if value is not None}


def _signed(command: Callable[..., None], parameters: Sequence[inspect.Parameter]) -> Callable[..., None]:
    """Give a function the signature that typer reads its options from."""
    command.__signature__ = inspect.Signature(list(parameters))  # type: ignore[attr-defined]  # what inspect looks for
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _flags(tool: type[Tool]) -> list[inspect.Parameter]:
    return [_flag(tool, name, field) for name, field in tool.model_fields.items()]


def _flag(tool: type[Tool], name: str, field: FieldInfo) -> inspect.Parameter:
    """One flag a field. It takes text: what the text must be is for the tool to say, in one place and in its words."""
    rule = rule_of(tool, field.alias or name).removeprefix("must be ")
    default = "" if field.is_required() or field.default is None else f", {field.default} by itself"
    help_text = f"{rule[:1].upper()}{rule[1:]}{default}{', required' if field.is_required() else ''}."
    option = typer.Option(f"--{name.replace('_', '-')}", metavar="VALUE", help=help_text, show_default=False)
    return _parameter(name, Annotated[str | None, option])


def _parameter(name: str, annotation: Any, default: object = None) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


_FILE = _parameter(
    "file", Annotated[Path, typer.Argument(metavar="FILE", help="The file to work on.")], inspect.Parameter.empty
)
_FILES = _parameter(
    "files", Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="The photos.")], inspect.Parameter.empty
)
_SOUND = _parameter("sound", Annotated[Path | None, typer.Option("--sound", metavar="FILE", help="What is heard.")])
_OUTPUT = _parameter(
    "output",
    Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT", help="The result, or a folder for it; here by itself."),
    ],
)
