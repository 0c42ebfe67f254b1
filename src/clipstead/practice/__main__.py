"""`python -m clipstead.practice`: runs the practice world until Ctrl-C and says how to reach it."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from clipstead.practice import faults
from clipstead.practice.world import CONTROL_HOST, World


def main(arguments: list[str] | None = None) -> int:
    """Run it; exit code 0 after Ctrl-C or SIGTERM, 1 if a port is taken."""
    parser = argparse.ArgumentParser(prog="python -m clipstead.practice", description="An offline TikTok on loopback.")
    parser.add_argument("--port", type=int, default=0, help="HTTPS port (any)")
    parser.add_argument("--http-port", type=int, default=0, help="HTTP port (any)")
    parser.add_argument("--dir", type=Path, help="folder that keeps the certificate authority (a temporary one)")
    parser.add_argument("--posts", type=int, default=60, help="how many posts there are (60)")
    parser.add_argument("--seed", type=int, default=1, help="which world (1)")
    parser.add_argument("--video-bytes", type=int, default=200_000, help="size of the best quality of a video (200000)")
    parser.add_argument("--faults", action="store_true", help="print the table of faults and leave")
    options = parser.parse_args(arguments)
    if options.faults:
        sys.stdout.write(faults.__doc__ or "")
        return 0
    try:
        asyncio.run(_run(options))
    except OSError as error:
        sys.stderr.write(f"practice: {error}\n")
        return 1
    return 0


async def _run(options: argparse.Namespace) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    world = World(
        seed=options.seed,
        posts=options.posts,
        video_bytes=options.video_bytes,
        port=options.port,
        http_port=options.http_port,
        folder=options.dir,
    )
    async with world:
        sys.stdout.write(_greeting(world))
        sys.stdout.flush()
        await stop.wait()


def _greeting(world: World) -> str:
    lines = ["The practice world is open. Ctrl-C closes it.", "", "# settings for Clipstead:"]
    lines += [f"export {name}={value!r}" for name, value in world.environment.items()]
    lines += [f"# for curl: --cacert {world.ca_file} --connect-to ::127.0.0.1:{world.port}", "", "# links to try:"]
    lines += [post.url for post in (world.post("video"), world.post("video", 1), world.post("photo"))]
    lines += [world.post("video", 2).short_url, world.users[0].url, world.tags[0].url, ""]
    lines += [f"# switchboard: http://127.0.0.1:{world.http_port}/_/ (also https://{CONTROL_HOST}/_/)", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
