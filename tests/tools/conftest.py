"""Clips made by ffmpeg itself, one workbench for this part's tests, and eyes and ears for what comes out."""

from __future__ import annotations

import array
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import av
import pytest
import pytest_asyncio

from clipstead.media import ffmpeg
from clipstead.media.progress import Report
from clipstead.media.sandbox import Limits, Sandbox
from clipstead.tools import BY_NAME
from clipstead.tools.run import Done, run
from clipstead.tools.workbench import Workbench

Clip = Callable[[str], Path]
Apply = Callable[..., Any]

_X264 = ("-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-pix_fmt", "yuv420p")
_HDR = "log-level=none:colorprim=bt2020:colormatrix=bt2020nc:transfer="


def _test(size: str = "160x120", seconds: float = 2, rate: int = 30) -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds}"]


def _sine(seconds: float = 2, channels: int = 1, rate: int = 44100) -> list[str]:
    layout = f"aeval={'|'.join(['val(0)'] * channels)}:c={'5.1' if channels == 6 else 'mono'}"
    return ["-f", "lavfi", "-i", f"sine=440:d={seconds}:r={rate},{layout}"]


# Every frame a flat grey that tells its number: 16 + 2 x the number.
_COUNTED = ["-f", "lavfi", "-i", "color=black:s=160x120:r=30:d=3,geq=lum='16+2*N':cb=128:cr=128"]
_FLASH = ["-f", "lavfi", "-i", "color=black:s=160x120:r=30:d=3,geq=lum='if(between(N,45,50),235,16)':cb=128:cr=128"]
_BEEP = ["-f", "lavfi", "-i", "aevalsrc='if(between(t,1.5,1.7),0.8*sin(2*PI*1000*t),0)':d=3:s=44100"]
_RED_HALF = ["-f", "lavfi", "-i", "color=red@0.5:s=64x48:r=10:d=1,format=rgba"]

# name -> arguments before the output; a name of another recipe in braces is that file
_RECIPES: dict[str, list[str]] = {
    "plain.mp4": [*_test(), *_sine(), *_X264, "-c:a", "aac"],
    "silent.mp4": [*_test(), *_X264],
    "rotated.mp4": ["-display_rotation", "90", "-i", "{plain.mp4}", "-c", "copy"],
    "wide-pixels.mp4": [*_test(), *_X264, "-vf", "setsar=4/3"],
    "odd.mp4": ["-f", "lavfi", "-i", "testsrc2=s=161x121:r=30:d=1,format=yuv444p", "-c:v", "libx264"],
    "uneven.mp4": [
        *_test(rate=60),
        *_X264,
        *("-vf", "select='not(mod(n,2))+gt(random(1),0.7)'", "-fps_mode", "vfr"),
    ],
    "pq.mp4": [*_test(), "-c:v", "libx265", "-x265-params", f"{_HDR}smpte2084", "-pix_fmt", "yuv420p10le"],
    "hlg.mkv": [*_test(), "-c:v", "libx265", "-x265-params", f"{_HDR}arib-std-b67", "-pix_fmt", "yuv420p10le"],
    "ten-bit.mkv": [*_test(), "-c:v", "libx264", "-pix_fmt", "yuv420p10le"],
    "interlaced.mp4": [*_test(rate=25), "-vf", "interlace", "-c:v", "libx264", "-flags", "+ildct+ilme"],
    "full-range.mp4": [*_test(), "-vf", "format=yuvj420p", "-c:v", "libx264"],
    "alpha.mov": [*_RED_HALF, "-c:v", "qtrle"],
    "alpha.webm": [*_RED_HALF, "-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p"],
    "plain.webm": [*_test(), *_sine(), "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
    "live.webm": ["-i", "{plain.webm}", "-c", "copy", "-f", "webm", "-live", "1"],
    "late-sound.mp4": [*_test(), "-itsoffset", "0.7", *_sine(1.3), *_X264, "-c:a", "aac"],
    "late-picture.mp4": ["-ss", "0.2", "-i", "{counted.mp4}", "-c", "copy", "-copyts", "-ss", "0.9", "-t", "1.5"],
    "hidden.mp4": ["-ss", "1.1", "-i", "{plain.mp4}", "-c", "copy", "-t", "0.8"],
    "counted.mp4": [*_COUNTED, *_sine(3), *_X264, "-c:a", "aac"],
    "counted.mkv": ["-i", "{counted.mp4}", "-c", "copy"],
    "counted.ts": ["-i", "{counted.mp4}", "-c", "copy"],
    "counted.flv": ["-i", "{counted.mp4}", "-c", "copy"],
    "counted.mpg": ["-i", "{counted.mp4}", "-c:v", "mpeg2video", "-q:v", "2", "-g", "25", "-c:a", "mp2"],
    "counted.avi": ["-i", "{counted.mp4}", "-c:v", "mpeg4", "-q:v", "2", "-g", "25", "-c:a", "libmp3lame"],
    "counted.wmv": ["-i", "{counted.mp4}", "-c:v", "wmv2", "-q:v", "2", "-g", "25", "-c:a", "wmav2"],
    "flash.mp4": [*_FLASH, *_BEEP, *_X264, "-c:a", "aac"],
    "flash.mkv": ["-i", "{flash.mp4}", "-c", "copy"],
    "plain.mp3": [*_sine(), "-c:a", "libmp3lame"],
    "headless.mp3": [*_sine(), "-c:a", "libmp3lame", "-q:a", "5", "-write_xing", "0"],
    "plain.m4a": [*_sine(), "-c:a", "aac"],
    "plain.aac": [*_sine(), "-c:a", "aac"],
    "plain.wav": [*_sine()],
    "plain.flac": [*_sine()],
    "plain.ogg": [*_sine(), "-c:a", "libvorbis"],
    "surround.wav": [*_sine(1, 6, 96000)],
    "still.png": ["-f", "lavfi", "-i", "testsrc2=s=160x120", "-frames:v", "1"],
    "covered.mp3": [
        *("-i", "{plain.mp3}", "-i", "{still.png}", "-map", "0", "-map", "1"),
        *("-c", "copy", "-disposition:v", "attached_pic"),
    ],
    "covered.m4a": [
        *("-i", "{plain.m4a}", "-i", "{still.png}", "-map", "0", "-map", "1"),
        *("-c", "copy", "-disposition:v", "attached_pic"),
    ],
    "plain.gif": [*_test("64x48", 1, 10)],
    "noise.avi": [
        *("-f", "lavfi", "-i", "nullsrc=s=64x48:r=10:d=1,geq=random(1)*255:128:128"),
        *("-c:v", "mpeg4", "-b:v", "20k", "-qmax", "31", "-qmin", "31"),
    ],
}


@pytest.fixture(scope="session")
def program() -> ffmpeg.Ffmpeg:
    """The ffmpeg that all of these tests use."""
    return ffmpeg.find()


@pytest.fixture(scope="session")
def clip(program: ffmpeg.Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Gives a clip by its name in the recipes; each is made once, when it is first asked for."""
    folder = tmp_path_factory.mktemp("clips")

    def made(name: str) -> Path:
        path = folder / name
        if not path.exists():
            arguments = [str(made(part[1:-1])) if part.startswith("{") else part for part in _RECIPES[name]]
            command = [program.path, "-hide_banner", "-v", "error", "-y", *arguments, str(path)]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path

    return made


@pytest.fixture(scope="session")
def make(program: ffmpeg.Ffmpeg) -> Callable[..., None]:
    """Runs ffmpeg as it is, outside of every fence: for making what a test needs."""

    def made(*arguments: object) -> None:
        subprocess.run([program.path, "-v", "error", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL)

    return made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    """One fence for the whole part; bubblewrap has tests of its own."""
    sandbox = Sandbox(bubblewrap="off")
    yield sandbox
    await sandbox.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bench(program: ffmpeg.Ffmpeg, sandbox: Sandbox) -> Workbench:
    """A workbench with limits that no test here comes near by itself."""
    return Workbench(program, sandbox, Limits(wall=60.0, cpu=60))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Where results go; nothing else may ever be left in it."""
    folder = tmp_path / "results"
    folder.mkdir()
    return folder


@pytest.fixture
def apply(bench: Workbench, results: Path) -> Apply:
    """Apply a tool by its name and parameters to a file: `await apply("gif", path, duration=1)` gives the Done."""

    async def applied(
        name: str, source: Path, on: Workbench | None = None, report: Report | None = None, **params: object
    ) -> Done:
        tool = BY_NAME[name].parse(params)
        return await run(on or bench, tool, source, lambda suffix: results / f"result.{suffix}", report)

    return applied


class Frames(NamedTuple):
    """When each frame of a file is shown, and the brightness of its middle."""

    times: list[float]
    middle: list[int]

    @property
    def numbers(self) -> list[int]:
        """The numbers that the frames of a counted clip tell."""
        return [round((value - 16) / 2) for value in self.middle]


@pytest.fixture
def frames() -> Callable[[Path], Frames]:
    """Decodes every frame of a file."""

    def seen(path: Path) -> Frames:
        with av.open(str(path)) as container:
            found = [(float(frame.time or 0), _middle(frame)) for frame in container.decode(video=0)]
        return Frames([time for time, _ in found], [value for _, value in found])

    return seen


def _middle(frame: av.VideoFrame) -> int:
    plane = frame.planes[0]
    value: int = bytes(plane)[plane.line_size * (frame.height // 2) + frame.width // 2]
    return value


@pytest.fixture
def beep() -> Callable[[Path], float]:
    """When the first loud sample of a file is heard, in seconds."""

    def heard(path: Path) -> float:
        resampler = av.AudioResampler(format="s16", layout="mono")
        with av.open(str(path)) as container:
            for frame in container.decode(audio=0):
                for part in resampler.resample(frame):
                    samples = array.array("h", bytes(part.planes[0])[: part.samples * 2])
                    loud = next((index for index, value in enumerate(samples) if abs(value) > 3000), None)
                    if loud is not None:
                        return float(part.time or 0) + loud / part.sample_rate
        raise AssertionError("nothing is heard")

    return heard


@pytest.fixture
def left_over(results: Path) -> Callable[[], list[str]]:
    """The names in the results' folder."""
    return lambda: sorted(path.name for path in results.iterdir())
