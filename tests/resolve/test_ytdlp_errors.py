"""yt-dlp's words become our errors: never final by guess, and fit for strangers."""

import pytest

from clipstead.errors import Blocked, PostUnavailable, ProviderFailed, UnsupportedLink
from clipstead.resolve.ytdlp_errors import error_of, public


def told(text: str, *, kind: str = "ExtractorError", expected: bool = True, **more: object) -> dict[str, object]:
    return {"kind": kind, "text": text, "expected": expected, **more}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("This video is private", "private"),
        ("Private video. Sign in if you've been granted access to this video", "private"),
        ("You do not have permission to view this post. Log into an account that has access", "private"),
        ("Sign in to confirm your age. This video may be inappropriate for some users.", "age"),
        ("This post may not be comfortable for some audiences. Log in for access", "age"),
        ("NSFW tweet requires authentication. Use --cookies, --cookies-from-browser", "age"),
        ("The uploader has not made this video available in your country", "region"),
        ("Video unavailable. This video has been removed by the uploader", "deleted"),
        ("This video has been removed for violating YouTube's Community Guidelines", "removed"),
        ("This video is no longer available because the YouTube account associated has been terminated", "removed"),
        ("This video is not available due to a copyright claim", "removed"),
        ("This video does not exist.", "missing"),
        ("Video not found", "missing"),
    ],
)
def test_what_the_platform_says_about_the_post_is_final(text: str, reason: str) -> None:
    error = error_of(told(text), "web")
    assert isinstance(error, PostUnavailable) and error.reason == reason


@pytest.mark.parametrize(
    "text",
    [
        "Sign in to confirm you’re not a bot. Use --cookies-from-browser",
        "Requested content is not available, rate-limit reached or login required",
        "Your IP address is blocked from accessing this post",
        "TikTok is requiring login for access to this content",
        "Unexpected response from webpage request",
        "Unable to extract universal data for rehydration",
        "This content isn't available, try again later.",
        "Got a captcha. This video was removed",
    ],
)
def test_what_keeps_us_out_says_nothing_about_the_post(text: str) -> None:
    assert isinstance(error_of(told(text), "tiktok"), Blocked)


@pytest.mark.parametrize(
    "text",
    ["Unable to extract video data", "HTTP Error 404: Not Found", "No video formats found!", "", "KeyError('private')"],
)
def test_what_nobody_understands_is_a_failure_of_the_provider(text: str) -> None:
    assert isinstance(error_of(told(text), "web"), ProviderFailed)


def test_an_error_that_yt_dlp_did_not_expect_is_never_final() -> None:
    error = error_of(told("This video is private", expected=False), "web")
    assert isinstance(error, ProviderFailed)


@pytest.mark.parametrize(
    "text",
    [
        "Failed to perform, curl: (7) CONNECT tunnel failed, response 502. See https://curl.se/libcurl/ for more",
        "Failed to perform, curl: (7) Failed to connect to a.example:443 over proxy 127.0.0.1 after 0 ms",
        "Unable to download webpage: ('Unable to connect to proxy', OSError('Tunnel connection failed: 502 Bad'))",
    ],
)
def test_a_way_out_that_is_closed_is_said_in_plain_words(text: str) -> None:
    """Without a network that is all that a user gets to see of yt-dlp; our own proxy is no business of his."""
    error = error_of(told(text), "tiktok")
    assert isinstance(error, ProviderFailed) and str(error) == "the site could not be reached"


def test_types_come_before_words() -> None:
    assert isinstance(error_of(told("Unsupported URL: http://x", kind="UnsupportedError"), "web"), UnsupportedLink)
    region = error_of(told("This video is private", kind="GeoRestrictedError"), "web")
    assert isinstance(region, PostUnavailable) and region.reason == "region"


@pytest.mark.parametrize(
    ("status", "kind"), [(403, Blocked), (429, Blocked), (503, ProviderFailed), (451, PostUnavailable)]
)
def test_http_statuses(status: int, kind: type[Exception]) -> None:
    error = error_of(told(f"HTTP Error {status}", status=status, retry_after="30"), "web")
    assert isinstance(error, kind)
    if isinstance(error, Blocked):
        assert error.retry_after == 30


def test_a_retry_after_that_is_a_date_is_left_out() -> None:
    error = error_of(told("x", status=429, retry_after="Fri, 20 Nov 2026 10:00:00 GMT"), "web")
    assert isinstance(error, Blocked) and error.retry_after is None


@pytest.mark.parametrize(("code", "kind"), [(10216, PostUnavailable), (10101, ProviderFailed), (-1, ProviderFailed)])
def test_tiktoks_status_codes_are_read_as_everywhere(code: int, kind: type[Exception]) -> None:
    assert isinstance(error_of(told(f"Video not available, status code {code}", expected=False), "tiktok"), kind)


def test_nothing_private_and_nothing_long_reaches_a_stranger() -> None:
    said = (
        "\x1b[0;31mERROR:\x1b[0m Unable to open https://u:secret@cdn.example/x?sig=abc\nand\x07 more; please report "
        "this issue on https://github.com/yt-dlp"
    )
    assert public(said) == "Unable to open (address) and more"
    assert len(public("x " * 1000)) <= 160
    assert public("") == "yt-dlp could not read this post"


@pytest.mark.parametrize("report", [{}, {"kind": 1, "text": None, "status": "x", "expected": "yes", "retry_after": []}])
def test_a_report_of_any_shape_is_an_error_of_ours(report: dict[str, object]) -> None:
    assert isinstance(error_of(report, "web"), ProviderFailed)


def test_a_post_without_files_whose_script_was_not_run_is_told_so() -> None:
    """What else is the matter with a post is told as ever."""
    error = error_of(told("No video formats found!", unsolved=True), "youtube")
    assert isinstance(error, ProviderFailed) and "clipstead doctor" in str(error)
    assert isinstance(error_of(told("This video is private", unsolved=True), "youtube"), PostUnavailable)
