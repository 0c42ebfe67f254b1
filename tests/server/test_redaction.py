"""What opens something never stands in a log line."""

from __future__ import annotations

import pytest

from clipstead.server.logs import redacted


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("/api/download/63f08e1e-37c9-43f5-a0e2-79f5f4d18228", "/api/download/***"),
        ("/api/tools/download/63f08e1e-37c9-43f5-a0e2-79f5f4d18228?preview=1", "/api/tools/download/***?preview=1"),
        ("/api/tools/receipt/63f08e1e-37c9-43f5-a0e2-79f5f4d18228", "/api/tools/receipt/***"),
        ("/api/jobs/4563119919763279364", "/api/jobs/***"),
        ("/api/tools/jobs/4563119919763279364", "/api/tools/jobs/***"),
        ("/api/jobs/4563119919763279364/retry", "/api/jobs/***/retry"),
        ("/api/video/info", "/api/video/info"),
        ("/api/tools/trim-video", "/api/tools/trim-video"),
    ],
)
def test_ids_that_open_files(written: str, kept: str) -> None:
    """A job's id shows its result's address, and that address is all it takes to have it."""
    assert redacted(written) == kept
