"""How long a client waits for a server: never for ever, and never longer than it was told."""

import itertools

import pytest

from clipstead.client.patience import Patience


@pytest.mark.parametrize("pause", [0, 0.0, 0.01, 0.5])
@pytest.mark.parametrize("status", [None, 200, 503])
def test_a_stream_is_given_up_in_the_end(pause: float, status: int | None) -> None:
    patience = Patience(tries=12, pause=pause)
    waits = list(itertools.takewhile(lambda wait: wait is not None, (
        patience.reopen(failures, status=status) for failures in range(1, 3000)
    )))  # fmt: skip
    assert len(waits) < 50 and max((wait for wait in waits if wait is not None), default=0.0) <= patience.longest
