"""Clipi's published contract, all below `/api/`: videos by their links, fifteen tools, progress as events."""

from clipstead.server.dialects.clipi.routes import build

__all__ = ["build"]
