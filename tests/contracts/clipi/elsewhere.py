"""Another platform: pages that yt-dlp's generic extractor reads, and the films and streams they name, made here."""

from __future__ import annotations

import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from clipstead.media import ffmpeg
from clipstead.practice import tls

ELSEWHERE = "www.newgrounds.com"  # a platform we know, with paths that no extractor of its own takes
_FILM = """<!DOCTYPE html><html><head><title>{title}</title><meta property="og:title" content="{title}"></head>
<body><video poster="/files/cover.jpg" title="{title}">{sources}</video></body></html>"""
PAGES = {
    "apart": _FILM.format(
        title="Picture and sound apart", sources='<source src="/files/apart.mpd" type="application/dash+xml">'
    ),
    "whole": _FILM.format(title="All in one", sources='<source src="/files/whole.mp4" type="video/mp4">'),
}
_TYPES = {"mpd": "application/dash+xml", "m3u8": "application/x-mpegurl"}
_MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=320x180,CODECS="avc1.64000d,mp4a.40.2",FRAME-RATE=25
ts.m3u8
"""
_RENDITIONS = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,AUTOSELECT=YES,URI="fsound.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=640x360,CODECS="avc1.64001e,mp4a.40.2",AUDIO="a"
fpicture.m3u8
"""
_MPD = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
 mediaPresentationDuration="PT4S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period duration="PT4S">
<AdaptationSet contentType="video" mimeType="video/mp4">
<Representation id="v360" bandwidth="400000" codecs="avc1.64001e" width="640" height="360" frameRate="25">
<BaseURL>v360.mp4</BaseURL></Representation>
<Representation id="v180" bandwidth="150000" codecs="avc1.64000d" width="320" height="180" frameRate="25">
<BaseURL>v180.mp4</BaseURL></Representation></AdaptationSet>
<AdaptationSet contentType="audio" mimeType="audio/mp4">
<Representation id="a96" bandwidth="96000" codecs="mp4a.40.2" audioSamplingRate="44100">
<BaseURL>a96.m4a</BaseURL></Representation></AdaptationSet></Period></MPD>"""
_SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=4")


def _picture(size: str) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=4")


_X264, _AAC = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"), ("-c:a", "aac", "-b:a", "96k")
_HLS, _FMP4 = ("-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod"), ("-hls_segment_type", "fmp4")
_EACH_SECOND = ("-g", "25", "-keyint_min", "25", "-sc_threshold", "0")
_DASH = (
    "-i", "gop360.mp4", "-i", "gop180.mp4", "-i", "a96.m4a", "-map", "0", "-map", "1", "-map", "2", "-c", "copy",
    "-f", "dash", "-seg_duration", "1",
)  # fmt: skip


def _named(name: str, each: str) -> tuple[str, ...]:
    return ("-init_seg_name", f"{name}-$RepresentationID$.init", "-media_seg_name", f"{name}-$RepresentationID$-{each}")


MADE = {
    "whole.mp4": (*_picture("320x180"), *_SOUND, *_X264, *_AAC, "-shortest"),
    "v360.mp4": (*_picture("640x360"), *_X264),
    "gop360.mp4": (*_picture("640x360"), *_X264, *_EACH_SECOND),
    "gop180.mp4": (*_picture("320x180"), *_X264, *_EACH_SECOND),
    "v180.mp4": (*_picture("320x180"), *_X264),
    "a96.m4a": (*_SOUND, *_AAC),
    "sound.mp3": (*_SOUND, "-c:a", "libmp3lame"),
    "picture.png": (*_picture("640x360"), "-frames:v", "1"),
    "ts.m3u8": ("-i", "whole.mp4", "-c", "copy", *_HLS, "-hls_segment_filename", "ts%d.ts"),
    "locked.m3u8": (
        "-i", "whole.mp4", "-c", "copy", *_HLS, "-hls_segment_filename", "locked%d.ts", "-hls_key_info_file", "key.txt",
    ),
    "fpicture.m3u8": (
        "-i", "gop360.mp4", "-c", "copy", *_HLS, *_FMP4, "-hls_fmp4_init_filename", "fpicture.init",
        "-hls_segment_filename", "fpicture%d.m4s",
    ),
    "fsound.m3u8": (
        "-i", "a96.m4a", "-c", "copy", *_HLS, *_FMP4, "-hls_fmp4_init_filename", "fsound.init", "-hls_flags",
        "single_file", "-hls_segment_filename", "fsound.m4s",
    ),
    "opus.webm": (*_SOUND, "-c:a", "libopus", "-f", "webm"),
    "vp9.webm": (*_picture("320x180"), "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "25"),
    "number.mpd": (*_DASH, "-use_timeline", "0", *_named("number", "$Number%03d$.m4s")),
    "time.mpd": (*_DASH, "-use_timeline", "1", *_named("time", "$Time$.m4s")),
    "list.mpd": (*_DASH, "-use_template", "0", "-use_timeline", "0", *_named("list", "$Number$.m4s")),
    "ranges.mpd": (
        *_DASH, "-use_template", "0", "-use_timeline", "0", "-single_file", "1",
        "-single_file_name", "ranges-$RepresentationID$.mp4",
    ),
    "webm.mpd": (
        "-i", "vp9.webm", "-i", "opus.webm", "-map", "0", "-map", "1", "-c", "copy", "-f", "dash", "-seg_duration", "1",
        "-dash_segment_type", "webm", *_named("webm", "$Number$.webm"),
    ),
    "both.mp4": ("-i", "gop360.mp4", "-i", "a96.m4a", "-c", "copy"),
    "bytes.m3u8": ("-i", "both.mp4", "-c", "copy", *_HLS, "-hls_flags", "single_file"),
    "fboth.m3u8": (
        "-i", "both.mp4", "-c", "copy", *_HLS, *_FMP4, "-hls_fmp4_init_filename", "fboth.init",
        "-hls_segment_filename", "fboth%d.m4s",
    ),
    "packed%d.aac": (
        "-i", "a96.m4a", "-c", "copy", "-f", "segment", "-segment_time", "1", "-segment_list", "packed.m3u8",
    ),
    **{
        f"{name}{ending}": ("-i", "both.mp4", *half, "-c", "copy", *how)
        for name, half in (("one", ("-t", "2")), ("two", ("-ss", "2")))
        for ending, how in (
            (".m3u8", (*_HLS, "-hls_segment_filename", f"{name}%d.ts")),
            ("f.m3u8", (
                *_HLS, *_FMP4, "-hls_fmp4_init_filename", f"{name}f.init", "-hls_segment_filename", f"{name}f%d.m4s",
            )),
            (".mpd", ("-f", "dash", "-seg_duration", "1", "-use_timeline", "0", *_named(name, "$Number$.m4s"))),
        )
    },
    "cover.jpg": (*_picture("320x180"), "-frames:v", "1", "-update", "1"),
}  # fmt: skip


def make_media(folder: Path) -> None:
    """All the files that there are elsewhere, and those that tests upload."""
    (folder / "apart.mpd").write_text(_MPD)
    (folder / "stream.m3u8").write_text(_MASTER)
    (folder / "renditions.m3u8").write_text(_RENDITIONS)
    (folder / "key").write_bytes(bytes(range(16)))
    (folder / "key.txt").write_text(f"key\n{folder / 'key'}\n")
    program = ffmpeg.find().path
    for name, arguments in MADE.items():
        subprocess.run([program, "-v", "error", *arguments, name], check=True, stdin=subprocess.DEVNULL, cwd=folder)
    for early in folder.glob("time-2--*"):  # the sound's first piece, which stands as 0 in the list
        early.rename(folder / "time-2-0.m4s")
    _make_lists(folder)
    ended = (folder / "ts.m3u8").read_text()
    (folder / "live.m3u8").write_text(ended.replace("#EXT-X-ENDLIST", "").replace("#EXT-X-PLAYLIST-TYPE:VOD", ""))


def _make_lists(folder: Path) -> None:
    """Those that no encoder writes: streams in two parts that each begin at nought, sound with tags before it."""
    for ending in ("", "f"):
        one, two = ((folder / f"{name}{ending}.m3u8").read_text() for name in ("one", "two"))
        before, _, _ = one.partition("#EXT-X-ENDLIST")
        after = two[two.index("#EXT-X-MAP" if ending else "#EXTINF") :]
        (folder / f"breaks{ending}.m3u8").write_text(f"{before}#EXT-X-DISCONTINUITY\n{after}")
    one, two = ((folder / f"{name}.mpd").read_text() for name in ("one", "two"))
    part = two[two.index("<Period") : two.index("</Period>")].replace("number", "two")
    alike = re.sub(r'bandwidth="\d+"', 'bandwidth="500000"', one.replace("</Period>", "</Period>" + part + "</Period>"))
    alike = alike.replace("PT2.0S", "PT4.0S")
    (folder / "periods.mpd").write_text(alike.replace("<Period ", '<Period duration="PT2S" '))
    other = alike.replace("two-$RepresentationID$", "number-1")
    (folder / "differ.mpd").write_text(other.replace("<Period ", '<Period duration="PT2S" '))
    for packed in folder.glob("packed*.aac"):
        packed.write_bytes(b"ID3\x04\0\0\0\0\0\x12PRIV" + bytes(14) + packed.read_bytes())
    (folder / "tagged.m3u8").write_text(_RENDITIONS.replace("fsound", "packed"))
    (folder / "nested.m3u8").write_text(_MASTER.replace("ts.m3u8", "v/../w/fboth.m3u8").replace("320x180", "640x360"))


@asynccontextmanager
async def elsewhere(house: Any) -> AsyncIterator[int]:
    """The platform served, from `house.media`; gives its port. A page /films/X shows X.mpd or X.m3u8 of the folder."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        if request.path.startswith("/films/"):
            page = PAGES.get(name) or _page(house.media, name)
            return web.Response(body=page.encode(), content_type="text/html") if page else _no_page()
        house.asked.append(name)
        if house.faults.get(name):
            return web.Response(status=house.faults[name].pop(0), headers={"Location": f"/moved/{name}"})
        return web.FileResponse(house.media / name) if (house.media / name).is_file() else _no_page()

    _, context = tls.authority(house.folder / "ca", (ELSEWHERE,))
    runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def _page(media: Path, name: str) -> str:
    ending = next((ending for ending in _TYPES if (media / f"{name}.{ending}").is_file()), "")
    source = f'<source src="/files/{name}.{ending}" type="{_TYPES.get(ending)}">'
    return _FILM.format(title=name, sources=source) if ending else ""


def _no_page() -> web.Response:
    return web.Response(status=404, text="nothing here")
