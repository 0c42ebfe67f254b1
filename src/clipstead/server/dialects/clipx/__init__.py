"""ClipX: one endpoint, `GET /`, that answers with a TikTok post and direct links. Contract: contracts.md section 1."""

from clipstead.server.dialects.clipx.routes import build

__all__ = ["build"]
