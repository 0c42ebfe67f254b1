"""The JSON body of a download, judged in the order of the documents: the link before the sort of content. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import orjson

from clipstead.errors import BadRequest, ClipsteadError, UnsupportedLink
from clipstead.model import Link
from clipstead.server.dialects.base import tiktok_post

Content = Literal["ORIGINAL", "VIDEO_ONLY"]
# The documents' name, then the one that the published client sends.
_CONTENT_KEYS = ("download_content_type", "content_type")


class MissingUrl(BadRequest):
    """No link was given."""

    code: ClassVar[str] = "missing_url"


class WrongContent(BadRequest):
    """The sort of content is none, or was not given."""

    code: ClassVar[str] = "wrong_content"


class Invalid(BadRequest):
    """The body is not of the shape it must have: `loc` says where, `kind` what is wrong, in pydantic's old words."""

    code: ClassVar[str] = "invalid"

    def __init__(self, loc: tuple[str | int, ...], message: str, kind: str) -> None:
        super().__init__(message)
        self.loc, self.kind = loc, kind


class NoFiles(ClipsteadError):
    """Nothing can be had under this link."""

    code: ClassVar[str] = "no_files"


@dataclass(frozen=True, slots=True)
class Ask:
    """The files behind `link`: as they are, or as one video whatever they are."""

    link: Link
    content: Content


def judge(body: bytes, default: Content | None) -> Ask:
    """The request; `default` is the sort of content where none is given.

    Raises Invalid, MissingUrl, NoFiles (a link that leads to no post of TikTok's), WrongContent.
    """
    fields = _object(body)
    url = fields.get("url")
    if url is None or (isinstance(url, str) and not url.strip()):
        raise MissingUrl("URL is required")
    if not isinstance(url, str):
        raise Invalid(("body", "url"), "str type expected", "type_error.str")
    content = _content(fields, default)
    return Ask(_link(url), content)


def _object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        raise Invalid(("body",), "field required", "value_error.missing")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(("body", error.pos), "invalid JSON", "value_error.jsondecode") from None
    if not isinstance(found, dict):
        raise Invalid(("body",), "value is not a valid dict", "type_error.dict")
    return found


def _content(fields: dict[str, Any], default: Content | None) -> Content:
    given = next((fields[key] for key in _CONTENT_KEYS if fields.get(key) is not None), default)
    if given == "ORIGINAL":
        return "ORIGINAL"
    if given == "VIDEO_ONLY":
        return "VIDEO_ONLY"
    raise WrongContent("Invalid content type")


def _link(url: str) -> Link:
    try:
        return tiktok_post(url)
    except UnsupportedLink as error:
        raise NoFiles(str(error)) from None
