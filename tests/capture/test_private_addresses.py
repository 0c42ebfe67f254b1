"""Addresses that may not be dialled, in a post or behind a redirect: refused, never dialled, got round."""

import pytest

from clipstead.errors import DownloadFailed

from .conftest import Studio, Trap, redirect, video

PRIVATE = [
    "http://127.0.0.1/v",
    "http://127.0.0.1:{port}/v",
    "http://localhost/v",
    "http://[::ffff:127.0.0.1]/v",
    "http://2130706433/v",
]


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_private_address_in_the_post_is_refused_and_never_dialled(
    studio: Studio, trap: Trap, address: str
) -> None:
    url = address.format(port=trap.port)
    with pytest.raises(DownloadFailed, match="Refused") as caught:
        await studio.take(video(url))
    assert not caught.value.transient
    (captured,) = await studio.take(video(url), video(studio.cdn.url("small.mp4"), "sd"))
    assert captured.media.variant == "sd" and trap.connections == 0


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_redirect_to_a_private_address_is_refused_and_never_dialled(
    studio: Studio, trap: Trap, address: str
) -> None:
    studio.cdn.always["away.mp4"] = redirect(address.format(port=trap.port))
    with pytest.raises(DownloadFailed, match="Refused"):
        await studio.take(video(studio.cdn.url("away.mp4")))
    assert trap.connections == 0 and studio.names() == [] and studio.cdn.asked == ["away.mp4"]
