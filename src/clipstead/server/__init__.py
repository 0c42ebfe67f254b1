"""The HTTP server: `create` builds it, `ServerOptions` tells it how, uvicorn should speak with `BoundedProtocol`."""

from clipstead.server.asgi import create
from clipstead.server.logs import configure as configure_logs
from clipstead.server.options import ServerOptions
from clipstead.server.protocol import BoundedProtocol
from clipstead.server.sse import Streams

__all__ = ["BoundedProtocol", "ServerOptions", "Streams", "configure_logs", "create"]
