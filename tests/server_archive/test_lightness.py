"""A server whose archive nobody reads carries nothing for it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("obstore", "pyarrow", "duckdb", "mcp", "yt_dlp.extractor._extractors", "yt_dlp_ejs")


def test_a_server_loads_no_cloud_and_no_tables() -> None:
    """Until somebody asks for a file of a store that is a cloud's."""
    code = f"import clipstead.cli.serve, sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
