"""What docs/providers.md says is so: its example runs, and it names every provider."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
from aiohttp import web

from clipstead.errors import PostUnavailable, ProviderFailed, ResolveFailed
from clipstead.net.egress import Egress
from clipstead.net.guard import Guard
from clipstead.net.pages import Pages
from clipstead.resolve import PostCache, Resolver, Rotation
from clipstead.resolve.links import parse as parse_link
from clipstead.resolve.providers import BUILDERS, Parts

ID = "7106594312292453675"
ANSWER = {"post": {"id": ID, "caption": "Hello", "user": "me", "video_url": "https://cdn.example/v.mp4", "bytes": "12"}}


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "providers.md").read_text()


@pytest.fixture
def example(page: str, tmp_path: Path) -> ModuleType:
    """The example as a module; it speaks plain http here, for want of a certificate."""
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "clips.py"
    file.write_text(code.replace("https://clips.example", "http://clips.example"))
    spec = importlib.util.spec_from_file_location("clips", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_examples_parser_reads_a_payload_and_says_what_is_wrong(example: ModuleType) -> None:
    link = parse_link(ID)
    post = example.parse(json.dumps(ANSWER).encode(), link)
    assert (post.id, post.title, post.author.username, post.media[0].size) == (ID, "Hello", "me", 12)
    for odd in (b"<html>", b"{}", b'{"post": {"video_url": "file:///etc/passwd"}}', b"[1"):
        with pytest.raises(ProviderFailed):
            example.parse(odd, link)


async def test_the_example_resolves_a_link_over_the_wire(example: ModuleType) -> None:
    """Built as the app builds it, asked by the real resolver through the real guard."""
    statuses = [200, 410, 429]

    async def answer(request: web.BaseRequest) -> web.Response:
        assert (request.path, request.headers["Accept-Language"]) == (f"/api/posts/{ID}", "fr")
        return web.json_response(ANSWER, status=statuses.pop(0))

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    guard = Guard(connect_to=[f"clips.example:80:127.0.0.1:{runner.addresses[0][1]}"])
    net = Pages(guard)
    resolver = Resolver(Rotation([example.build(Parts(egress=Egress(guard)))]), PostCache(), net)
    try:
        resolution = await resolver.resolve(f"https://www.tiktok.com/@me/video/{ID}", language="fr")
        assert (resolution.provider, resolution.post.title) == ("clips", "Hello")
        with pytest.raises(PostUnavailable):
            await resolver.resolve(ID, language="fr", fresh=True)
        with pytest.raises(ResolveFailed, match="blocked"):
            await resolver.resolve(ID, language="fr", fresh=True)
    finally:
        await resolver.close()
        await net.close()
        await runner.cleanup()


def test_every_provider_is_named_in_order(page: str) -> None:
    assert re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE) == list(dict(BUILDERS))
