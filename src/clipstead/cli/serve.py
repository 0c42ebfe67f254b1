"""`clipstead serve`: the server on this machine, told in three lines, ended gracefully by Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import uvicorn

from clipstead import __version__
from clipstead.app import open_app, signing_secrets, webhook_guard
from clipstead.cli.allocator import keep_memory
from clipstead.cli.backroom import Backroom
from clipstead.cli.exits import CannotWork, Exit, say, tell
from clipstead.cli.loop import fast_loop
from clipstead.server import BoundedProtocol, ServerOptions, Streams, configure_logs, create
from clipstead.server.workroom import no_workroom
from clipstead.settings import Settings, load, unknown_variables

_DESCRIPTORS = 65_536
_LAST_WORDS_SECONDS = 2.0

log = logging.getLogger(__name__)


def run(*, direct: bool = False) -> Exit:
    """Serve until told to stop; `direct` hands out CDN addresses whatever the setting says."""
    settings = load(direct_links=True) if direct else load()
    for name in unknown_variables():
        say(f"clipstead: {name} is no setting and is ignored (see docs/configuration.md)")
    configure_logs(settings.log_format, settings.log_level)
    _allow_descriptors()
    keep_memory()
    with listen(settings.host, settings.port) as listener, asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(serve(settings, listener, lambda: _tell(settings, listener), works=True))
    return Exit.DONE


def _allow_descriptors() -> None:
    """A reader of a tunnel takes two, and the usual 1024 is but the soft limit: take what the hard one gives."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if resource.RLIM_INFINITY != soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def listen(host: str, port: int) -> socket.socket:
    """The listening socket, or CannotWork in one line; uvicorn would end the process with a traceback of its own."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048, reuse_port=False)
    except OSError as error:
        reason = str(error.strerror).partition(" (while ")[0]  # create_server adds the address; the errno may be DNS's
        raise CannotWork(f"cannot listen on {host} port {port}: {reason}") from None


async def serve(
    settings: Settings, listener: socket.socket, started: Callable[[], None] | None = None, *, works: bool = False
) -> None:
    """Run the server on `listener` until a signal or cancellation; `started` is called once nothing can be wrong.

    With `works` there are jobs, on a database and worker processes that come up behind the server.
    """
    async with open_app(settings) as app:
        backroom = Backroom(app) if works else None
        room = backroom.room if backroom else no_workroom
        streams = Streams()
        asgi = create(
            app.resolver,
            app.fetcher,
            _options(settings),
            workroom=room,
            listing=app.listing,
            lookups=app.lookups,
            webhook_guard=webhook_guard(settings),
            streams=streams,
        )
        config = uvicorn.Config(
            asgi,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=True,
            proxy_headers=False,  # we judge X-Forwarded-For ourselves, by TRUSTED_PROXIES
            timeout_keep_alive=30,
        )
        server = _Server(config, streams, settings.stop_seconds)
        gc.collect()
        gc.freeze()  # what is there now stays: the collector need not walk through it again and again
        if started is not None:
            started()
        async with _open(backroom):
            await server.serve(sockets=[listener])


@asynccontextmanager
async def _open(backroom: Backroom | None) -> AsyncIterator[None]:
    """The backroom runs as long as the server does, and is closed in good order."""
    if backroom is None:
        yield
        return
    stop = asyncio.Event()
    running = asyncio.create_task(backroom.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


class _Server(uvicorn.Server):
    """uvicorn raises the signal that ended it once more; but a server that stopped as it was told has ended well."""

    def __init__(self, config: uvicorn.Config, streams: Streams, grace: float) -> None:
        super().__init__(config)
        self._streams = streams
        self._grace = grace

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """What has no end of its own is ended at once; what has one is waited for, but not for ever."""
        self._streams.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._grace):
                await super().shutdown(sockets)
        if left := self.server_state.tasks.copy():
            log.warning("answers broken off, since the server had to stop: %d", len(left))
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=_LAST_WORDS_SECONDS)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The first signal ends it gracefully, a second Ctrl-C at once."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


def _options(settings: Settings) -> ServerOptions:
    return ServerOptions(
        secret=signing_secrets(settings),
        version=__version__,
        public_url=settings.public_url,
        allowed_hosts=settings.allowed_hosts,
        trusted_proxies=settings.trusted_proxies,
        direct_links=settings.direct_links,
        clipx_per_minute=settings.clipx_per_minute,
        clipx_per_day=settings.clipx_per_day,
        clipx_unlimited_tokens=settings.clipx_unlimited_tokens,
        cache_seconds=settings.cache_seconds,
        contact_email=settings.contact_email,
        max_upload_bytes=settings.max_upload_bytes,
        dialects=settings.dialects,
        dialect_hosts=[(name, host) for name, _, host in (each.partition("=") for each in settings.dialect_hosts)],
        tiktokdl_per_minute=settings.tiktokdl_per_minute,
        tiktokdl_stored_links=settings.tiktokdl_stored_links,
        ttsave_per_minute=settings.ttsave_per_minute,
        ttsave_hd=settings.ttsave_hd,
        ttsave_max_bytes=settings.ttsave_max_bytes,
        staging=settings.data_dir / "staging",
        disk_floor_bytes=settings.disk_floor_bytes,
        tiklive_auth_status=settings.tiklive_auth_status,
        tiklive_per_minute=settings.tiklive_per_minute_per_key,
    )


def _tell(settings: Settings, listener: socket.socket) -> None:
    address = f"http://{address_of(listener)}"
    tell(
        f"Clipstead listens on {address}\n"
        f"  keeps everything in  {settings.data_dir}\n"
        f"  try                  curl '{address}/?url=https://www.tiktok.com/@user/video/7608826249200356630'\n"
        f"  offline              clipstead demo\n"
        f"  stop                 Ctrl-C"
    )


def address_of(listener: socket.socket) -> str:
    """host:port to reach a listener from this machine."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared, not bound
    return f"[{shown}]:{port}" if ":" in shown else f"{shown}:{port}"
