"""What starting costs: CPU of `clipstead --help`, and seconds until a server answers /healthz."""

from __future__ import annotations

import resource
import statistics
import subprocess

from bench.processes import clipstead
from bench.stage import server, world

RUNS = 9


def help_cpu() -> float:
    """CPU seconds of one `clipstead --help`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([clipstead(), "--help"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prints medians."""
    help_cpu()
    costs = sorted(help_cpu() for _ in range(RUNS))
    print(
        f"clipstead --help: median {statistics.median(costs) * 1000:.0f} ms of CPU, at most {costs[-1] * 1000:.0f} ms"
    )
    with world() as stage:
        waits = []
        for _ in range(RUNS):
            with server(stage) as ours:
                waits.append(ours.ready_seconds)
    waits.sort()
    print(f"server ready: median {statistics.median(waits):.2f} s from its start, at most {waits[-1]:.2f} s")


if __name__ == "__main__":
    main()
