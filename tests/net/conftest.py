"""The wire for the net tests: a CA of our own, origins that count and record, faked DNS, little proxies."""

import asyncio
import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_NAMES = ("*.good.test", "good.test", "other.test", "*.other.test", "www.tiktok.com", "localhost")


@dataclass(frozen=True)
class TestAuthority:
    """A certificate authority that no system knows: `ca_file` its root, `server` a TLS context for the test names."""

    __test__ = False

    ca_file: Path
    server: ssl.SSLContext


@dataclass
class Origin:
    """A web server on 127.0.0.1: `routes` by path, every request recorded, every connection counted."""

    tls: ssl.SSLContext | None = None
    address: str = "127.0.0.1"
    routes: dict[str, Handler] = field(default_factory=dict)
    requests: list[web.BaseRequest] = field(default_factory=list)
    peers: set[object] = field(default_factory=set)
    ended: int = 0
    port: int = 0
    _runner: web.ServerRunner | None = None

    async def start(self) -> None:
        runner = self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)
        await runner.setup()
        listener = socket.create_server((self.address, self.port))
        self.port = listener.getsockname()[1]
        await web.SockSite(runner, listener, ssl_context=self.tls).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        if request.transport is not None:
            self.peers.add(request.transport.get_extra_info("peername"))
        handler = self.routes.get(request.path)
        try:
            if handler is None:
                return web.Response(text=f"{request.host}{request.path_qs}")
            return await handler(request)  # type: ignore[arg-type] # a BaseRequest is all that the handlers look at
        finally:
            self.ended += 1

    def redirect(self, path: str, location: str, *, status: int = 302, cookies: tuple[str, ...] = ()) -> None:
        """Answer `path` with a redirect to exactly `location`, setting `cookies` (whole Set-Cookie values)."""

        async def handler(_: web.Request) -> web.Response:
            response = web.Response(status=status, headers={"Location": location})
            for cookie in cookies:
                response.headers.add("Set-Cookie", cookie)
            return response

        self.routes[path] = handler


@dataclass
class Sentinel:
    """Listeners that nobody may ever reach: `connections` counts who did."""

    connections: int = 0
    sockets: list[socket.socket] = field(default_factory=list)
    port: int = 0
    _servers: list[asyncio.Server] = field(default_factory=list)

    async def listen(self, address: str, port: int) -> None:
        server = await asyncio.start_server(self._seen, address, port)
        self.port = server.sockets[0].getsockname()[1]
        self._servers.append(server)

    async def _seen(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()

    async def stop(self) -> None:
        for server in self._servers:
            server.close()
            await server.wait_closed()


@dataclass
class FakeDns:
    """Answers by host: each look-up takes the next list, the last one stays; an unknown host does not exist."""

    answers: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        known = self.answers.get(host)
        if known is None:
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        return known.pop(0) if len(known) > 1 else known[0]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TestAuthority:
    """One CA and one server certificate for the whole run."""
    folder = tmp_path_factory.mktemp("authority")
    now = datetime.datetime.now(datetime.UTC)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Clipstead test root")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    window = (now - datetime.timedelta(days=1), now + datetime.timedelta(days=2))

    def begin(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(root_name).public_key(public)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(window[0]).not_valid_after(window[1])

    root = begin(root_name, root_key.public_key()).add_extension(x509.BasicConstraints(True, None), True)
    root_certificate = root.add_extension(identifier, False).sign(root_key, hashes.SHA256())
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in _NAMES]
    alternatives += [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = begin(x509.Name([]), key.public_key()).add_extension(x509.SubjectAlternativeName(alternatives), True)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    certificate = leaf.add_extension(issuer, False).sign(root_key, hashes.SHA256())

    ca_file, chain = folder / "ca.pem", folder / "server.pem"
    ca_file.write_bytes(root_certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return TestAuthority(ca_file, context)


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    """A plain http origin."""
    server = Origin()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def secure(authority: TestAuthority) -> AsyncIterator[Origin]:
    """An https origin with a certificate for the test names."""
    server = Origin(tls=authority.server)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def sentinel(origin: Origin) -> AsyncIterator[Sentinel]:
    """Listens wherever a slip could lead: the origin's port on refused loopback addresses, and port 80 if it may."""
    guard_dog = Sentinel()
    for address, port in (("127.0.0.2", origin.port), ("::1", origin.port), ("127.0.0.2", 80), ("::1", 80)):
        with suppress(OSError):  # no IPv6 here, or no right to port 80
            await guard_dog.listen(address, port)
    yield guard_dog
    await guard_dog.stop()


@pytest.fixture
def dns() -> FakeDns:
    """A resolver that knows what a test tells it."""
    return FakeDns()
