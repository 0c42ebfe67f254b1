"""CDN addresses: what they look like, which file each names, how they are signed and when they are refused.

An address names its file by an opaque-looking id that says everything (which file of which post), so the CDN keeps no
table. It is signed for an expiry and, where it carries `tk=tt_chain_token`, for the cookie of the page it came from.
While a page is built its addresses hold placeholders; one pass fills in the signatures for the whole page.
"""

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from urllib.parse import parse_qs, urlsplit

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FILE_ID = re.compile(r"(?:^|/)o([a-z])([0-9])([0-9]{2})([0-9A-Za-z]{11})([0-9a-f]{12})(?:[/~]|$)")
_SIGNED_PATH = re.compile(r"^/([0-9a-f]{32})/([0-9a-f]{8})/")
_COOKIE = re.compile(r"(?:^|;\s*)tt_chain_token=([^;]*)")
_EXPIRY, _HEX_EXPIRY, _BOUND, _FREE, _LOG = "@@E@@", "@@X@@", "@@S@@", "@@P@@", "@@L@@"
VIDEO_HOST, VIDEO_MIRROR = "v16-webapp-prime.tiktok.com", "v19-webapp-prime.tiktok.com"
FILE_HOST = "v16m.tiktokcdn-us.com"
MUSIC_HOST = "v16-ies-music.tiktokcdn-us.com"
IMAGE_HOSTS = ("p16-common-sign.tiktokcdn-us.com", "p19-common-sign.tiktokcdn-us.com", "p16-sign-va.tiktokcdn.com")

SOUND, SILENT, DEAD = 0, 1, 2  # the flags of a file id


class Refused(Exception):
    """The CDN will not serve that address; the text says why (for the log of the world, not for the client)."""


@dataclass(frozen=True, slots=True)
class FileRef:
    """Which file: `kind` is a letter (see files.py), `owner` the id of a post, sound or user, `index` counts from 0."""

    kind: str
    owner: str
    index: int = 0
    flag: int = SOUND

    @property
    def id(self) -> str:
        """The opaque id that stands in addresses."""
        number, text = int(self.owner), ""
        for _ in range(11):
            number, digit = divmod(number, 62)
            text = _LETTERS[digit] + text
        head = f"o{self.kind}{self.flag}{self.index:02d}{text}"
        return head + hashlib.blake2b(head.encode(), digest_size=6).hexdigest()


def read_file_id(path: str) -> FileRef | None:
    """The file that an address's path names, or None."""
    found = _FILE_ID.search(path)
    if not found:
        return None
    number = 0
    for char in found[4]:
        number = number * 62 + _LETTERS.index(char)
    return FileRef(found[1], str(number), int(found[3]), int(found[2]))


def video_url(ref: FileRef, bitrate: int, host: str = VIDEO_HOST) -> str:
    """An address on the video CDN, bound to the page's cookie."""
    tail = "media-video-hvc1/" if ref.kind == "v" and ref.flag else ""
    return (
        f"https://{host}/video/tos/useast8/tos-useast8-ve-0068c00{1 + ref.index % 4}-tx2/{ref.id}/{tail}"
        f"?a=1988&bti=ODszNWYuMDE6&&bt={bitrate // 1024}&ft=4KJMyMzm8Zmo0uk5Ra4jVAaOQpWrKsd.&mime_type=video_mp4"
        f"&rc={_filler(ref)}&expire={_EXPIRY}&l={_LOG}&ply_type=2&policy=2&signature={_BOUND}"
        "&tk=tt_chain_token&btag=e00090000"
    )


def file_url(ref: FileRef, mime_type: str, host: str = FILE_HOST) -> str:
    """An address that carries its signature in the path and needs no cookie: sounds, subtitles, tikwm's videos."""
    return (
        f"https://{host}/{_FREE}/{_HEX_EXPIRY}/video/tos/useast8/tos-useast8-v-27dcd7-tx2/{ref.id}/"
        f"?a=1233&bti=ODszNWYuMDE6&&bt=125&ft=GSDrKInz7Th2twDGXq8Zmo&mime_type={mime_type}"
        f"&rc={_filler(ref)}&vvpl=1&l={_LOG}&btag=e00078000"
    )


def image_url(ref: FileRef, template: str = "tplv-photomode-image.jpeg", mirror: int = 0) -> str:
    """An address on the image CDN."""
    return (
        f"https://{IMAGE_HOSTS[mirror]}/tos-useast5-i-photomode-tx/{ref.id}~{template}?dr=9616&x-expires={_EXPIRY}"
        f"&x-signature={_FREE}%3D&t=4d5b0474&ps=13740610&shp=81f88b70&l={_LOG}&idc=useast8&ftpl=1"
    )


class Signer:
    """Fills addresses in and judges them; `life` seconds is how long an address lives."""

    def __init__(self, life: int, clock: Callable[[], float] = time.time) -> None:
        self.life = life
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._run = secrets.token_hex(10).upper()
        self._pages = count(1)

    def fill(self, page: bytes, token: str = "", *, life: int | None = None) -> bytes:
        """`page` with every placeholder filled; each call gives addresses of its own."""
        expiry = int(self._clock()) + (self.life if life is None else life)
        log = f"20251120{next(self._pages):06d}{self._run}"
        for mark, value in (
            (_EXPIRY, str(expiry)),
            (_HEX_EXPIRY, f"{expiry:08x}"),
            (_BOUND, self._sign(expiry, log, token)),
            (_FREE, self._sign(expiry, log, "")),
            (_LOG, log),
        ):
            page = page.replace(mark.encode(), value.encode())
        return page

    def token(self) -> str:
        """A fresh value for the cookie tt_chain_token; it always ends in ==, which careless clients quote."""
        number = next(self._pages).to_bytes(8, "big")
        return _base64(hashlib.blake2b(number, key=self._secret, digest_size=16).digest())

    def judge(self, path: str, query: str, headers: Mapping[str, str]) -> tuple[FileRef, str]:
        """The file and the address's page mark (`l`), or Refused."""
        ref = read_file_id(path)
        values = {name: value[-1] for name, value in parse_qs(query, keep_blank_values=True).items()}
        in_path = _SIGNED_PATH.match(path)
        if ref is None:
            raise Refused("no such file")
        if in_path:
            signature, expiry = in_path[1], in_path[2]
        else:
            signature = values.get("signature") or values.get("x-signature", "").removesuffix("=")
            decimal = values.get("expire") or values.get("x-expires") or "0"
            expiry = format(int(decimal), "x") if decimal.isascii() and decimal.isdigit() else "0"
        token = ""
        if values.get("tk") == "tt_chain_token":
            token = chain_token(headers) or "-"
            if not f".{urlsplit(headers.get('Referer', '')).hostname}".endswith(".tiktok.com"):
                raise Refused("no Referer on tiktok.com")
        log = values.get("l", "")
        if signature != self._sign(int(expiry, 16), log, token):
            raise Refused("bad signature or cookie")
        if int(expiry, 16) <= self._clock():
            raise Refused("expired")
        return ref, log

    def _sign(self, expiry: int, log: str, token: str) -> str:
        text = f"{expiry}/{log}/{token}".encode()
        return hashlib.blake2b(text, key=self._secret, digest_size=16).hexdigest()


def chain_token(headers: Mapping[str, str]) -> str:
    """The raw value of the cookie tt_chain_token in a request, quotes and all; "" without one."""
    found = _COOKIE.search(headers.get("Cookie", ""))
    return found[1] if found else ""


def _filler(ref: FileRef) -> str:
    return (
        _base64(hashlib.blake2b(ref.id.encode(), digest_size=45).digest()).replace("+", "p").replace("/", "s")
        + "%3D%3D"
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
