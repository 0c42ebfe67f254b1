"""Every route that the server has is written down in docs/operating.md."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from clipstead.net.download import Fetcher
from clipstead.net.guard import Guard
from clipstead.net.pages import Pages
from clipstead.resolve import PostCache, Resolver, Rotation
from clipstead.server import ServerOptions, create


def _paths(routes: Iterable[Any]) -> set[str]:
    """The paths of all routes, of included routers too."""
    found: set[str] = set()
    for route in routes:
        inner = getattr(route, "original_router", None)
        found |= _paths(inner.routes) if inner is not None else {route.path}
    return found


async def _all_paths() -> set[str]:
    guard = Guard()
    net, fetcher = Pages(guard), Fetcher(guard)
    resolver = Resolver(Rotation([]), PostCache(1, 1), net)
    try:
        app: Any = create(resolver, fetcher, ServerOptions(secret=(b"x" * 32,)))
        while not hasattr(app, "routes"):
            app = app._inner
        return _paths(app.routes)
    finally:
        await resolver.close()
        await fetcher.close()
        await net.close()


async def test_every_route_is_documented_and_nothing_else_is(repository: Path) -> None:
    """The table of paths names exactly the routes there are."""
    text = (repository / "docs" / "operating.md").read_text()
    rows = re.findall(r"^\| (`/.*?) \|", text, re.MULTILINE)
    documented = {path for row in rows for path in re.findall(r"`(/[^`]*)`", row)}
    assert documented == await _all_paths()
