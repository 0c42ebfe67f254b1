"""The CDN: checks the address, the Referer and the cookie, then sends the file, or the part of it that Range wants."""

import re

from aiohttp import web

from clipstead.practice.addresses import DEAD, Refused
from clipstead.practice.files import File
from clipstead.practice.stage import Stage
from clipstead.practice.wire import Reply

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_NAMES = {"a": "sound", "s": "subtitle", "i": "image", "c": "cover", "o": "cover", "d": "cover", "u": "picture"}


class Cdn:
    """Answers for the CDN hosts."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._burned: set[tuple[str, str]] = set()  # owner and page mark: addresses that "expired" has ended

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The file at that address."""
        stage = self._stage
        stage.requests["cdn"] += 1
        try:
            ref, mark = stage.signer.judge(request.path, request.query_string, request.headers)
        except Refused as refusal:
            stage.requests[f"cdn refused: {refusal}"] += 1
            return await stage.wire.send(request, Reply(b"Forbidden", "text/plain", 403))
        await stage.note(f"cdn:{_NAMES.get(ref.kind, 'video')}", ref.owner)
        stage.asked[ref.owner, "cdn"] += 1
        burned = (ref.owner, mark) in self._burned
        fault = None if burned else stage.fault("cdn", ref.owner)
        if burned or (fault and fault.name == "expired"):
            self._burned.add((ref.owner, mark))
            return await stage.wire.send(request, Reply(b"Forbidden", "text/plain", 403))
        file = None if ref.flag == DEAD else stage.files.get(ref)
        if file is None:
            return await stage.wire.send(request, Reply(b"Not Found", "text/plain", 404))
        reply = _part(file, request.headers.get("Range", ""))
        return await stage.wire.send(request, reply, fault)


def _part(file: File, wanted: str) -> Reply:
    found, total = _RANGE.fullmatch(wanted), len(file.data)
    if not found or found[1] == found[2] == "":
        return Reply(file.data, file.type, headers=(("Accept-Ranges", "bytes"),))
    if found[1] == "":
        start, end = max(0, total - int(found[2])), total - 1
    else:
        start, end = int(found[1]), min(int(found[2] or total), total - 1)
    if start > end:
        return Reply(b"", "text/plain", 416, (("Content-Range", f"bytes */{total}"),))
    headers = (("Accept-Ranges", "bytes"), ("Content-Range", f"bytes {start}-{end}/{total}"))
    return Reply(memoryview(file.data)[start : end + 1], file.type, 206, headers)
