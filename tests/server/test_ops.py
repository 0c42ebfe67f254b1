"""Health, metrics, documentation: there, complete, and at home offline."""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import pytest

VIDEO_ID = "7608826249200356630"
LINK = f"https://www.tiktok.com/@someone/video/{VIDEO_ID}"


async def test_health_is_200(stage: Any) -> None:
    """By GET and HEAD; readiness names the providers."""
    assert (await stage.get("/healthz")).json == {"status": "ok"}
    assert (await stage.ask("HEAD", "/healthz")).status == 200
    assert (await stage.get("/readyz")).json == {"status": "ready", "providers": {"shelf": "ok"}}
    stage.provider.maintenance = "no key"
    unready = await stage.get("/readyz")
    assert (unready.status, unready.json) == (503, {"status": "no provider", "providers": {"shelf": "no key"}})
    assert (await stage.get("/healthz")).status == 200


async def test_metrics_count_requests_providers_cache_and_bytes(stage: Any) -> None:
    """Lane answers are counted like the router's, and asking twice does not count twice."""
    for _ in range(4):
        reply = await stage.get(f"/?url={LINK}")
    await stage.get("/")
    media = await stage.get(reply.json["data"]["cover"])
    await stage.get("/metrics")
    await stage.settled()
    figures = _figures((await stage.get("/metrics")).body.decode())
    assert figures['clipstead_requests_total{dialect="clipx",status="200"}'] == 4
    assert figures['clipstead_requests_total{dialect="clipx",status="400"}'] == 1
    assert figures['clipstead_requests_total{dialect="media",status="200"}'] == 1
    assert figures['clipstead_sent_bytes_total{dialect="media"}'] == len(media.body)
    assert figures['clipstead_sent_bytes_total{dialect="clipx"}'] > 4 * 1000
    assert figures['clipstead_provider_attempts_total{outcome="ok",provider="shelf"}'] == 1
    assert figures['clipstead_provider_seconds_total{provider="shelf"}'] > 0
    assert figures['clipstead_cache_hits_total{by="fast_lane"}'] == 2
    assert figures['clipstead_cache_hits_total{by="resolver"}'] == 1
    assert figures["clipstead_cache_misses_total"] == 1
    assert figures["process_resident_memory_bytes"] > 0


def _figures(text: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


class _Outline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.script_text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in ("script", "style"):
            self.script_text += data.strip()


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_pages_load_nothing_from_elsewhere_and_hold_no_inline_code(stage: Any, path: str) -> None:
    """So they work offline under a policy that allows neither; every part they name is served."""
    page = await stage.get(path, headers={"Accept": "text/html"})
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    outline = _Outline()
    outline.feed(page.body.decode())
    assert outline.script_text == ""
    for tag, attributes in outline.tags:
        assert not {name for name in attributes if name.startswith("on") or name == "style"}
        if tag in ("script", "link", "img"):
            part = await stage.get("/" + (attributes.get("src") or attributes.get("href") or ""))
            assert part.status == 200
            assert not re.search(rb"https?://|@import|innerHTML|eval\(", part.body)
    again = await stage.get(path, headers={"Accept": "text/html", "If-None-Match": page.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_pages_lead_to_what_is_beside_them(stage: Any, path: str) -> None:
    """PUBLIC_URL may have a path, which the proxy takes away: no link of a page may begin at the root of the host."""
    outline = _Outline()
    outline.feed((await stage.get(path, headers={"Accept": "text/html"})).body.decode())
    links = [value for _, attrs in outline.tags for name, value in attrs.items() if name in ("href", "src", "action")]
    assert links
    for link in links:
        assert link
        assert not link.startswith("/")
        reached = urljoin(f"/some/where{path}", link)
        assert reached.startswith("/some/where/")
        reply = await stage.get(reached.removeprefix("/some/where"), headers={"Accept": "text/html"})
        assert reply.status == 200
    assert not re.search(rb"fetch\([\"'`]?/", (await stage.get("/assets/docs.js")).body)


async def test_openapi_names_every_public_route(stage: Any) -> None:
    """The contract's sixteen parameters, the media route, the operators' three, and Clipi's."""
    api = (await stage.get("/openapi.json")).json
    assert set(api["paths"]) >= {"/", "/media/{token}/{name}", "/healthz", "/readyz", "/metrics", "/api/video/info"}
    assert len(api["paths"]["/"]["get"]["parameters"]) == 16
    assert api["info"] == {"title": "Clipstead", "version": "9.9"}
