"""Several files as one answer: multipart/x-mixed-replace, its framing to the byte, its files streamed from the disk.

The published client finds the boundary by searching for it, reads no length, takes the file's name from the last
thing on its line, and reads the meta data as a Python literal; what is written here is what it and RFC 2046 both read.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import Send

from clipstead.media.mime import mime_of
from clipstead.model import Post
from clipstead.server.presence import StreamCut
from clipstead.server.sending import hand_over

BOUNDARY = b"simple_boundary"
MARK = b"--" + BOUNDARY
CONTENT_TYPE = f"multipart/x-mixed-replace; boundary={BOUNDARY.decode()}"
_CHUNK = 256 * 1024
_META_BYTES = 2600  # of each text as JSON: with both, in base64, the header stays below the 8 KB that programs take
_CLOSING = MARK + b"--\r\n"


@dataclass(frozen=True, slots=True)
class Part:
    """One file, open at `descriptor`: it may have no name on the disk any more. `name` is ASCII without separators."""

    name: str
    descriptor: int
    size: int

    @property
    def mime(self) -> str:
        """By its ending."""
        return mime_of(self.name.rpartition(".")[2])

    @property
    def head(self) -> bytes:
        """What stands before its bytes."""
        told = f'Content-Type: {self.mime}\r\nContent-Disposition: attachment; filename="{self.name}"\r\n\r\n'
        return MARK + b"\r\n" + told.encode("ascii")


def meta(post: Post) -> str:
    """The Content-Meta header: base64 of a JSON object of two texts, always both, in plain UTF-8."""
    text = _cut(post.title)
    return base64.b64encode(json.dumps({"title": text, "desc": text}, ensure_ascii=False).encode()).decode("ascii")


def length(parts: Sequence[Part]) -> int:
    """Bytes of the whole body."""
    return sum(len(part.head) + part.size + 2 for part in parts) + len(_CLOSING)


async def pour(send: Send, parts: Sequence[Part]) -> None:
    """The body, in pieces, as fast as the reader takes them. Raises StreamCut."""
    for part in parts:
        await hand_over(send, part.head)
        await pour_file(send, part)
        await hand_over(send, b"\r\n")
    await send({"type": "http.response.body", "body": _CLOSING, "more_body": False})


async def pour_file(send: Send, part: Part) -> None:
    """A file's bytes, read in a thread. Raises StreamCut."""
    at = 0
    while at < part.size:
        piece = await asyncio.to_thread(os.pread, part.descriptor, min(_CHUNK, part.size - at), at)
        if not piece:
            raise StreamCut("a prepared file is shorter than it was")
        at += len(piece)
        await hand_over(send, piece)


def _cut(text: str) -> str:
    """As much of it as may stand in a header, ending with a whole character."""
    text = text.strip().encode("utf-8", "replace")[:_META_BYTES].decode("utf-8", "ignore")
    while len(json.dumps(text, ensure_ascii=False).encode()) > _META_BYTES:
        text = text[: len(text) * 3 // 4]  # full of quotes, or worse
    return text
