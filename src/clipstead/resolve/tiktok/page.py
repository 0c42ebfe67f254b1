"""From the bytes of a TikTok page to the JSON of its post, or to the reason why there is none.

No HTML parser: the script element is found by its id, and msgspec reads only the branches that matter.
"""

import json
import re
from dataclasses import dataclass

import msgspec
from msgspec import Raw, Struct, field

from clipstead.errors import Blocked, ClipsteadError, ProviderFailed
from clipstead.resolve import loose

UNIVERSAL = b"__UNIVERSAL_DATA_FOR_REHYDRATION__"
SIGI = (b"SIGI_STATE", b"sigi-persisted-data")

_SCOPE_START = b'{"__DEFAULT_SCOPE__":{'
_DETAIL_KEY = b'"webapp.video-detail":'
_NULLS = (b"", b"null", b"{}", b"[]")
_TAG = 512  # more room than any opening script tag takes
_OPENING = re.compile(rb"<script\b[^<>]*[\s\"']id\s*=\s*[\"']?", re.I)

# Words that tell apart the pages without data, in the order in which they are looked for. What may stand in every
# page (TikTok ships its error texts with all of them) must not be here.
_CLOSED_DOORS: tuple[tuple[bytes, str], ...] = (
    (b"_wafchallengeid", "TikTok answered with a challenge"),
    (b"Please wait...", "TikTok answered with a challenge"),
    (b"captcha", "TikTok asks for a captcha"),
    (b"verify-bar", "TikTok asks for a captcha"),
    (b"Access Denied", "TikTok intercepted the request"),
    (b"X-TT-System-Error", "TikTok intercepted the request"),
)


class _ItemInfo(Struct):
    item: Raw = field(name="itemStruct", default=Raw(b""))


class _Status(Struct):
    code: object = field(name="statusCode", default=None)
    api_code: object = field(name="status_code", default=None)
    message: object = field(name="statusMsg", default=None)


class _Detail(_Status):
    info: _ItemInfo | None = field(name="itemInfo", default=None)


class _Scope(Struct):
    desktop: Raw = field(name="webapp.video-detail", default=Raw(b""))
    mobile: Raw = field(name="webapp.reflow.video.detail", default=Raw(b""))
    seo: Raw = field(name="seo.abtest", default=Raw(b""))


class _Universal(Struct):
    scope: _Scope | None = field(name="__DEFAULT_SCOPE__", default=None)


_UNIVERSAL = msgspec.json.Decoder(_Universal)
_DETAIL = msgspec.json.Decoder(_Detail)
_STATUS = msgspec.json.Decoder(_Status)


@dataclass(frozen=True, slots=True)
class Found:
    """What a page says about its post: a status (0: all is well), TikTok's own text, the item's JSON (b"": none)."""

    code: int
    message: str
    item: bytes


def find(page: bytes, post_id: str | None) -> Found:
    """What `page` says about its post; Blocked for a page without a word about any, ProviderFailed for a broken one."""
    state = script(page, UNIVERSAL)
    if state is not None:
        return _at_the_end(state) or _in_scope(_scope(state))
    for name in SIGI:
        legacy = script(page, name)
        if legacy is not None:
            return _in_sigi(loose.node(loose.decode(legacy, "TikTok's page data")), post_id)
    if page[:64].lstrip()[:1] == b"{":
        return _detail(loose.mended(page))
    raise closed_door(page)


def canonical(page: bytes) -> str:
    """The address that a page without details names as the post's own, "" for none."""
    try:
        state = script(page, UNIVERSAL)
        seo = _scope(state).seo if state is not None else Raw(b"")
        return loose.address(loose.node(loose.decode(seo, "seo")).get("canonical"))
    except (Blocked, ProviderFailed):
        return ""


def closed_door(page: bytes) -> ClipsteadError:
    """Why a page carries no data at all: always our own trouble, never the post's."""
    if not page.strip():
        return Blocked("TikTok sent an empty page")
    for mark, words in _CLOSED_DOORS:
        if mark in page:
            return Blocked(words)
    return Blocked("TikTok sent a page without data")


def script(page: bytes, name: bytes) -> bytes | None:
    """The content of the script element with that id, wherever the id stands among its attributes; None for none.

    ProviderFailed where the page ends inside of it.
    """
    at = page.find(name)
    while at >= 0:
        opening = page.rfind(b"<", max(0, at - _TAG), at)
        inside = page.find(b">", at, at + _TAG) + 1
        if inside and opening >= 0 and _OPENING.fullmatch(page[opening:at]):
            return page[inside : _closing(page, inside)]
        at = page.find(name, at + len(name))
    return None


def _closing(page: bytes, start: int) -> int:
    """Where the script ends. TikTok escapes `<` in its JSON, so that the first one is the end: a far quicker search."""
    end = page.find(b"<", start)
    if end >= 0 and page[end : end + 8] != b"</script":
        end = page.find(b"</script", start)
    if end < 0:
        raise ProviderFailed("TikTok's page is cut off")
    return end


def _at_the_end(state: bytes) -> Found | None:
    """The short way to a desktop page's details: all that stands before them (240 KB of translations) is cut off.

    A key in JSON text cannot be mistaken: inside of a string its quotes would be escaped. Should it belong to another
    object than the scope, the brackets do not match, and None sends the caller the long way.
    """
    at = state.rfind(_DETAIL_KEY)
    if at < 0:
        return None
    try:
        scope = _UNIVERSAL.decode(_SCOPE_START + state[at:]).scope
    except (ValueError, RecursionError):
        return None
    return _detail(scope.desktop) if scope and bytes(scope.desktop) not in _NULLS else None


def _scope(state: bytes) -> _Scope:
    try:
        return _UNIVERSAL.decode(state).scope or _Scope()
    except (ValueError, RecursionError):
        pass
    try:
        return _UNIVERSAL.decode(loose.mended(state)).scope or _Scope()
    except (ValueError, RecursionError):
        raise ProviderFailed("TikTok's page data is not the JSON it should be") from None


def _in_scope(scope: _Scope) -> Found:
    spoken = [_detail(raw) for raw in (scope.desktop, scope.mobile) if bytes(raw) not in _NULLS]
    if not spoken:
        raise Blocked("TikTok sent a page that does not mention the post")
    return next((found for found in spoken if found.item), spoken[0])


def _detail(raw: bytes | Raw) -> Found:
    try:
        detail = _DETAIL.decode(raw)
    except (ValueError, RecursionError):
        return _found(_status(raw), b"")
    item = bytes(detail.info.item) if detail.info else b""
    return _found(detail, b"" if item in _NULLS else item)


def _status(raw: bytes | Raw) -> _Status:
    """The status alone, of details whose item is of no known shape."""
    try:
        return _STATUS.decode(raw)
    except (ValueError, RecursionError):
        raise ProviderFailed("TikTok's page data has an unknown shape") from None


def _found(status_: _Status, item: bytes) -> Found:
    """The API speaks of trouble in `statusCode` while its `status_code` stays 0: the one that is not 0 counts."""
    code = signed(status_.code) or signed(status_.api_code) or 0
    return Found(code, loose.text(status_.message), item)


def signed(value: object) -> int | None:
    """A status code, which may be negative and may be written as text; None where there is none."""
    digits = loose.text(value)
    return int(digits) if digits.removeprefix("-").isdecimal() and len(digits) < 12 else None


def _in_sigi(state: loose.Node, post_id: str | None) -> Found:
    items = loose.node(state, "ItemModule")
    item = items.get(post_id or "") or next(iter(items.values()), None)
    if isinstance(item, dict) and item:
        return Found(0, "", json.dumps(item).encode())
    head = loose.node(state, "VideoPage")
    code = signed(head.get("statusCode")) or 0
    if not code:
        raise Blocked("TikTok sent a page that does not mention the post")
    return Found(code, loose.text(head.get("statusMsg")), b"")
