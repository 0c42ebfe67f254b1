"""`clipstead doctor`: every line says what is, what is wrong is told with what to do, and no secret is in any."""

import email.utils
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from clipstead.cli import doctor, doctor_here
from clipstead.cli.exits import Exit
from clipstead.settings import load

NAMES = [
    "python",
    "settings",
    "data folder",
    "disk",
    "ffmpeg",
    "sandbox",
    "youtube",
    "database",
    "store",
    "provider tikwm",
    "clock",
]
Examine = Callable[..., tuple[Exit, dict[str, dict[str, str]], str]]


class Site(BaseHTTPRequestHandler):
    """A provider's front page, whose clock is `ahead` seconds ahead."""

    ahead = 0.0

    def do_GET(self) -> None:
        """Redirects are answers too."""
        self.send_response(302)
        self.send_header("Location", "https://elsewhere.example/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """What it thinks the time is."""
        return email.utils.formatdate(time.time() + self.ahead, usegmt=True)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The one provider there is, on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    monkeypatch.setenv("CLIPSTEAD_PROVIDERS", "tikwm,ytdlp")
    monkeypatch.setenv("CLIPSTEAD_TIKWM_URL", "http://tikwm.test")
    monkeypatch.setenv("CLIPSTEAD_CONNECT_TO", f"tikwm.test:80:127.0.0.1:{server.server_port}")
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def examine(
    site: int, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Examine:
    """Runs the doctor on a healthy house, changed by `settings`: exit code, findings by name, all that was printed."""
    monkeypatch.setenv("CLIPSTEAD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CLIPSTEAD_DATABASE_URL", database_url)

    def examine(**settings: str) -> tuple[Exit, dict[str, dict[str, str]], str]:
        for name, value in settings.items():
            monkeypatch.setenv(f"CLIPSTEAD_{name}", value)
        code = doctor.run(as_json=True)
        printed = capsys.readouterr().out
        told: dict[str, Any] = json.loads(printed)
        assert told["ok"] == (code is Exit.DONE)
        return code, {finding["name"]: finding for finding in told["findings"]}, printed

    return examine


def test_a_healthy_house(examine: Examine) -> None:
    """Every part is looked at; what works is found, with versions and places; who could be asked is reached."""
    code, findings, printed = examine(SECRET="a-secret-of-the-house", OPEN="1")
    assert code is Exit.DONE
    assert list(findings) == NAMES
    states = {
        name: finding["state"] for name, finding in findings.items() if name not in ("youtube", "sandbox", "disk")
    }
    assert set(states.values()) == {"ok"}, findings
    assert "libx264" in findings["ffmpeg"]["found"]
    assert "PostgreSQL" in findings["database"]["found"]
    assert "http://tikwm.test answers with 302" in findings["provider tikwm"]["found"]
    assert findings["clock"]["found"] == "agrees with database, provider tikwm"
    assert "CLIPSTEAD_SECRET=***" in findings["settings"]["found"]
    assert "CLIPSTEAD_DATABASE_URL=***" in findings["settings"]["found"]
    assert "a-secret" not in printed


def test_for_people_it_is_a_line_each(examine: Examine, capsys: pytest.CaptureFixture[str]) -> None:
    """State, name, what was found, and behind an arrow what to do."""
    doctor.run(as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(NAMES)
    assert all(line.split()[0] in ("ok", "warning", "fault") for line in lines)
    (database,) = [line for line in lines if "  database  " in line]
    assert database.startswith("warning")
    assert database.endswith("0 keys  -> make a key: clipstead keys create --admin")


@pytest.mark.parametrize(("ahead", "words"), [(3600.0, "3600 s behind"), (-90000.0, "90000 s ahead of")])
def test_a_wrong_clock_is_seen(examine: Examine, monkeypatch: pytest.MonkeyPatch, ahead: float, words: str) -> None:
    """By the Date that others answer with; one that is off is named."""
    monkeypatch.setattr(Site, "ahead", ahead)
    code, findings, _ = examine()
    assert code is Exit.DONE
    assert findings["clock"]["state"] == "warning"
    assert findings["clock"]["found"] == f"this machine is {words} provider tikwm"


def test_a_store_that_takes_nothing_is_a_fault(examine: Examine, tmp_path: Path) -> None:
    """Its URL may be wrong, or nobody be there; keys in it are not repeated."""
    (tmp_path / "file").write_text("")
    for url in (str(tmp_path / "file" / "below"), "s3://clips?endpoint=http://127.0.0.1:1", "ftp://me:geheim@x/y"):
        code, findings, _ = examine(ARCHIVE_STORE=url)
        assert code is Exit.CANNOT_WORK
        assert findings["store"]["state"] == "fault", url
        assert "CLIPSTEAD_ARCHIVE_STORE" in findings["store"]["advice"]
        assert "geheim" not in findings["store"]["found"]


def test_nobody_is_reached(examine: Examine) -> None:
    """That is a warning: the house stands, and the rest of the findings are there."""
    code, findings, _ = examine(CONNECT_TO="tikwm.test:80:127.0.0.1:1")
    assert code is Exit.DONE
    assert list(findings) == NAMES
    assert findings["provider tikwm"]["state"] == "warning"
    assert "CLIPSTEAD_PROXY" in findings["provider tikwm"]["advice"]


def test_no_database_is_a_fault(examine: Examine) -> None:
    """Exit code 3, in words, without the password."""
    code, findings, printed = examine(DATABASE_URL="postgresql://u:geheim@127.0.0.1:1/x", PROXY="")
    assert code is Exit.CANNOT_WORK
    assert findings["database"]["state"] == "fault"
    assert "cannot reach the database at 127.0.0.1" in findings["database"]["found"]
    assert "geheim" not in printed


def test_a_wrong_setting_is_a_fault_and_a_misspelt_one_a_warning(examine: Examine) -> None:
    _, findings, _ = examine(PRTO="1")
    assert findings["settings"]["state"] == "warning"
    assert findings["settings"]["advice"].startswith("CLIPSTEAD_PRTO: no such setting")
    code, findings, _ = examine(PORT="many")
    assert code is Exit.CANNOT_WORK
    assert list(findings) == ["python", "settings"]
    assert findings["settings"]["found"].startswith("CLIPSTEAD_PORT: ")


def test_a_folder_that_cannot_be_written_is_a_fault(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, findings, _ = examine(DATA_DIR=str(tmp_path / "file" / "data"))
    assert code is Exit.CANNOT_WORK
    assert findings["data folder"]["state"] == "fault"
    assert "CLIPSTEAD_DATA_DIR" in findings["data folder"]["advice"]
    assert findings["disk"]["state"] == "ok" or "free of" in findings["disk"]["found"]


def program(folder: Path, name: str, says: str) -> None:
    """A program that says something and does nothing else."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)


def test_an_ffmpeg_that_is_too_old_is_passed_over_or_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's gives way to the wheel's; one that was set is used all the same, with a warning; none is a fault."""
    program(tmp_path / "bin", "ffmpeg", "ffmpeg version 5.1.6 Copyright")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}")
    finding = doctor_here.which_ffmpeg(load())
    assert finding.state == "ok"
    assert "the wheel's" in finding.found
    assert "is passed over: too old (5.1.6)" in finding.found
    finding = doctor_here.which_ffmpeg(load(ffmpeg=str(tmp_path / "bin" / "ffmpeg")))
    assert (finding.state, "lacks" in finding.advice) == ("warning", True)
    finding = doctor_here.which_ffmpeg(load(ffmpeg="/nowhere/ffmpeg"))
    assert finding.state == "fault"
