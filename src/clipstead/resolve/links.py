"""Understands what a user gave: a link, a link somewhere in a caption, or a bare id becomes a `Link`. Pure.

Nothing of the user's text is ever fetched on TikTok: ids, handles and codes are taken out by strict rules and our
own URL is built. One word is judged strictly; a caption is many words, and a hostile one among them is passed over.
"""

import re

from clipstead.errors import UnsupportedLink
from clipstead.model import Link, LinkKind
from clipstead.resolve import addresses, tiktok_links
from clipstead.resolve.addresses import Address, ascii_head
from clipstead.resolve.platforms import SHAPES, TIKTOK, TIKTOK_CDN, platform_of

LONGEST_TEXT = 8192  # characters; captions end at about 4000, share links at about 1500

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SCHEME = re.compile(r"https?://", re.I | re.A)
# What may stand before a link in the same word: a bracket, a quote, text of a script without blanks, an attribute.
_LEAD = re.compile(r"""(?:<?(?:href|src|cite)=|[^\\/:@?#%&=]*)(?:[()\[\]{<>"'`*~|,;.!]|[^\x00-\x7f])""", re.I | re.A)
# What may stand before a link without scheme: brackets, quotes, direction marks, arrows, emoji; nothing letter-like.
_OPENERS = re.compile(
    "[(\\[{<\"'`*~|「『【《（“‘\ufeff\u200b\u200d-\u200f\u2066-\u2068\ufe0f"
    "\u2190-\u21ff\u2600-\u26ff\u2700-\u2775\u2794-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff]*"
)
_BARE_ID = re.compile(r"[0-9]{15,20}")
_SEC_UID = re.compile(r"tiktokuser:([\w.-]{2,128})", re.A)
_QUERY = re.compile(r"(?:[\w.~!$&()*+,;=:@/?-]|%(?![01]|7f)[0-9a-f]{2})*", re.I | re.A)
_PATH = re.compile(r"(?:[\w.~!$&()*+,;=:@/-]|%[0-9a-f]{2})*", re.I | re.A)

# A link at the very start that a tab or line break cuts in two: browsers would join what we would split.
_BROKEN = re.compile(
    r"(?:https?:|[a-z0-9-]+\.[a-z0-9])[!-~]*[\t\r\n]+(?!https?://)"
    r"(?:[0-9]{5}|[!-~]*?(?:[/&=\\:]|%[0-9a-f]{2}|\.[a-z0-9]))",
    re.I | re.A,
)


def parse(text: str) -> Link:
    """The link that `text` is or holds, canonical; the first post or short link wins. Else UnsupportedLink."""
    if len(text) > LONGEST_TEXT:
        raise UnsupportedLink("The text is too long for a link")
    if _UNPRINTABLE.search(text):
        raise UnsupportedLink("The text has control characters in it")
    words = text.split()
    if len(words) == 1:
        return _whole(words[0])
    if not words:
        raise UnsupportedLink("There is no link")
    if _BROKEN.match(text.strip()):
        raise UnsupportedLink("The link is broken by a tab or a line break")
    return _among(words)


def _whole(word: str) -> Link:
    if _BARE_ID.fullmatch(word):
        return tiktok_links.post_link(word)
    if given := _SEC_UID.fullmatch(word):
        return tiktok_links.user_link(given[1])
    return _word(word)


def _among(words: list[str]) -> Link:
    second_best: Link | None = None
    first_error: UnsupportedLink | None = None
    for word in words:
        if "." not in word or "/" not in word:
            continue
        try:
            link = _word(word)
        except UnsupportedLink as error:
            first_error = first_error or error
            continue
        if link.kind in {LinkKind.POST, LinkKind.SHORT}:
            return link
        second_best = second_best or link
    if second_best is None:
        raise first_error or UnsupportedLink("There is no link in the text")
    return second_best


def _word(word: str) -> Link:
    address = addresses.read(_from_link_on(word))
    platform = platform_of(address.host)
    if platform is None:
        raise UnsupportedLink(f"Links of {address.host} are not supported")
    if platform == TIKTOK:
        return tiktok_links.read(address)
    if platform == TIKTOK_CDN:
        return tiktok_links.read_cdn(address)
    return _elsewhere(platform, address)


def _from_link_on(word: str) -> str:
    """The word without the bracket, quote or text that is glued to the front of its link."""
    scheme = _SCHEME.search(word)
    if scheme is None:
        return _OPENERS.sub("", word, count=1)
    at = scheme.start()
    if at and not _LEAD.fullmatch(word, 0, at):
        raise UnsupportedLink("The text before the link makes it another one")
    return word[at:]


def _elsewhere(platform: str, address: Address) -> Link:
    """A link of another platform: its own host, path and query after validation, or made anew where we know the id."""
    path = ascii_head(address.path)
    query = ascii_head(address.query) if path == address.path else ""  # text is glued to the path: no query follows
    if not (_PATH.fullmatch(path) and _QUERY.fullmatch(query)):
        raise UnsupportedLink("The link has a sign in it that no link has")
    tail = f"{address.host}{path or '/'}{'?' if query else ''}{query}"
    if not path.strip("/") and not query:
        return Link(platform, f"https://{tail}", None, LinkKind.OTHER)
    for pattern, kind, url in SHAPES.get(platform, ()):
        if found := pattern.match(tail):
            groups = found.groupdict()
            canonical = url.format_map(groups) if url else f"https://{tail}"
            return Link(platform, canonical, groups.get("post"), kind, groups.get("target"))
    return Link(platform, f"https://{tail}")
