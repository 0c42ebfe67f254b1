"""The child process in which yt-dlp lives: one JSON line in, one JSON line out, and no way out but the egress proxy.

Run by `ytdlp_child` as a script. The first line on stdin is the setup (`parent` pid, `proxy`, `ca_file`,
`cookies_file`, `generic`, `memory` in bytes, `runtimes` of JavaScript by yt-dlp's name and path), each further line a
request `{"url", "language", "entries"}`, where `entries` are the first and last of a list, from 1, and null for a post;
the answer is `{"info": ...}` or `{"error": {"kind", "text", "expected", "status", "retry_after"}}`, and `rss` in bytes.
In either, `unsolved` is true where a player's script was to be run and was not, else it is not there.
What yt-dlp does not wrap as its own error ends this process: its parent starts the next. Nothing of ours is loaded
but `ytdlp_manifests`, which stands alone: it holds nothing but yt-dlp.
"""

import ctypes
import functools
import importlib
import importlib.util
import json
import os
import queue
import resource
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

MOST_ENTRIES = 20
"""Files of one post that are looked at; more is a list, not a post."""

OF_LISTS: Mapping[str, Any] = {"noplaylist": False, "extract_flat": True, "lazy_playlist": True}
"""What is otherwise when a list is asked for: its entries are links, taken as they come and not followed."""

_SOCKET_TIMEOUT = 15
_LARGEST_FILE = 64 * 1024 * 1024
_PR_SET_PDEATHSIG = 1
_HEAVY = frozenset({"automatic_captions", "heatmap", "comments", "chapters", "fragments", "requested_formats"}) | {
    "hls_media_playlist_data"
}
_DIALS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"})


_UNSOLVED = ("No supported JavaScript runtime", "challenge solving failed", "Signature solving failed")
"""What yt-dlp's warnings say where YouTube's player script was to be run and was not."""


class _Ear:
    """yt-dlp's logger: what matters comes as an error; of the rest, only whether a script went unsolved is kept."""

    def __init__(self) -> None:
        self.unsolved = False

    def debug(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...

    def warning(self, message: str) -> None:
        self.unsolved = self.unsolved or any(words in message for words in _UNSOLVED)


class Extraction:
    """A warm YoutubeDL, made anew only when the language changes, or from posts to lists and back."""

    def __init__(self, setup: Mapping[str, Any]) -> None:
        self._setup = setup
        self._made_for: tuple[str, bool] | None = None
        self._ydl: Any = None
        self._ear = _Ear()

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The info dict of one post, or of a part of a list, or what yt-dlp says is the matter."""
        yt_dlp = _yt_dlp()
        entries = request.get("entries")
        ydl = self._warm(yt_dlp, request["language"], is_list=bool(entries))
        if entries:
            ydl.params["playlist_items"] = f"{int(entries[0])}-{int(entries[1])}"
        self._ear.unsolved = False
        try:
            found = {"info": slim(ydl.extract_info(request["url"], download=False)) or {}}
        except yt_dlp.utils.YoutubeDLError as error:
            found = {"error": describe(error)}
        if self._ear.unsolved:
            (told,) = found.values()
            told["unsolved"] = True
        return found

    def _warm(self, yt_dlp: Any, language: str, *, is_list: bool) -> Any:
        if self._made_for != (language, is_list):
            if self._ydl is not None:
                self._ydl.close()
            listing = OF_LISTS if is_list else {}
            self._ydl = yt_dlp.YoutubeDL({**options(self._setup, language), "logger": self._ear, **listing})
            self._made_for = (language, is_list)
        # Each request starts from the operator's cookies alone: what one post left behind is not shown to the next.
        self._ydl.cookiejar.clear()
        if self._setup["cookies_file"]:
            self._ydl.cookiejar.load(self._setup["cookies_file"], ignore_discard=True, ignore_expires=True)
        return self._ydl


@functools.cache
def _yt_dlp() -> Any:
    """yt-dlp, with our reading of manifests in it."""
    yt_dlp = importlib.import_module("yt_dlp")
    utils, extractors = yt_dlp.utils, importlib.import_module("yt_dlp.extractor.common")
    refusal = functools.partial(utils.ExtractorError, expected=True)
    _manifests().install(extractors.InfoExtractor, refusal, utils.parse_duration)
    return yt_dlp


@functools.cache
def _manifests() -> Any:
    """The file beside this one, by its path for the reason that this one is started by its own."""
    path = Path(__file__).with_name("ytdlp_manifests.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def options(setup: Mapping[str, Any], language: str) -> dict[str, Any]:
    """What yt-dlp is told. Nothing here comes from a user but the language, which is a clean tag."""
    return {
        "quiet": True,
        "noprogress": True,
        "color": "never",
        "proxy": setup["proxy"],
        "http_headers": {"Accept-Language": language},
        "compat_opts": ["no-certifi"] if setup["ca_file"] else [],
        "allowed_extractors": ["default"] if setup["generic"] else ["default", "-generic"],
        "noplaylist": True,
        "playlist_items": f"1-{MOST_ENTRIES}",
        # A post of several files comes with its entries whole; a channel comes as links, which stay unfollowed.
        "extract_flat": "in_playlist",
        "skip_download": True,
        "writesubtitles": True,  # without it extractors do not look for any; nothing is written
        "format": "all",  # no choice is made here, and none that would ask for ffmpeg
        "check_formats": False,
        "cachedir": False,
        "js_runtimes": {name: {"path": path} for name, path in setup["runtimes"].items()},
        "geo_bypass": False,
        "socket_timeout": _SOCKET_TIMEOUT,
        "extractor_retries": 1,
        "retries": 1,
    }


def slim(value: Any) -> Any:
    """The info dict without what nobody reads, on YouTube most of it, and with streams' pieces packed."""
    if isinstance(value, dict):
        kept = {key: slim(item) for key, item in value.items() if key not in _HEAVY and not key.startswith("__")}
        return kept | _manifests().packed(value) if "protocol" in value else kept
    if value is None or isinstance(value, str | int | float):
        return value
    return [slim(item) for item in value] if hasattr(value, "__iter__") else str(value)


def describe(error: Exception) -> dict[str, Any]:
    """An error of yt-dlp as plain data: the first cause that says more than "download failed"."""
    wrapped = getattr(error, "exc_info", None)
    if type(error).__name__ == "DownloadError" and wrapped and wrapped[1] is not None:
        error = wrapped[1]
    cause = getattr(error, "cause", None) or error
    response = getattr(cause, "response", None)
    headers = getattr(response, "headers", None) or {}
    return {
        "kind": type(error).__name__,
        "text": str(getattr(error, "orig_msg", None) or error)[:2000],
        "expected": bool(getattr(error, "expected", False)),
        "status": getattr(cause, "status", None),
        "retry_after": headers.get("Retry-After"),
    }


def main() -> None:
    """Answer requests until stdin ends."""
    answers = _take_stdout()
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    setup = json.loads(lines.get())
    _confine(setup)
    extraction = Extraction(setup)
    while True:
        answer = extraction.answer(json.loads(lines.get()))
        answer["rss"] = _memory()
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def _memory() -> int:
    """Bytes in use. Linux's ru_maxrss will not do: it begins with the peak of the process that forked us."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return pages * resource.getpagesize()


def _take_stdout() -> BinaryIO:
    """Keep the real stdout for answers; whatever else prints, prints to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _listen(lines: "queue.SimpleQueue[bytes]") -> None:
    """Hand on the lines of stdin; when it ends, the parent is gone: take the whole process group along."""
    rest = b""
    while chunk := os.read(0, 65536):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            lines.put(line)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _confine(setup: Mapping[str, Any]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != setup["parent"]:
            os._exit(0)  # the parent died before it could be bound to us
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    # Not RLIMIT_AS: libraries reserve far more address space than they ever touch.
    resource.setrlimit(resource.RLIMIT_DATA, (setup["memory"], setup["memory"]))
    if setup["ca_file"]:
        os.environ["SSL_CERT_FILE"] = str(_bundle(Path(setup["ca_file"])))
    proxy = urlsplit(setup["proxy"])
    sys.addaudithook(lambda event, args: guard_dial(event, args, (proxy.hostname, proxy.port)))


def _bundle(extra: Path) -> Path:
    """The public roots and the operator's: OpenSSL and curl both take SSL_CERT_FILE for the whole truth."""
    import certifi

    bundle = Path(os.environ["HOME"], "ca.pem")
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + extra.read_bytes())
    return bundle


def guard_dial(event: str, args: tuple[Any, ...], proxy: tuple[str | None, int | None]) -> None:
    """Second wall behind the proxy setting: an extractor that dials by itself meets an OSError, not the network."""
    if event not in _DIALS:
        return
    target = args[1] if event in ("socket.connect", "socket.sendto", "socket.sendmsg") else args[:2]
    if (
        not isinstance(target, tuple)
        or target[:1] != proxy[:1]
        or (event == "socket.connect" and target[1] != proxy[1])
    ):
        raise PermissionError(f"{event} is only open to the egress proxy")


if __name__ == "__main__":
    main()
