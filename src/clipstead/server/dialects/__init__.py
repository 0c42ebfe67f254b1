"""The published contracts we speak, each in a file or folder of its own; the list is all there is to registration."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clipstead.server.dialect import Dialect
from clipstead.server.dialects import clipi, clipx
from clipstead.server.dialects.base import Services

BUILDERS: Sequence[Callable[[Services], Dialect]] = (clipx.build, clipi.build)

__all__ = ["BUILDERS", "Services"]
