"""Settings that change what the house does, seen from outside."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from clipstead.app import open_app, signing_secrets
from clipstead.errors import AddressRefused, StorageError
from clipstead.settings import SettingsError, load


@pytest.fixture
async def tikwm(repository: Path) -> AsyncIterator[int]:
    """A tikwm-shaped API of the operator's own, on a port of its own."""
    body = json.loads((repository / "tests" / "data" / "tikwm_video.json").read_text())

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.json_response(body)

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_api_of_the_operators_own_may_be_at_hand(tikwm: int, repository: Path, host: str) -> None:
    """TIKWM_URL names it, so it is asked, though it is neither public nor on a web port."""
    post_id = json.loads((repository / "tests" / "data" / "tikwm_video.json").read_text())["data"]["id"]
    async with open_app(load(tikwm_url=f"http://{host}:{tikwm}", providers=("tikwm",))) as app:
        assert (await app.resolver.resolve(post_id)).post.id == post_id


async def test_and_only_under_the_name_it_was_given(tikwm: int) -> None:
    """The same address by another name, another port, or without the setting stays refused."""
    async with open_app(load(tikwm_url=f"http://localhost:{tikwm}")) as app:
        app.guard.check_url(f"http://localhost:{tikwm}/x")
        for url in (f"http://127.0.0.1:{tikwm}/", f"http://localhost:{tikwm + 1}/", "http://127.0.0.1/"):
            with pytest.raises(AddressRefused):
                app.guard.check_url(url)


async def test_a_bundle_without_certificates_is_one_line(tmp_path: Path) -> None:
    """It names the setting."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("no certificate\n")
    with pytest.raises(SettingsError, match=r"^CLIPSTEAD_CA_FILE: .*holds no usable certificates"):
        async with open_app(load(ca_file=str(bundle))):
            pass


@pytest.mark.parametrize("text", ["", "\n", "short"])
def test_a_kept_secret_that_protects_nothing_is_refused(tmp_path: Path, text: str) -> None:
    """An empty file, or one that somebody has shortened: one line that says what to do."""
    (tmp_path / "secret").write_text(text)
    with pytest.raises(StorageError, match="fewer than 16 bytes"):
        signing_secrets(load(data_dir=tmp_path))


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may give the process a number that nobody knows."""

    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setattr("os.geteuid", lambda: 4_242)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    for name in ("HOME", "XDG_DATA_HOME", "CLIPSTEAD_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match=r"^CLIPSTEAD_DATA_DIR: must be set"):
        load()
