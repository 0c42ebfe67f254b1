"""Nothing that may not be dialled is ever dialled: listeners count, and the kernel's own record is read."""

import asyncio
import base64
import json
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from clipstead.errors import AddressRefused, DownloadFailed
from clipstead.net.egress import Egress
from clipstead.net.guard import Guard
from clipstead.net.hosts import bracketed, is_ip_literal
from clipstead.net.pages import Pages

from .conftest import FakeDns, Origin, Sentinel

_DATA = Path(__file__).parents[1] / "data"
_ALLOWED_HERE = "127.0.0.1"
REFUSED = (_DATA / "addresses_refused.txt").read_text(encoding="utf-8").splitlines()
REFUSED.remove(_ALLOWED_HERE)
TO_THE_SENTINEL = (_DATA / "hosts_odd.txt").read_text(encoding="utf-8").splitlines()
HOSTS = [bracketed(address) for address in REFUSED] + TO_THE_SENTINEL


@dataclass
class EveryName:
    """A resolver that knows every name there is, and leads them all to the same place."""

    answers: list[str]

    async def __call__(self, host: str, port: int) -> list[str]:
        return self.answers


@pytest.fixture
def guard(origin: Origin, dns: FakeDns) -> Guard:
    """127.0.0.1 alone is allowed and good.test lives there; every *name* is dialled at the origin's port."""
    dns.answers = {"good.test": [["127.0.0.1"]], "localhost": [["127.0.0.2", "::1"]]}
    return Guard(allow=[_ALLOWED_HERE], connect_to=[f":::{origin.port}"], lookup=dns)


async def _refused(pages: Pages, url: str) -> bool:
    try:
        await pages.page(url)
    except AddressRefused:
        return True
    return False


def _public_address(guard: Guard, url: str) -> bool:
    try:
        return is_ip_literal(guard.check_url(url)[1])
    except AddressRefused:
        return False


async def _connect(egress: Egress, target: str, lease: str) -> str:
    """The status line that a CONNECT to `target` gets."""
    token, port = re.fullmatch(r"http://x:(.*)@127\.0\.0\.1:(\d+)", lease).groups()  # type: ignore[union-attr]
    login = base64.b64encode(f"x:{token}".encode()).decode()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    try:
        writer.write(f"CONNECT {target} HTTP/1.1\r\nProxy-Authorization: Basic {login}\r\n\r\n".encode())
        return (await reader.readline()).decode()
    finally:
        writer.close()


async def test_pages_never_dial_a_refused_form_named_in_a_link_or_in_a_redirect(
    guard: Guard, origin: Origin, sentinel: Sentinel
) -> None:
    pages = Pages(guard)
    try:
        for host in HOSTS:
            direct = f"http://{host}/"
            origin.redirect("/go", direct)
            for url in (direct, direct.replace("http", "https"), "http://good.test/go"):
                assert await _refused(pages, url), direct
        assert (await pages.page("http://good.test/")).status == 200
    finally:
        await pages.close()
    assert sentinel.connections == 0
    assert len(origin.requests) == len(HOSTS) + 1


async def test_hostile_links_asked_for_as_they_are_reach_nobody(origin: Origin, sentinel: Sentinel) -> None:
    """Users' links are never fetched; this is what would happen if one slipped through, every name leading inside."""
    links = [json.loads(line) for line in (_DATA / "hostile_links.txt").read_text(encoding="ascii").splitlines()]
    assert len(links) >= 500
    mapped = [f"good.test:80:127.0.0.1:{origin.port}", f":::{origin.port}"]
    guard = Guard(connect_to=mapped, lookup=EveryName(["127.0.0.2", "::1"]))
    pages = Pages(guard)
    try:
        for link in links:
            if _public_address(guard, link):  # may be dialled; not from a test
                continue
            assert await _refused(pages, link), link[:200]
            if len(link) < 4000 and not re.search(r"[\x00-\x1f\x7f]", link):
                origin.redirect("/go", link)
                with suppress(AddressRefused, DownloadFailed):  # or it is a path of good.test's own, even a loop
                    await pages.page("http://good.test/go")
    finally:
        await pages.close()
    assert sentinel.connections == 0


async def test_neither_way_out_dials_a_name_that_leads_to_a_refused_address(
    guard: Guard, origin: Origin, sentinel: Sentinel, dns: FakeDns
) -> None:
    pages, egress = Pages(guard), Egress(guard)
    await egress.start()
    lease = egress.lease()
    try:
        for address in [*REFUSED, "127.0.0.2", "fe80::1%1", "::ffff:127.0.0.2"]:
            for answers in ([address], ["127.0.0.1", address], [address, "127.0.0.1"]):
                dns.answers["bad.test"] = [answers]
                origin.redirect("/go", "http://bad.test/")
                assert await _refused(pages, "http://bad.test/"), answers
                assert await _refused(pages, "http://good.test/go"), answers
                assert (await _connect(egress, "bad.test:443", lease)).startswith("HTTP/1.1 403 Refused"), answers
    finally:
        await pages.close()
        await egress.stop()
    assert sentinel.connections == 0


async def test_a_name_that_answers_otherwise_every_time_is_dialled_only_where_it_was_judged(
    guard: Guard, origin: Origin, sentinel: Sentinel, dns: FakeDns
) -> None:
    """Rebinding: good and bad answers alternate; each call either reaches the judged address or is refused."""
    pages, egress = Pages(guard), Egress(guard)
    await egress.start()
    lease = egress.lease()
    try:
        dns.answers["flip.test"] = [["127.0.0.1"], ["127.0.0.2"]] * 20
        assert [await _refused(pages, "http://flip.test/") for _ in range(20)] == [False, True] * 10
        dns.answers["flip.test"] = [["127.0.0.1"], ["127.0.0.2"]] * 20
        statuses = [(await _connect(egress, "flip.test:80", lease))[9:12] for _ in range(20)]
        assert statuses == ["200", "403"] * 10
    finally:
        await pages.close()
        await egress.stop()
    assert sentinel.connections == 0
    assert len(origin.requests) == 10


async def test_the_egress_proxy_refuses_every_form_in_both_ways_of_asking(guard: Guard, sentinel: Sentinel) -> None:
    egress = Egress(guard)
    await egress.start()
    lease = egress.lease()
    try:
        for host in HOSTS:
            for target in (f"{host}:80", f"{host}:443", f"{host}:{sentinel.port}"):
                status = await _connect(egress, target, lease)
                assert status[9:12] in ("400", "403"), target
    finally:
        await egress.stop()
    assert sentinel.connections == 0


@pytest.mark.parametrize("literal", ["127.0.0.2", "::1"])
async def test_a_refused_address_stays_refused_even_where_a_mapping_moves_its_port(
    literal: str, origin: Origin, sentinel: Sentinel
) -> None:
    """Without the guard's judgement this very dial would reach the listener."""
    guard = Guard(connect_to=[f"{bracketed(literal)}:80::{origin.port}"])
    pages = Pages(guard)
    try:
        assert await _refused(pages, f"http://{bracketed(literal)}/")
    finally:
        await pages.close()
    assert sentinel.connections == 0


async def test_the_target_of_a_mapping_is_reached_through_it_and_refused_when_a_page_names_it(
    origin: Origin, dns: FakeDns
) -> None:
    guard = Guard(connect_to=[f"good.test:80:127.0.0.1:{origin.port}"], lookup=dns)
    dns.answers["rebound.test"] = [["127.0.0.1"]]
    pages = Pages(guard)
    try:
        for target in (f"http://127.0.0.1:{origin.port}/", "http://127.0.0.1/", "http://rebound.test/"):
            origin.redirect("/go", target)
            assert await _refused(pages, target)
            assert await _refused(pages, "http://good.test/go")
        assert (await pages.page("http://good.test/")).status == 200
    finally:
        await pages.close()
    assert [request.path for request in origin.requests] == ["/go"] * 3 + ["/"]


_SCRIPT = """
import asyncio, sys
from clipstead.errors import AddressRefused, DownloadFailed
from clipstead.net.guard import Guard
from clipstead.net.pages import Pages

async def main(hosts, addresses):
    seen = 0
    async def answer(reader, writer):
        nonlocal seen
        seen += 1
        await reader.readuntil(b"\\r\\n\\r\\n")
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
        writer.close()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    now = []
    async def lookup(host, _):
        return now
    pages = Pages(Guard(allow=["127.0.0.1/32"], connect_to=[f":::{port}"], lookup=lookup))
    now[:] = ["127.0.0.1"]
    assert (await pages.page("http://good.test/")).body == b"ok"
    for url in [f"{scheme}://{host}/" for host in hosts for scheme in ("http", "https")] + [None] * len(addresses):
        now[:] = ["127.0.0.1", addresses.pop()] if url is None else ["127.0.0.9"]
        try:
            await pages.page(url or "https://bad.test/")
        except AddressRefused:
            continue
        raise SystemExit(f"let through: {url or now}")
    await pages.close()
    server.close()
    assert seen == 1
    print("port", port)

asyncio.run(main(sys.argv[1].split(" "), sys.argv[2].split(" ")))
"""


def test_the_kernel_saw_no_connection_but_the_one_to_the_judged_address(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not on this machine")
    log = tmp_path / "calls"
    hosts = [host for host in HOSTS if host != "localhost"]
    command = [strace, "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-e", "signal=none", "-o", str(log)]
    run = subprocess.run(
        [*command, sys.executable, "-c", _SCRIPT, " ".join(hosts), " ".join(REFUSED)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "ptrace" in run.stderr and "not permitted" in run.stderr:
        pytest.skip("strace may not trace on this machine")
    assert run.returncode == 0, run.stderr[-2000:]
    port = run.stdout.split()[-1]
    dialled = [line for line in log.read_text().splitlines() if "AF_INET" in line]
    assert len(dialled) == 1, dialled
    assert f"sin_port=htons({port})" in dialled[0] and '"127.0.0.1"' in dialled[0]
