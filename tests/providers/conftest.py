"""The wire for the provider tests: a little TikTok over TLS on loopback, asked through the real Pages."""

import datetime
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clipstead.net.guard import Guard
from clipstead.net.pages import Pages

HOSTS = ("www.tiktok.com", "vm.tiktok.com", "vt.tiktok.com", "www.tikwm.com", "api.tikliveapi.com")
MARKER = "__UNIVERSAL_DATA_FOR_REHYDRATION__"


@dataclass
class Said:
    """One answer of the little TikTok; `cut` announces more bytes than it sends."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass
class Asked:
    """One request it got."""

    host: str
    path: str
    method: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    query: Mapping[str, str]


class Site:
    """Answers each path with the replies it was given, in turn; the last one stays. Everything asked is kept."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._replies: dict[str, list[Said]] = {}

    def say(self, path: str, *replies: Said) -> None:
        """`path` as it stands, or with its host before it ("vm.tiktok.com/X")."""
        self._replies[path] = list(replies)

    def paths(self) -> list[str]:
        """The paths that were asked, in order."""
        return [asked.path for asked in self.asked]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        host = request.host.partition(":")[0]
        self.asked.append(
            Asked(host, request.path, request.method, dict(request.headers), dict(request.cookies), dict(request.query))
        )
        replies = self._replies.get(host + request.path) or self._replies.get(request.path) or [Said(status=404)]
        said = replies.pop(0) if len(replies) > 1 else replies[0]
        headers = {"Content-Type": "text/html", **said.headers}
        if not said.cut:
            return web.Response(body=said.body, status=said.status, headers=headers)
        response = web.StreamResponse(
            status=said.status, headers={**headers, "Content-Length": str(len(said.body) + 99)}
        )
        await response.prepare(request)
        await response.write(said.body)
        if request.transport is not None:
            request.transport.close()
        return response


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A CA of our own (its file), and a server's TLS context for HOSTS."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Clipstead provider tests")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("provider-ca")
    public, chain = certificate.public_bytes(serialization.Encoding.PEM), folder / "chain.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(public + private)
    (folder / "ca.pem").write_bytes(public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return folder / "ca.pem", context


@pytest.fixture
def site() -> Site:
    """The little TikTok, before anybody told it what to say."""
    return Site()


@pytest.fixture
async def net(site: Site, authority: tuple[Path, ssl.SSLContext]) -> AsyncIterator[Pages]:
    """The real Pages, led to `site` for all of HOSTS."""
    ca_file, tls = authority
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await listener.start()
    port = runner.addresses[0][1]
    guard = Guard(connect_to=[f"{host}:443:127.0.0.1:{port}" for host in HOSTS])
    pages = Pages(guard, ca_file=str(ca_file), timeout=5.0)
    yield pages
    await pages.close()
    await runner.cleanup()


@pytest.fixture(scope="session")
def said() -> type[Said]:
    """The class of the little TikTok's answers."""
    return Said


@pytest.fixture(scope="session")
def recorded(samples: Path) -> Callable[[str], bytes]:
    """The bytes of a recording, by its path below shared/samples."""
    return lambda name: (samples / name).read_bytes()


@pytest.fixture(scope="session")
def shape(repository: Path) -> Callable[[str], dict[str, Any]]:
    """A fixture of our own, in the shape of a recording, fresh at each call."""

    def read(name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((repository / "tests" / "data" / name).read_bytes())
        return found

    return read


@pytest.fixture(scope="session")
def page_of() -> Callable[..., bytes]:
    """A page that carries `scope` the way TikTok's do."""

    def wrap(scope: Mapping[str, Any], *, opening: str = f'<script id="{MARKER}" type="application/json">') -> bytes:
        around = {
            "webapp.app-context": {"language": "en"},
            "webapp.i18n-translation": {"a": '"webapp.video-detail":{'},
        }
        data = json.dumps({"__DEFAULT_SCOPE__": {**around, **scope, "webapp.a-b": {}}}).replace("<", "\\u003c")
        return f"<!doctype html><html><head>{opening}{data}</script></head><body></body></html>".encode()

    return wrap


@pytest.fixture(scope="session")
def post_page(page_of: Callable[..., bytes]) -> Callable[..., bytes]:
    """The page of an item, as a desktop browser gets it or under another key."""

    def wrap(item: Any, key: str = "webapp.video-detail", **status: Any) -> bytes:
        detail = {"statusCode": 0, "statusMsg": "", **status}
        if item is not None:
            detail["itemInfo"] = {"itemStruct": item}
        return page_of({key: detail})

    return wrap
