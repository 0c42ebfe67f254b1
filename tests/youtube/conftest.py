"""A YouTube of our own on loopback: watch page, player script, player's API, and files for solved addresses only."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from aiohttp import web

from clipstead.media import ffmpeg
from clipstead.practice import tls
from clipstead.resolve.providers.base import Reply

VIDEO = "aBcDeFgHiJk"
LINK = f"https://www.youtube.com/watch?v={VIDEO}"
CDN = "rr1---sn-practice.googlevideo.com"
_HOSTS = ("www.youtube.com", "i.ytimg.com", CDN)
_PLAYER_SCRIPT = "/s/player/{version}/player_ias.vflset/en_US/base.js"
_SECONDS = 2
_SIGNATURE = "AJfQdSswRgIhALmPq0rXtUvWxYz0123456789aBcDeFgHiJkLmNoPqRsTuVwXyZ=="  # as the player's API hands it out
_BOARDS = "https://i.ytimg.com/sb/film/storyboard3_L$L/$N.jpg?sqp=x|48#27#100#10#10#0#default#rs$sigh"
_PACE = "ZdZIqFPQK-Ty8wId"
_FORMATS: dict[int, dict[str, Any]] = {
    18: {"mimeType": 'video/mp4; codecs="avc1.42001E, mp4a.40.2"', "width": 320, "height": 180, "qualityLabel": "180p"},
    136: {"mimeType": 'video/mp4; codecs="avc1.64001F"', "width": 1280, "height": 720, "qualityLabel": "720p"},
    140: {"mimeType": 'audio/mp4; codecs="mp4a.40.2"', "audioQuality": "AUDIO_QUALITY_MEDIUM"},
}
_MADE = {
    18: "-f lavfi -i testsrc2=s=320x180:r=25 -f lavfi -i sine -c:v libx264 -preset ultrafast -c:a aac",
    136: "-f lavfi -i testsrc2=s=1280x720:r=25 -c:v libx264 -preset ultrafast",
    140: "-f lavfi -i sine -c:a aac",
}


def signed(handed_out: str) -> str:
    """What player.js makes of a signature."""
    letters = list(handed_out[::-1])[3:]
    return "".join(_swapped(letters, 17))


def paced(handed_out: str) -> str:
    """What player.js makes of "n"."""
    return "ok-" + "".join(_swapped(list(handed_out), 5)[::-1])


def _swapped(letters: list[str], place: int) -> list[str]:
    place %= len(letters)
    letters[0], letters[place] = letters[place], letters[0]
    return letters


def _ad(seconds: int) -> dict[str, Any]:
    shown = {"instreamVideoAdRenderer": {"playerVars": "length_seconds=15", "skipOffsetMilliseconds": seconds * 1000}}
    before = {"adPlacementConfig": {"kind": "AD_PLACEMENT_KIND_START"}}
    return {"adPlacementRenderer": {"config": before, "renderer": shown}}


@dataclass
class YouTube:
    """The site: `given` are the files that went out, `refused` the requests for files whose challenges stood unsolved.

    `script` is the player's; with a `version` of its own no worker knows it yet. An advertisement of `ad` seconds
    stands before the film: so long after its player has asked, nothing is given.
    """

    folder: Path
    ca_file: Path
    script: bytes
    version: str = "0badcafe"
    ad: int = 0
    port: int = 0
    opens_at: float = 0.0
    asked: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def connect_to(self) -> tuple[str, ...]:
        """For CLIPSTEAD_CONNECT_TO."""
        return tuple(f"{host}:443:127.0.0.1:{self.port}" for host in _HOSTS)

    def opens(self, address: str) -> bool:
        """Whether a file is given for it."""
        query = dict(parse_qsl(urlsplit(address).query))
        solved = (query.get("sig"), query.get("n")) == (signed(_SIGNATURE), paced(_PACE))
        return solved and time.time() >= self.opens_at

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any request, whichever the host."""
        self.asked.append(request.path)
        if request.path == "/videoplayback":
            return self._file(request)
        if request.path == "/watch":
            return web.Response(text=self._page(), content_type="text/html")
        if request.path == _PLAYER_SCRIPT.format(version=self.version):
            return web.Response(body=self.script, content_type="text/javascript")
        if request.path == "/youtubei/v1/player":
            told = json.loads(await request.read())
            self.opens_at = time.time() + self.ad
            return web.json_response(self._playing(told["context"]["client"]["clientName"]))
        return web.Response(status=404)

    def _file(self, request: web.BaseRequest) -> web.StreamResponse:
        if not self.opens(request.path_qs):
            self.refused.append(request.path_qs)
            return web.Response(status=403)
        self.given.append(request.query["itag"])
        return web.FileResponse(self.folder / f"{request.query['itag']}.mp4")

    def _page(self) -> str:
        """As browsers get it: without addresses of files, which are told to the clients that ask the API."""
        settings = {
            "INNERTUBE_API_KEY": "key",
            "INNERTUBE_CONTEXT": {"client": {"clientName": "WEB", "clientVersion": "2.20260708.00.00"}},
            "PLAYER_JS_URL": _PLAYER_SCRIPT.format(version=self.version),
            "VISITOR_DATA": "visitor",
        }
        owner = {"videoOwnerRenderer": {"title": {"runs": [{"text": "A cook"}]}}}
        below = {"contents": [{"videoSecondaryInfoRenderer": {"owner": owner}}]}
        shown = {"contents": {"twoColumnWatchNextResults": {"results": {"results": below}}}}
        return (
            f"<html><head><title>A film</title></head><body><script>ytcfg.set({json.dumps(settings)});</script>"
            f"<script>var ytInitialPlayerResponse = {json.dumps(self._player([]))};</script>"
            f"<script>var ytInitialData = {json.dumps(shown)};</script></body></html>"
        )

    def _playing(self, client: str) -> dict[str, Any]:
        """Televisions are given files, for a script to solve; nobody else is."""
        return self._player([self._format(itag) for itag in _FORMATS] if client == "TVHTML5" else [])

    def _player(self, formats: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "playabilityStatus": {"status": "OK"},
            "videoDetails": {
                "videoId": VIDEO,
                "title": "A film",
                "lengthSeconds": str(_SECONDS),
                "channelId": "UC0123456789012345678901",
                "shortDescription": "What there is to see",
                "author": "A cook",
                "viewCount": "7",
                "isLiveContent": False,
            },
            "microformat": {
                "playerMicroformatRenderer": {
                    "ownerProfileUrl": "http://www.youtube.com/@cook",
                    "publishDate": "2026-10-01T00:00:00Z",
                }
            },
            "adPlacements": [_ad(self.ad)] if self.ad else [],
            "storyboards": {"playerStoryboardSpecRenderer": {"spec": _BOARDS}},
            "streamingData": {"expiresInSeconds": "21540", "adaptiveFormats": formats},
        }

    def _format(self, itag: int) -> dict[str, Any]:
        address = f"https://{CDN}/videoplayback?" + urlencode({"itag": itag, "n": _PACE, "expire": 4102444800})
        return {
            "itag": itag,
            "bitrate": 100_000 + itag,
            "contentLength": str((self.folder / f"{itag}.mp4").stat().st_size),
            "approxDurationMs": str(_SECONDS * 1000),
            "signatureCipher": urlencode({"s": _SIGNATURE, "sp": "sig", "url": address}),
            **_FORMATS[itag],
        }


class NoNet:
    """A network that nobody may use."""

    async def page(self, url: str, **options: object) -> Reply:
        raise AssertionError(f"a packet for {url}")


@pytest.fixture
def no_net() -> NoNet:
    return NoNet()


@pytest.fixture(scope="session")
def _files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for itag, arguments in _MADE.items():
        command = [ffmpeg.find().path, "-v", "error", *arguments.split(), "-t", str(_SECONDS), f"{itag}.mp4"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, cwd=folder)
    return folder


@pytest.fixture
async def youtube(_files: Path, tmp_path: Path) -> AsyncIterator[YouTube]:
    """Up, on a port of its own."""
    ca_file, context = tls.authority(tmp_path, _HOSTS)
    site = YouTube(_files, ca_file, Path(__file__).with_name("player.js").read_bytes())
    runner = web.ServerRunner(web.Server(site.answer, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    site.port = runner.addresses[0][1]
    yield site
    await runner.cleanup()
