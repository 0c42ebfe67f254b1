"""Requests and answers as Clipi's document writes them. Each is marked with where it comes from:

[seed] the published document · [inf] contracts.md's reasoned filling · [decision n] the house's decisions.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import requests

from clipstead.tools import TOOLS

_NUMBER = re.compile(r"[0-9]{19}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# [seed] the table "media tools", with values inside its ranges
CALLS: dict[str, tuple[str, dict[str, str], str]] = {
    "convert": ("whole.mp4", {"outputFormat": "mkv"}, "video/x-matroska"),
    "compress": ("whole.mp4", {"quality": "low"}, "video/mp4"),
    "extract-audio": ("whole.mp4", {"audioFormat": "m4a"}, "audio/mp4"),
    "gif": ("whole.mp4", {"startTime": "1", "duration": "0.5", "width": "120", "fps": "5"}, "image/gif"),
    "thumbnail": (
        "whole.mp4",
        {"timestamp": "1.5", "width": "100", "height": "60", "format": "webp"}
        | {"cropX": "10", "cropY": "10", "cropW": "100", "cropH": "60"},
        "image/webp",
    ),
    "trim-video": ("whole.mp4", {"startTime": "1", "endTime": "2.5"}, "video/mp4"),
    "resize-video": ("whole.mp4", {"width": "160", "height": "90"}, "video/mp4"),
    "rotate-video": ("whole.mp4", {"rotation": "90"}, "video/mp4"),
    "remove-audio": ("whole.mp4", {}, "video/mp4"),
    "video-speed": ("whole.mp4", {"speed": "2"}, "video/mp4"),
    "audio-converter": ("sound.mp3", {"outputFormat": "wav"}, "audio/wav"),
    "trim-audio": ("sound.mp3", {"startTime": "0.5", "endTime": "1.5"}, "audio/mpeg"),
    "image-converter": ("picture.png", {"outputFormat": "jpg"}, "image/jpeg"),
    "resize-image": ("picture.png", {"width": "100", "height": "50"}, "image/png"),
    "compress-image": ("picture.png", {"quality": "60"}, "image/png"),
}


def test_the_tools_are_the_fifteen_of_the_document() -> None:
    """[seed] "15 tools": each has its path, and nothing else is one."""
    assert [tool.name for tool in TOOLS] == list(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_tool_from_upload_to_file(house: Any, name: str) -> None:
    """[seed] upload -> ids -> events -> file with the right type and name."""
    file, params, mime = CALLS[name]
    with (house.media / file).open("rb") as opened:
        answer = house.post(f"/tools/{name}", files={"file": opened}, data=params)
    assert answer.status_code == 200, answer.text
    ids = answer.json()
    assert ids.keys() == {"success", "jobId", "toolJobId"}  # [seed]
    assert ids["success"] is True
    assert _NUMBER.fullmatch(ids["jobId"])  # [inf] decimal like BullMQ's, but not to be guessed
    assert _UUID.fullmatch(ids["toolJobId"])  # [seed] "Tool job UUID"
    _check_events(house.watch(f"/tools/jobs/{ids['jobId']}"), ids)
    result = requests.get(f"{house.base}/tools/download/{ids['toolJobId']}", timeout=30)  # [inf] no key on GETs
    assert result.headers["content-type"] == mime
    ext = {"image/jpeg": "jpg", "audio/mpeg": "mp3", "audio/mp4": "m4a", "video/x-matroska": "mkv"}.get(
        mime, mime.partition("/")[2]
    )
    assert result.headers["content-disposition"] == f'attachment; filename="result.{ext}"'  # [seed]
    preview = requests.get(f"{house.base}/tools/download/{ids['toolJobId']}?preview=1", timeout=30)
    assert preview.headers["content-disposition"] == f'inline; filename="result.{ext}"'  # [seed]
    assert preview.content == result.content


def _check_events(events: list[dict[str, Any]], ids: dict[str, str]) -> None:
    """[seed] pending with its place in the queue, processing, completed; these keys and no others."""
    for event in events:
        assert event["jobId"] == ids["jobId"]
        allowed = {
            "pending": {"jobId", "status", "percent", "queuePosition", "queueTotal"},
            "processing": {"jobId", "status", "percent"},
            "completed": {"jobId", "status", "percent", "downloadUrl"},
        }[event["status"]]
        assert event.keys() <= allowed
        assert isinstance(event["percent"], int)
    assert events[-1] == {
        "jobId": ids["jobId"],
        "status": "completed",
        "percent": 100,
        "downloadUrl": f"/api/tools/download/{ids['toolJobId']}",
    }


def test_video_info(house: Any) -> None:
    """[seed] every key of the sample, and no other."""
    post = house.world.post("video", 4)
    answer = house.post("/video/info", json={"url": post.url})
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body.keys() == {"success", "data"}
    data = body["data"]
    assert list(data) == ["url", "title", "thumbnail", "duration", "platform", "uploader", "formats"]
    assert data["url"] == post.url  # [seed] as it was asked
    assert data["platform"] == "tiktok"  # [seed] lower case
    assert isinstance(data["duration"], int)
    assert requests.get(data["thumbnail"], timeout=30).headers["content-type"] == "image/jpeg"
    first = data["formats"][0]
    assert list(first) == ["id", "ext", "quality", "resolution", "filesize", "fps", "label"]
    assert (first["ext"], first["quality"], first["resolution"]) == ("mp4", "1080p", "1080x1920")
    assert first["label"] == "1080p (mp4)"  # [seed]
    assert isinstance(first["filesize"], int)  # [inf] a number or null


def test_video_download(house: Any) -> None:
    """[seed] the whole request of the document, its answer, its events, its file."""
    post = house.world.post("video", 5)
    body = {
        "url": post.url,
        "formatId": "sd",
        "format": "mp4",
        "quality": "1080p",
        "trimStart": 0,
        "trimEnd": 60,
        "noWatermark": True,
    }
    ids = house.post("/video/download", json=body).json()
    assert ids.keys() == {"success", "jobId", "downloadId"}
    assert _NUMBER.fullmatch(ids["jobId"])
    assert _UUID.fullmatch(ids["downloadId"])
    events = house.watch(f"/jobs/{ids['jobId']}")
    for event in events[:-1]:
        assert event.keys() <= {"jobId", "status", "percent", "speed", "eta"}
        assert event["status"] in ("pending", "processing")
    assert events[-1] == {
        "jobId": ids["jobId"],
        "status": "completed",
        "percent": 100,
        "downloadUrl": f"/api/download/{ids['downloadId']}",
    }
    file = requests.get(f"{house.base}/download/{ids['downloadId']}", timeout=30)
    assert file.headers["content-type"] == "video/mp4"  # [seed]
    assert re.fullmatch(r'attachment; filename="[^"]+\.mp4"(; filename\*=.*)?', file.headers["content-disposition"])


def test_the_stream_is_one_that_proxies_pass_on(house: Any) -> None:
    """[inf] event-stream, uncached, unbuffered; unnamed events of one `data:` line."""
    post = house.world.post("video", 6)
    ids = house.post("/video/download", json={"url": post.url}).json()
    answer = requests.get(f"{house.base}/jobs/{ids['jobId']}", timeout=30)
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"
    for block in answer.text.rstrip("\n").split("\n\n"):
        names = [line.partition(":")[0] for line in block.split("\n")]
        assert names in (["data", "id"], ["data", "id", "retry"])


# [seed] the table "errors"; texts [inf]
@pytest.mark.parametrize(
    ("key", "status", "error"),
    [
        (None, 401, "Missing API key"),
        ("clp_your_key", 401, "Invalid API key"),
        ("", 401, "Missing API key"),
    ],
)
@pytest.mark.parametrize("path", ["/video/info", "/video/download", "/tools/gif", "/jobs/1/retry"])
def test_posts_want_a_key(house: Any, path: str, key: str | None, status: int, error: str) -> None:
    """[seed] 401; and nothing of the body is looked at before."""
    answer = house.post(path, headers={} if key is None else {"X-Api-Key": key}, data=b"x")
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_limits_in_the_words_of_the_document(house: Any) -> None:
    """[seed] 429 with the limit in its text and `retryAfter`; [inf] the header says the same."""
    key = house.new_key(hourly=2, daily=500)
    for _ in range(2):
        assert house.post("/video/info", headers={"X-Api-Key": key}, json={}).status_code == 400
    answer = house.post("/video/info", headers={"X-Api-Key": key}, json={})
    assert answer.status_code == 429
    body = answer.json()
    assert body["error"] == "Hourly rate limit exceeded (2/hr)"
    assert body.keys() == {"error", "retryAfter"}
    assert 3500 < body["retryAfter"] <= 3600
    assert answer.headers["retry-after"] == str(body["retryAfter"])
    assert "ratelimit" in answer.headers


def test_admitted_answers_tell_what_is_left(house: Any) -> None:
    """RateLimit goes with good answers as with bad ones."""
    key = house.new_key(hourly=10, daily=500)
    url = house.world.post("video", 4).url
    answer = house.post("/video/info", headers={"X-Api-Key": key}, json={"url": url})
    assert answer.status_code == 200
    assert '"hourly";r=9' in answer.headers["ratelimit"]


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("GET", "/jobs/123", "Job not found"),
        ("GET", "/tools/jobs/123", "Job not found"),
        ("GET", "/download/def-456", "File not found or expired"),
        ("GET", "/tools/download/uuid-456", "File not found or expired"),
        ("GET", "/tools/receipt/uuid-456", "Receipt not found or expired"),
    ],
)
def test_what_is_not_there_is_404(house: Any, method: str, path: str, error: str) -> None:
    """[seed] 404; [decision 26] expired or unknown, both."""
    answer = requests.request(method, f"{house.base}{path}", timeout=30)
    assert (answer.status_code, answer.json()) == (404, {"error": error})


@pytest.mark.parametrize("path", ["/nothing", "/tools/nothing", "/v1/x"])
def test_unknown_paths_speak_clipi_and_say_message_too(house: Any, path: str) -> None:
    """[decision 10] below /api the error is Clipi's, plus `message`."""
    answer = requests.get(f"{house.base}{path}", timeout=30)
    assert answer.status_code == 404
    assert answer.json() == {"error": "Not found", "message": "Not found"}


def test_another_method_is_405(house: Any) -> None:
    """With what the path does take."""
    answer = requests.get(f"{house.base}/video/info", timeout=30)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "OPTIONS, POST"
    assert answer.json() == {"error": "Method not allowed"}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("private", "The post is private"),
        ("removed", "The post was removed or is under review"),
        ("missing", "There is no such post"),
    ],
)
def test_unavailable_videos_are_422_with_their_reason(house: Any, fault: str, error: str) -> None:
    """[seed] 422 unavailable, private; the download says the same as its last event."""
    post = house.world.post("video", 8 + ("private", "removed", "missing").index(fault))
    house.world.fault(post.id, fault)
    answer = house.post("/video/info", json={"url": post.url})
    assert (answer.status_code, answer.json()) == (422, {"error": error})
    ids = house.post("/video/download", json={"url": post.url}).json()
    last = house.watch(f"/jobs/{ids['jobId']}")[-1]
    assert last == {"jobId": ids["jobId"], "status": "failed", "percent": 0, "error": error}  # [inf]
    file = requests.get(f"{house.base}/download/{ids['downloadId']}", timeout=30)
    assert (file.status_code, file.json()) == (404, {"error": "File not found or expired"})


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://example.com/watch?v=1", 422),
        ("https://www.tiktok.com/@someone", 422),
        ("https://www.tiktok.com/live", 422),
        ("no link at all", 400),
        ("file:///etc/hostname", 400),
        ("http://169.254.169.254/", 400),
        ("", 400),
        (7, 400),
        (None, 400),
        (["https://www.tiktok.com/@a/video/7542123392531439343"], 400),
    ],
)
@pytest.mark.parametrize("path", ["/video/info", "/video/download"])
def test_links_that_are_none_of_ours(house: Any, path: str, url: Any, status: int) -> None:
    """[seed] 422 for what is not supported, 400 for what is no link; at once, as one `error`."""
    answer = house.post(path, json={"url": url})
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]


def test_receipts_say_what_was_done(house: Any) -> None:
    """Hashes of both files, the exact command, the program; no path of this machine, no key."""
    _, file = house.tool("trim-video", "whole.mp4", startTime=0.5, endTime=1.5)
    token = Path(file.url).name
    answer = requests.get(f"{house.base}/tools/receipt/{token}", timeout=30)
    data = answer.json()["data"]
    assert data["toolJobId"] == token
    assert (data["tool"], data["params"]) == ("trim-video", {"startTime": 0.5, "endTime": 1.5})
    assert data["outputSha256"][:40] in file.headers["etag"]
    assert data["outputBytes"] == len(file.content)
    assert data["commands"][0][0] == "ffmpeg"
    assert data["program"].startswith("ffmpeg ")
    assert str(house.folder) not in answer.text
    assert "clp_" not in answer.text
