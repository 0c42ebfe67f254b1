"""Everything that should not come in: answered in the contract's words, at once, with nothing left on the disk."""

from __future__ import annotations

import json
import os
import random
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from clipstead.tools import BY_NAME

_BOUNDARY = "xxBOUNDARYxx"


@pytest.fixture(autouse=True)
def _nothing_left(house: Any) -> Iterator[None]:
    """No file of the workspace is more after the test than before it."""
    before = house.files()
    yield
    for _ in range(100):
        if house.files() <= before:
            return
        time.sleep(0.02)
    assert house.files() <= before


def _form(*parts: tuple[str, bytes], end: bool = True) -> bytes:
    """A body of parts, each with its header lines as they stand."""
    body = b"".join(b"--%s\r\n%s\r\n\r\n%s\r\n" % (_BOUNDARY.encode(), head.encode(), data) for head, data in parts)
    return body + (b"--%s--\r\n" % _BOUNDARY.encode() if end else b"")


def _file(data: bytes, name: str = "file", filename: str = "a.mp4") -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: video/mp4', data


def _text(name: str, data: bytes) -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"', data


def _post(house: Any, body: bytes | Iterator[bytes], tool: str = "remove-audio", **headers: str) -> requests.Response:
    kind = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    answer: requests.Response = house.post(f"/tools/{tool}", data=body, headers=house.headers | kind | headers)
    return answer


def _said(answer: requests.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    text: str = answer.json()["error"]
    return text


def test_no_file(house: Any) -> None:
    """A form without the field."""
    assert _said(_post(house, _form(_text("outputFormat", b"mp4"))), 400) == "file must be given"
    assert _said(_post(house, _form(_file(b"abc", name="upload"))), 400) == "file must be given"
    assert _said(_post(house, b"--%s--\r\n" % _BOUNDARY.encode()), 400) == "file must be given"


def test_a_file_that_is_only_text(house: Any) -> None:
    """`-F file=hello` instead of `-F file=@hello`."""
    assert _said(_post(house, _form(_text("file", b"hello"))), 400) == "file must be an uploaded file"


def test_two_files(house: Any) -> None:
    """The field twice."""
    assert _said(_post(house, _form(_file(b"abc"), _file(b"def"))), 400) == "file must be given once"


def test_an_empty_file(house: Any) -> None:
    """0 bytes."""
    assert _said(_post(house, _form(_file(b""))), 400) == "file must not be empty"


@pytest.mark.parametrize(
    "kind",
    ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=x"],
)
def test_another_content_type(house: Any, kind: str) -> None:
    """Only multipart/form-data with its boundary."""
    answer = _post(house, _form(_file(b"abc")), **{"Content-Type": kind})
    assert _said(answer, 400) == "Content-Type must be multipart/form-data"


def test_twenty_thousand_headers_of_a_part(house: Any) -> None:
    """Refused at the ninth."""
    head = "\r\n".join([_file(b"")[0], *(f"X-{n}: {n}" for n in range(20_000))])
    assert "too many parts or headers" in _said(_post(house, _form((head, b"abc"))), 400)


def test_twenty_thousand_parts(house: Any) -> None:
    """Refused at the sixty-fifth."""
    body = _form(*(_text(f"f{n}", b"x") for n in range(20_000)))
    assert "too many parts or headers" in _said(_post(house, body), 400)


def test_fields_are_bounded(house: Any) -> None:
    """A text field of 5,000 bytes, a header line of 5,000, text that is no UTF-8."""
    assert "at most 4096" in _said(_post(house, _form(_text("a", b"x" * 5000), _file(b"abc"))), 400)
    assert "too many parts" in _said(_post(house, _form(_text("a" * 5000, b"x"))), 400)
    assert "UTF-8" in _said(_post(house, _form(_text("a", b"\xff"), _file(b"abc"))), 400)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing of a form",
        _form(_file(b"abc"), end=False),
        _form(_file(b"abc"))[:-6],
        _form(("Content-Type: video/mp4", b"no name")),
        _form(("Content-Disposition: attachment; name=file", b"abc")),
        _form(("no colon", b"abc")),
        _form(_file(b"abc")).replace(b"\r\n", b"\n"),
    ],
)
def test_malformed_bodies(house: Any, body: bytes) -> None:
    """Whatever is wrong with the form."""
    assert _said(_post(house, body), 400).startswith("Malformed multipart body")


def test_random_bodies(house: Any) -> None:
    """Pieces of forms in any order: a 400 or 422 with its reason, never a 500."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    dice = random.Random(seed)
    pieces = [
        b"--" + _BOUNDARY.encode(), b"\r\n", b"--", b"\r", b"\n", b": ", b"\x00", b"abc", b'filename="', b'name="file"',
        b"Content-Disposition: form-data; ", b"Content-Length: 3", b"Content-Type: ", os.urandom(20),
    ]  # fmt: skip
    for _ in range(60):
        body = b"".join(dice.choices(pieces, k=dice.randrange(1, 40)))
        assert _post(house, body).status_code in (400, 422)


def test_oversize_is_refused_before_it_is_sent(house: Any) -> None:
    """Told 5 GB, the server answers without a byte of it, and closes the connection."""
    with _socket(house) as peer:
        peer.sendall(_request(house, length=5 * 1024**3))
        answer = _read_all(peer)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in answer.lower()
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2]) == {"error": "File too large (at most 8 MB)"}


def test_oversize_reaches_a_client_that_goes_on_sending(house: Any) -> None:
    """requests sends its whole body first; it still gets to read the answer."""
    answer = _post(house, _form(_file(b"x" * (24 * 1024 * 1024))))
    assert _said(answer, 400) == "File too large (at most 8 MB)"


def test_oversize_without_a_length(house: Any) -> None:
    """In chunks, the first byte too many ends it."""
    whole = _form(_file(b"x" * (9 * 1024 * 1024)))
    pieces = (whole[at : at + 65536] for at in range(0, len(whole), 65536))
    assert _said(_post(house, pieces), 400) == "File too large (at most 8 MB)"


def test_curl_asks_before_it_sends(house: Any) -> None:
    """`Expect: 100-continue` gets the refusal, not the go-ahead."""
    with _socket(house) as peer:
        peer.sendall(_request(house, "Expect: 100-continue", length=5 * 1024**3))
        assert _read_all(peer).startswith(b"HTTP/1.1 400 ")


def test_without_a_key_nothing_is_read(house: Any) -> None:
    """The answer to a large upload without a key comes at once, and the connection ends."""
    with _socket(house) as peer:
        peer.sendall(_request(house, key="", length=7 * 1024**2))
        assert _read_all(peer).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("piece", [b"", b"--" + _BOUNDARY.encode() + b"\r\n", _form(_file(b"x" * 300_000), end=False)])
def test_who_leaves_in_the_middle_leaves_nothing(house: Any, piece: bytes) -> None:
    """The connection breaks off after some of the body."""
    with _socket(house) as peer:
        peer.sendall(_request(house, length=2_000_000) + piece)
        time.sleep(0.2)
    assert house.post("/video/info", json={}).status_code == 400  # still there


def test_a_full_disk_is_500_in_the_words_of_the_contract(house: Any) -> None:
    """[decision 26] before a byte is written."""
    room = house.workspace
    quota, room._quota = room._quota, 1000
    try:
        answer = _post(house, _form(_file(b"x" * 5000)))
    finally:
        room._quota = quota
    assert _said(answer, 500) == "Storage full"


_NOT_MEDIA = {
    "text named .mp4": b"just some words\n" * 50,
    "markup": b"<!DOCTYPE html><html><body>x</body></html>",
    "a playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "a list of files": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "noise": os.urandom(20_000),
    "one byte": b"x",
}


@pytest.mark.parametrize("what", _NOT_MEDIA)
@pytest.mark.parametrize("tool", ["remove-audio", "compress-image"])
def test_what_is_no_media_is_refused_at_once(house: Any, what: str, tool: str) -> None:
    """422 as answer to the upload itself: no job is made of it."""
    text = _said(_post(house, _form(_file(_NOT_MEDIA[what])), tool), 422)
    assert text.startswith(("Not a media file", "Not an image", "The file is damaged"))


def test_a_truncated_file_is_refused_at_once(house: Any) -> None:
    """Half of an mp4."""
    whole = (house.media / "whole.mp4").read_bytes()
    assert "damaged" in _said(_post(house, _form(_file(whole[: len(whole) // 2]))), 422)


@pytest.mark.parametrize(
    ("tool", "file", "error"),
    [
        ("remove-audio", "sound.mp3", "The file has no video"),
        ("extract-audio", "v180.mp4", "The file has no audio"),
        ("compress-image", "whole.mp4", "Not an image"),
    ],
)
def test_media_of_the_wrong_sort(house: Any, tool: str, file: str, error: str) -> None:
    """A sound where a video should be, and the like."""
    body = _form(_file((house.media / file).read_bytes()), _text("audioFormat", b"mp3"))
    assert _said(_post(house, body, tool), 422).startswith(error)


# [seed] ranges of the table; [inf] the wording
_WRONG = [
    ("convert", {}, "outputFormat must be one of mp4, webm, mkv, mp3, m4a, wav, ogg, flac"),
    ("convert", {"outputFormat": "exe"}, "outputFormat must be one of mp4, webm, mkv, mp3, m4a, wav, ogg, flac"),
    ("compress", {"quality": "best"}, "quality must be one of low, medium, high"),
    ("gif", {"duration": "16"}, "duration must be a number from 0.5 to 15"),
    ("gif", {"duration": "1", "width": "801"}, "width must be a whole number from 120 to 800"),
    ("gif", {"duration": "1", "fps": "4"}, "fps must be a whole number from 5 to 30"),
    ("thumbnail", {"cropX": "1"}, "cropY must be given together with the other crop parameters"),
    ("thumbnail", {"format": "svg"}, "format must be one of jpg, png, webp"),
    ("trim-video", {"startTime": "2", "endTime": "1"}, "endTime must be greater than startTime"),
    ("trim-video", {"startTime": "-1", "endTime": "1"}, "startTime must be a number of 0 or more"),
    ("trim-video", {"startTime": "nan", "endTime": "1"}, "startTime must be a number of 0 or more"),
    ("trim-video", {"startTime": "1"}, "endTime must be a number of 0 or more"),
    ("resize-video", {"width": "15", "height": "16"}, "width must be a whole number from 16 to 7680"),
    ("resize-video", {"width": "16.5", "height": "16"}, "width must be a whole number from 16 to 7680"),
    ("rotate-video", {"rotation": "45"}, "rotation must be one of 90, 180, 270"),
    ("video-speed", {"speed": "5"}, "speed must be a number from 0.25 to 4"),
    ("compress-image", {"quality": "0"}, "quality must be a whole number from 1 to 100"),
]


@pytest.mark.parametrize(("tool", "params", "error"), _WRONG)
def test_parameters_out_of_range(house: Any, tool: str, params: dict[str, str], error: str) -> None:
    """400 names the parameter and says what it must be."""
    fields = [_text(name, value.encode()) for name, value in params.items()]
    body = _form(_file((house.media / "whole.mp4").read_bytes()), *fields)
    assert error in _said(_post(house, body, tool), 400)


@pytest.mark.parametrize(
    ("tool", "params", "error"),
    [
        ("trim-video", {"startTime": "4", "endTime": "9"}, "startTime must be less than"),
        ("thumbnail", {"timestamp": "60"}, "timestamp must be less than"),
        (
            "thumbnail",
            {"cropX": "300", "cropY": "0", "cropW": "100", "cropH": "10"},
            "cropW must end inside the picture of 320x180",
        ),
    ],
)
def test_parameters_against_the_file(house: Any, tool: str, params: dict[str, str], error: str) -> None:
    """What only the file itself can tell is told at once, too."""
    fields = [_text(name, value.encode()) for name, value in params.items()]
    body = _form(_file((house.media / "whole.mp4").read_bytes()), *fields)
    assert error in _said(_post(house, body, tool), 400)


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (b"", "application/json", "Malformed JSON body"),
        (b"{", "application/json", "Malformed JSON body"),
        (b'{"url": "\xff"}', "application/json", "Malformed JSON body"),
        (b"[" * 5000 + b"]" * 5000, "application/json", "Malformed JSON body"),
        (b"[]", "application/json", "The body must be a JSON object"),
        (b'"text"', "application/json", "The body must be a JSON object"),
        (b"null", "application/json", "The body must be a JSON object"),
        (b"{}", "application/json", "url must be given as text"),
        (b'{"url":"x"}', "application/x-www-form-urlencoded", "Content-Type must be application/json"),
        (b'{"url":"x"}', "text/plain", "Content-Type must be application/json"),
        (b'{"url":"' + b"x" * 70_000 + b'"}', "application/json", "Request body too large"),
        (b'{"url":"' + b"x" * 10_000_000 + b'"}', "application/json", "Request body too large"),
    ],
)
@pytest.mark.parametrize("path", ["/video/info", "/video/download"])
def test_bodies_that_are_not_the_json_they_should_be(house: Any, path: str, body: bytes, kind: str, error: str) -> None:
    """400 says what is wrong."""
    answer = house.post(path, data=body, headers=house.headers | {"Content-Type": kind})
    assert _said(answer, 400) == error


@pytest.mark.parametrize("path", ["/video/info", "/video/download"])
def test_json_that_does_not_come_is_not_waited_for(house: Any, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds a connection open without telling the rest is told so, and let go."""
    monkeypatch.setattr("clipstead.server.small_body._SECONDS", 0.05)
    with _socket(house) as peer:
        peer.sendall(_request(house, path=path, kind="application/json", length=100) + b'{"url": ')
        assert peer.recv(65536).startswith(b"HTTP/1.1 400 ")


_LINK = "https://www.tiktok.com/@a/video/7542123392531439343"


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"format": "avi"}, "format must be one of mp4, webm, mkv, mp3, m4a, wav, ogg, flac"),
        ({"format": 4}, "format must be text"),
        ({"quality": "ultra"}, "quality must be like 1080p, or one of best, high, medium, low"),
        ({"quality": 1080}, "quality must be text"),
        ({"formatId": ["137"]}, "formatId must be text"),
        ({"trimStart": -1}, "trimStart must be a number of seconds, 0 or more"),
        ({"trimStart": "1"}, "trimStart must be a number of seconds, 0 or more"),
        ({"trimEnd": True}, "trimEnd must be a number of seconds, 0 or more"),
        ({"trimStart": 5, "trimEnd": 5}, "trimEnd must be greater than trimStart"),
        ({"trimEnd": 0}, "trimEnd must be greater than trimStart"),
        ({"noWatermark": "yes"}, "noWatermark must be true or false"),
        ({"format": "avi", "noWatermark": 1}, "format must be one of"),
    ],
)
def test_download_parameters(house: Any, wrong: dict[str, Any], error: str) -> None:
    """400 names each that is wrong."""
    text = _said(house.post("/video/download", json={"url": _LINK} | wrong), 400)
    assert text.startswith(error)
    assert all(name in text for name in wrong)


def test_an_unknown_format_is_refused_at_once(house: Any) -> None:
    """As long as the post is remembered."""
    url = house.world.post("video", 4).url
    assert house.post("/video/info", json={"url": url}).status_code == 200
    text = _said(house.post("/video/download", json={"url": url, "formatId": "137"}), 400)
    assert text == "formatId must be the id of one of the formats of this post"


def test_unknown_fields_and_nulls_are_passed_over(house: Any) -> None:
    """[decision 26] and null is as good as not given."""
    body = {"url": house.world.post("video", 4).url, "exec": "id", "formatId": None, "trimEnd": None, "x": {"y": []}}
    answer = house.post("/video/download", json=body)
    assert answer.status_code == 200
    house.watch(f"/jobs/{answer.json()['jobId']}")
    house.forget()  # what this test has made on purpose


def test_every_tool_refuses_an_empty_form(house: Any) -> None:
    """In its own words, none with a 500."""
    for name in BY_NAME:
        assert _said(_post(house, _form(_text("x", b"y")), name), 400) == "file must be given"


def _socket(house: Any) -> socket.socket:
    place = urlsplit(house.base)
    return socket.create_connection((place.hostname, place.port), timeout=10)


def _request(
    house: Any, *more: str, key: str | None = None, length: int, path: str = "/tools/remove-audio", kind: str = ""
) -> bytes:
    shown = house.key if key is None else key
    lines = [
        f"POST /api{path} HTTP/1.1",
        f"Host: {urlsplit(house.base).netloc}",
        f"Content-Type: {kind or f'multipart/form-data; boundary={_BOUNDARY}'}",
        f"Content-Length: {length}",
        *([f"X-Api-Key: {shown}"] if shown else []),
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _read_all(peer: socket.socket) -> bytes:
    """Until the other end closes."""
    found = b""
    while piece := peer.recv(65536):
        found += piece
    return found
