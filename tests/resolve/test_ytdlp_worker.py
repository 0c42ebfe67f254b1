"""What the worker tells yt-dlp, and what it lets out of its process; the worker itself runs in test_ytdlp.py."""

import pytest

from clipstead.resolve.ytdlp_worker import describe, guard_dial, options, slim

SETUP = {
    "proxy": "http://x:token@127.0.0.1:3128",
    "ca_file": "/ca.pem",
    "cookies_file": "",
    "generic": False,
    "runtimes": {},
}
PROXY = ("127.0.0.1", 3128)


def test_no_option_leads_to_a_file_a_program_or_another_extractor() -> None:
    told = options(SETUP, "en")
    assert told["proxy"] == SETUP["proxy"]
    assert told["allowed_extractors"] == ["default", "-generic"]
    assert told["cachedir"] is False and told["noplaylist"] and told["skip_download"]
    forbidden = (
        "exec",
        "netrc",
        "postprocessor",
        "downloader",
        "cookiefile",
        "cookiesfrombrowser",
        "outtmpl",
        "plugin",
    )
    assert not [name for name in told if any(word in name for word in forbidden)]


@pytest.mark.parametrize(
    ("event", "args"),
    [
        ("socket.connect", (None, ("10.0.0.1", 80))),
        ("socket.connect", (None, ("127.0.0.1", 22))),
        ("socket.connect", (None, ("::1", 3128, 0, 0))),
        ("socket.connect", (None, "/run/docker.sock")),
        ("socket.connect", (None, b"\0abstract")),
        ("socket.sendto", (None, ("8.8.8.8", 53))),
        ("socket.getaddrinfo", ("metadata.internal", 80, 0, 0, 0)),
        ("socket.gethostbyname", ("metadata.internal",)),
    ],
)
def test_an_extractor_that_dials_by_itself_is_stopped(event: str, args: tuple[object, ...]) -> None:
    with pytest.raises(PermissionError):
        guard_dial(event, args, PROXY)


def test_the_proxy_may_be_dialled_and_the_rest_of_python_goes_on() -> None:
    guard_dial("socket.connect", (None, PROXY), PROXY)
    guard_dial("socket.getaddrinfo", ("127.0.0.1", 3128, 0, 1, 0), PROXY)
    guard_dial("open", ("/etc/hosts", "r", 0), PROXY)


def test_an_info_dict_is_cut_down_to_plain_data() -> None:
    info = {
        "id": "1",
        "automatic_captions": {"en": ["much"]},
        "__private": 1,
        "formats": ({"url": "u", "fragments": [1]}, {"tbr": 1.5}),
        "odd": object,
        "entries": iter([{"id": "2"}]),
    }
    cut = slim(info)
    assert cut["formats"] == [{"url": "u"}, {"tbr": 1.5}]
    assert cut["entries"] == [{"id": "2"}]
    assert not {"automatic_captions", "__private"} & set(cut)
    assert isinstance(cut["odd"], str)


def test_an_error_is_told_by_its_first_cause() -> None:
    class DownloadError(Exception):
        exc_info: tuple[object, ...] = ()

    class GeoRestrictedError(Exception):
        orig_msg = "not here"
        expected = True

    inner = GeoRestrictedError("[site] 1: not here")
    outer = DownloadError("ERROR: ...")
    outer.exc_info = (type(inner), inner, None)
    assert describe(outer) == {
        "kind": "GeoRestrictedError",
        "text": "not here",
        "expected": True,
        "status": None,
        "retry_after": None,
    }
