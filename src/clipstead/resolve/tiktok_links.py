"""Reads the path of a TikTok address: ids, handles and codes are taken out, and the canonical URL is built here.

`target` of a USER is a handle, or a secUid ("MS4wLjABAAAA..."), or where `url` is `/h5/share/usr/` a numeric id.
"""

import re
import unicodedata
from dataclasses import replace
from typing import NoReturn
from urllib.parse import quote, unquote

from clipstead.errors import UnsupportedLink
from clipstead.model import Link, LinkKind, MediaKind, Post
from clipstead.resolve.addresses import Address, ascii_head
from clipstead.resolve.platforms import TIKTOK

HOME = "https://www.tiktok.com"
SHORTENERS = frozenset({"vm.tiktok.com", "vt.tiktok.com"})

_POST_ID = re.compile(r"[0-9]{1,20}")
_NAMED_ID = re.compile(r"(?:.*-)?([0-9]{4,20})", re.S)  # "original-sound-6956990112127585029"
_CODE = re.compile(r"[A-Za-z0-9_-]{4,32}")
_HANDLE = re.compile(r"(?=.*\w)[\w.-]{1,128}", re.A)
_CDN_HOST = re.compile(r"[vp]\d+[a-z0-9-]*\.(?:[a-z0-9-]+\.)?tiktok\.com")
_CDN_PATH = re.compile(r"/[\w.~:,=/@!+-]+", re.A)
_PROFILE_TABS = frozenset({"avatar", "favorites", "liked", "likes", "posts", "reposts", "saved", "stories"})
_NAME_SIGNS = "_.-\u200c\u200d"  # the joiners shape Persian and Indic words and emoji


def read(address: Address) -> Link:
    """What an address on a TikTok host points at; UnsupportedLink for a page that is none of the known kinds."""
    host, path, _ = address
    if path.startswith("/video/tos/") or _CDN_HOST.fullmatch(host):
        return read_cdn(address)
    parts = _parts(path.partition("&")[0])  # "&b=2" is the leftover of a link that was sent unencoded
    match parts:
        case []:
            _refuse("The link names no post")
        case [who, *rest] if who[0] == "@":
            return _of_account(who[1:], rest)
        case ["embed", who] if who[0] == "@":
            return user_link(who[1:])
        case ["t", code]:
            return _short("lite.tiktok.com" if host == "lite.tiktok.com" else "www.tiktok.com", "/t/", code)
        case ["video" | "photo" | "v" | "embed", post] | ["embed" | "player", "v1" | "v2" | "v3", post]:
            return post_link(post)
        case ["share", what, named] | ["h5" | "i18n", "share", what, named]:
            return _shared(what, named.removesuffix(".html"))
        case [code] if host in SHORTENERS:
            return _short(host, "/", code)
        case _:
            return _page(parts)


def post_link(text: str) -> Link:
    """The post of an id of 1 to 20 digits; whether such a post can exist is the resolver's to say."""
    number = _digits(text.removesuffix(".html"))
    return Link(TIKTOK, f"{HOME}/@_/video/{number}", number)


def true_link(post: Post) -> Link:
    """The link of a post as TikTok writes it, by what it told of the author: nobody's own text is shown to others."""
    link, handle = post.link, post.author.username
    if not link.url.startswith(f"{HOME}/@_/video/") or not _HANDLE.fullmatch(handle):
        return link
    what = "photo" if post.of_kind(MediaKind.IMAGE) and not post.of_kind(MediaKind.VIDEO) else "video"
    return replace(link, url=f"{HOME}/@{handle}/{what}/{link.post_id}")


def user_link(who: str) -> Link:
    """The profile of a handle (without @) or secUid."""
    return Link(TIKTOK, f"{HOME}/@{_quoted(who)}", None, LinkKind.USER, who)


def read_cdn(address: Address) -> Link:
    """A file on a CDN: named so that it can be refused by its kind. Its query, which holds a signature, is left out."""
    if not _CDN_PATH.fullmatch(address.path):
        _refuse("The link is no known file of TikTok's")
    return Link(TIKTOK, f"https://{address.host}{address.path}", None, LinkKind.CDN)


def _parts(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part]
    if "%" in path:
        return [_decoded(part) for part in parts]
    return parts


def _decoded(part: str) -> str:
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError:
        _refuse("The link's path is not UTF-8")


def _of_account(who: str, rest: list[str]) -> Link:
    match rest:
        case []:
            return user_link(who)
        case ["video" | "photo", post]:
            return post_link(post)
        case ["video" | "photo"]:
            _refuse("The link names no post")
        case ["live"]:
            return Link(TIKTOK, f"{HOME}/@{_quoted(who)}/live", None, LinkKind.LIVE, who)
        case ["collection" | "playlist" as what, named]:
            owner = who if _HANDLE.fullmatch(who) else "_"
            return _named(LinkKind(what), f"/@{owner}/{what}/", named)
        case [tab] if tab in _PROFILE_TABS:
            return Link(TIKTOK, f"{HOME}/@{_quoted(who)}/{tab}", None, LinkKind.OTHER, who)
        case _:
            _refuse("This page of a TikTok account is not supported")


def _shared(what: str, named: str) -> Link:
    match what:
        case "video" | "photo" | "item":
            return post_link(named)
        case "live":
            return Link(
                TIKTOK, f"https://m.tiktok.com/share/live/{_digits(named)}", None, LinkKind.LIVE, _digits(named)
            )
        case "music":
            return _named(LinkKind.SOUND, "/music/", named)
        case "usr" | "user":
            number = _digits(named)
            return Link(TIKTOK, f"https://m.tiktok.com/h5/share/usr/{number}.html", None, LinkKind.USER, number)
        case _:
            _refuse("This kind of TikTok share link is not supported")


def _page(parts: list[str]) -> Link:
    match parts:
        case ["music", named]:
            return _named(LinkKind.SOUND, "/music/", named)
        case ["sticker" | "effect", named]:
            return _named(LinkKind.OTHER, "/sticker/", named)
        case ["tag", name]:
            return Link(TIKTOK, f"{HOME}/tag/{_quoted(name)}", None, LinkKind.TAG, name)
        case ["shortdrama", "episode", drama, number]:
            episode = f"{_digits(drama)}/{_digits(number)}"
            return Link(TIKTOK, f"{HOME}/shortdrama/episode/{episode}", None, LinkKind.OTHER, episode)
        case _:
            _refuse("This TikTok page is not a post, an account, a tag, a sound or a list")


def _short(host: str, folder: str, text: str) -> Link:
    code = ascii_head(text)
    if not _CODE.fullmatch(code):
        _refuse("The short link has no valid code")
    return Link(TIKTOK, f"https://{host}{folder}{code}", None, LinkKind.SHORT, code)


def _named(kind: LinkKind, folder: str, text: str) -> Link:
    """A page whose last word is `some-name-ID`; the name is dropped, `_` stands in its place."""
    found = _NAMED_ID.fullmatch(text)
    if found is None:
        _refuse("The TikTok link ends in no id")
    return Link(TIKTOK, f"{HOME}{folder}_-{found[1]}", None, kind, found[1])


def _digits(text: str) -> str:
    number = ascii_head(text)
    if not _POST_ID.fullmatch(number):
        _refuse("The TikTok link has no valid id")
    return number


def _quoted(name: str) -> str:
    """A handle or tag as it stands in a URL; letters, marks, numbers and emoji of any script, percent-encoded."""
    if _HANDLE.fullmatch(name):
        return name
    if len(name) > 128 or not all(_fits_name(sign) for sign in name) or not name.strip("."):
        _refuse("The TikTok link has no valid name")
    return quote(name, safe="")


def _fits_name(sign: str) -> bool:
    category = unicodedata.category(sign)
    return category[0] in "LMN" or category in {"So", "Sk"} or sign in _NAME_SIGNS


def _refuse(why: str) -> NoReturn:
    raise UnsupportedLink(why)
