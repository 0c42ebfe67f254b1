"""What a download is to become, as it stands in the row of its job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clipstead.capture import Ask


@dataclass(frozen=True, slots=True)
class Wish:
    """`start` and `end` in seconds, None for the end of the file; `provider` is who named the format, if one did."""

    url: str
    ask: Ask = field(default_factory=Ask)
    start: float = 0.0
    end: float | None = None
    provider: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing is cut off."""
        return self.start == 0 and self.end is None

    def params(self) -> dict[str, Any]:
        """As JSON, in the contract's names; what was not asked for is left out."""
        told: dict[str, Any] = {
            "url": self.url,
            "formatId": self.ask.format_id,
            "format": self.ask.container,
            "quality": self.ask.quality,
            "trimStart": self.start,
            "trimEnd": self.end,
            "provider": self.provider,
        }
        return {name: value for name, value in told.items() if value} | {"noWatermark": not self.ask.watermark}

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Wish:
        """Read back."""
        ask = Ask(
            params.get("formatId", ""),
            params.get("format", ""),
            params.get("quality", ""),
            watermark=not params.get("noWatermark", True),
        )
        return cls(params["url"], ask, params.get("trimStart", 0.0), params.get("trimEnd"), params.get("provider", ""))
