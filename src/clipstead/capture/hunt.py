"""One file is hunted down: variant by variant, mirror by mirror, try by try, until one is good."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clipstead.capture.choose import Want, addresses
from clipstead.capture.pieces import look
from clipstead.capture.renewal import Renewal, is_refusal
from clipstead.capture.suitable import check, is_silent
from clipstead.errors import AddressRefused, BadMedia, DownloadFailed
from clipstead.media import Probe, Source, examine, probe
from clipstead.model import Media, MediaKind, Post
from clipstead.net.download import Fetched, Throttled

Progress = Callable[[Media, int, int | None], None]
Fault = DownloadFailed | AddressRefused | BadMedia
_FAULTS = (DownloadFailed, AddressRefused, BadMedia)
_LONGEST_WAIT = 10.0
_REASONS_TOLD = 6
_random = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Landed:
    """A good file that is not in its place yet."""

    media: Media
    fetched: Fetched
    probe: Probe


@dataclass(frozen=True, slots=True)
class Rules:
    """`attempts` for each address, `failures` for a whole file, `backoff` the first pause in seconds.

    `at_hand`: a file is looked at where we are, which takes a millisecond, instead of in a thread.
    """

    attempts: int
    failures: int
    backoff: float
    at_hand: bool = False


class _GaveUp(Exception):
    """So many tries have failed that the rest is not worth the wait."""


class Hunt:
    """The search for one want of `post`; `fetch` downloads one address of a media into a part file."""

    def __init__(
        self,
        post: Post,
        renewal: Renewal,
        fetch: Callable[[Media, str], Awaitable[Fetched]],
        rules: Rules,
    ) -> None:
        self._post = post
        self._renewal = renewal
        self._fetch = fetch
        self._rules = rules
        self._faults: list[tuple[str, Fault]] = []

    async def catch(self, want: Want) -> Landed:
        """The best file that is good. A video without sound is only taken when no other variant has any.

        Raises DownloadFailed that names what was wrong with each; PostUnavailable; StorageError.
        """
        silent: Landed | None = None
        with suppress(_GaveUp):
            for media in want.candidates:
                landed = await self._variant(media)
                if landed is None:
                    continue
                if want.silent or not is_silent(landed.media, landed.probe):
                    return landed
                silent = silent or landed
        if silent is not None:
            return silent
        raise self._verdict()

    async def _variant(self, media: Media) -> Landed | None:
        media = self._renewal.current(media)
        if self._renewal.expired(media):
            media = await self._renewal.renew(media) or media
        landed = await self._addresses(media)
        if landed is None and is_refusal(self._faults[-1][1]):
            renewed = await self._renewal.renew(media)
            landed = await self._addresses(renewed) if renewed else None
        return landed

    async def _addresses(self, media: Media) -> Landed | None:
        for url in addresses(media):
            landed = await self._address(media, url)
            if landed is not None:
                return landed
            if is_refusal(self._faults[-1][1]) and not self._renewal.spent:
                return None  # mirrors expire together
        return None

    async def _address(self, media: Media, url: str) -> Landed | None:
        attempts = 1 if media.segmented else self._rules.attempts  # each piece has had its own
        for attempt in range(attempts):
            try:
                return await self._once(media, url)
            except _FAULTS as fault:
                self._note(media, fault)
                if not fault.transient or is_refusal(fault):
                    return None
                last = fault
            if attempt + 1 < attempts:
                await asyncio.sleep(self._pause(attempt, last))
        return None

    async def _once(self, media: Media, url: str) -> Landed:
        fetched = await self._fetch(media, url)
        try:
            if media.segmented:
                return Landed(media, fetched, look(media, fetched.part.path))
            found = _look(fetched) if self._rules.at_hand else await asyncio.to_thread(_look, fetched)
            check(media, found, self._post)
        except BaseException:
            fetched.part.discard()
            raise
        return Landed(media, fetched, found)

    def _note(self, media: Media, fault: Fault) -> None:
        self._faults.append((media.variant, fault))
        if len(self._faults) >= self._rules.failures:
            raise _GaveUp

    def _pause(self, attempt: int, fault: Fault) -> float:
        """Seconds before the next try: what the site asks for, within reason, else a doubling pause with jitter."""
        if isinstance(fault, Throttled):
            return min(fault.retry_after, _LONGEST_WAIT)
        return min(self._rules.backoff * (1 << attempt) * _random.uniform(0.5, 1.5), _LONGEST_WAIT)

    def _verdict(self) -> DownloadFailed:
        variants: dict[str, list[str]] = {}
        for variant, fault in self._faults:
            variants.setdefault(str(fault), []).append(variant)
        reasons = [f"{reason} ({', '.join(dict.fromkeys(names))})" for reason, names in variants.items()]
        told = "; ".join(reasons[:_REASONS_TOLD]) + ("; ..." if len(reasons) > _REASONS_TOLD else "")
        statuses = [fault.status for _, fault in self._faults if isinstance(fault, DownloadFailed) and fault.status]
        return DownloadFailed(
            f"No file could be had: {told}",
            status=statuses[-1] if statuses else None,
            transient=any(fault.transient for _, fault in self._faults),
        )


def _look(fetched: Fetched) -> Probe:
    if not fetched.part.is_held:
        return probe(fetched.part.path)
    with fetched.part.read() as file:
        return examine(Source(file, fetched.bytes))


def rough_path(name: Callable[[Media, str], Path], media: Media) -> Path:
    """Where the file would go if it were what it claims to be."""
    return name(media, media.ext or _USUAL[media.kind])


_USUAL = {
    MediaKind.VIDEO: "mp4",
    MediaKind.IMAGE: "jpg",
    MediaKind.COVER: "jpg",
    MediaKind.AUDIO: "mp3",
    MediaKind.SUBTITLE: "vtt",
}
