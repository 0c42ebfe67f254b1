"""What every dialect is built from, and what more than one of them asks of a link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from clipstead.capture import Capture
from clipstead.errors import UnsupportedLink
from clipstead.model import Link, LinkKind
from clipstead.resolve.links import parse
from clipstead.resolve.listing import Listing
from clipstead.resolve.lookups import Lookups
from clipstead.resolve.platforms import TIKTOK
from clipstead.resolve.resolver import Resolver
from clipstead.server.addresses import MediaAddresses
from clipstead.server.fastlane import Shelf
from clipstead.server.options import ServerOptions
from clipstead.server.quota import Quota
from clipstead.server.receivers import Receivers
from clipstead.server.sse import Streams
from clipstead.server.workroom import GetWorkroom


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the server that a dialect may use. `lane_totals` gives requests and bytes of the fast lane;

    `clock` is unix seconds, `ticks` never goes back; `home` answers a browser that asks for nothing in particular;
    `workroom` gives what stands on the database, or raises NotReady. `listing` and `lookups` are None where nobody is
    asked for lists and for anything but posts. `capture` fetches files for answers that hold them; `receivers` judges
    whom webhooks may go to; `streams` ends streams of events when the server stops.
    """

    resolver: Resolver
    addresses: MediaAddresses
    shelf: Shelf
    root_quota: Quota
    lane_totals: Callable[[], tuple[int, int]]
    home: Callable[[Request], Response]
    options: ServerOptions
    clock: Callable[[], float]
    ticks: Callable[[], float]
    workroom: GetWorkroom
    listing: Listing | None = None
    lookups: Lookups | None = None
    capture: Capture = field(kw_only=True)
    receivers: Receivers = field(kw_only=True)
    streams: Streams = field(kw_only=True)


def tiktok_post(text: str) -> Link:
    """The post of TikTok's that `text` leads to, a short link as it stands. UnsupportedLink for anything else."""
    link = parse(text)
    if link.platform != TIKTOK or link.kind not in (LinkKind.POST, LinkKind.SHORT):
        raise UnsupportedLink("This is no link to a post")
    return link
