"""Text as words to search by, and questions as what Postgres looks for; pure.

Postgres' own parser cannot part Chinese, Japanese or Thai into words, and takes no accent off without an extension that
is not everywhere. So words are made here, the same way for what is kept and for what is asked: compatibility forms and
accents are folded, letters lowered; runs of scripts that put no blanks between words become overlapping pairs of signs,
so that any part of them is found as a phrase of pairs.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff\u1100-\u11ff"  # Burmese, Khmer, Hangul's parts
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b\u3041-\u3096\u3099\u309a\u309d-\u309f"
    "\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"  # Kana, Bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han
    "\uac00-\ud7af"  # Hangul, whose blanks stand between more than words
)
# Accents, and the marks of Hebrew, Arabic and the Indian scripts, which belong to the word they stand in.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff"
_SIGN = f"[^\\W_{_UNSPACED}]"
_TOKEN = re.compile(f"(?P<word>{_SIGN}(?:{_SIGN}++|[{_MARKS}]++)*+)|(?P<run>[{_UNSPACED}]+)")
_ACCENTS = re.compile("[\u0300-\u036f]")
_TAG = re.compile(f"[#＃]((?:\\w|[\\u0e00-\\u0eff{_MARKS}])+)")
_QUESTION = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_LONGEST_WORD = 64
_MOST_WORDS = 3_500  # of four bytes a sign they are still below the megabyte that a tsvector may have
_LAST_PLACE = 16_000  # Postgres counts no further than 16,383
_GAP = 8  # between parts, so that no phrase spans two of them
_LONGEST_QUESTION = 500


def fold(text: str) -> str:
    """Lower case, compatibility forms made plain, accents off."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", plain))


def tags(text: str) -> list[str]:
    """The tags in a caption, folded and without their sign, each once."""
    return list(dict.fromkeys(fold(tag)[:_LONGEST_WORD] for tag in _TAG.findall(text)))


def tsvector(caption: str, author: Iterable[str] = (), sound: Iterable[str] = (), subtitles: str = "") -> str:
    """The parts of a post as the text of a tsvector: weights A to D in this order, and "#tag" for each tag."""
    places: dict[str, list[str]] = defaultdict(list)
    place = 0
    for weight, parts in (("A", [caption]), ("B", author), ("C", sound), ("D", [subtitles])):
        for part in parts:
            for word, step in _words(part):
                place += step
                if place < _LAST_PLACE and (word in places or len(places) < _MOST_WORDS):
                    places[word].append(f"{place}{weight}")
            place += _GAP
    for tag in tags(caption):
        places[f"#{tag}"] = []
    return " ".join(_quoted(word) + (":" + ",".join(at[:255]) if at else "") for word, at in places.items())


def tsquery(question: str) -> str:
    """A question as the text of a tsquery, "" if there is nothing in it to look for.

    All words must be there, those in quotes side by side; `-word` must not; `begin*` stands for what begins so, `#tag`
    for a tag.
    """
    terms = []
    for sign, phrase, word in _QUESTION.findall(question[:_LONGEST_QUESTION]):
        term = _term(phrase or word, tag=word)
        if term:
            terms.append(f"!({term})" if sign else term)
    return " & ".join(terms) if any(not term.startswith("!") for term in terms) else ""


def _term(text: str, *, tag: str) -> str:
    if tag[:1] in ("#", "＃") and (named := tags(tag)):
        return _quoted(f"#{named[0]}")
    lexemes = list(_asked(text))
    if text.endswith("*") and lexemes:
        lexemes[-1] = lexemes[-1].removesuffix(":*") + ":*"
    return " <-> ".join(lexemes)


def _asked(text: str) -> Iterator[str]:
    """As kept, but a run's last sign alone would stand for itself only: it is left out, or stands for a beginning."""
    for match in _TOKEN.finditer(fold(text)):
        if match["word"]:
            yield _quoted(match["word"][:_LONGEST_WORD])
        elif len(run := match["run"]) == 1:
            yield _quoted(run) + ":*"
        else:
            yield from (_quoted(run[at : at + 2]) for at in range(len(run) - 1))


def _words(text: str) -> Iterator[tuple[str, int]]:
    """Each word, and how far it stands from the one before it: a run's last sign stands where its last pair does."""
    for match in _TOKEN.finditer(fold(text)):
        if match["word"]:
            yield match["word"][:_LONGEST_WORD], 1
        else:
            run = match["run"]
            yield from ((run[at : at + 2], 1) for at in range(max(1, len(run) - 1)))
            if len(run) > 1:
                yield run[-1], 0


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
