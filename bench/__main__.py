"""`make bench`: every measurement, one after the other; a few minutes, best on a quiet machine."""

from __future__ import annotations

from bench import cached, downloads, parse, queue, startup, tunnels

for measurement in (parse, startup, tunnels, downloads, cached, queue):
    print(f"\n== {measurement.__doc__}")
    measurement.main()
