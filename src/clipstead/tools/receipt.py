"""What was done to a file, told so that anybody can do it again and compare; it names no path of the machine."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Receipt:
    """`commands` are the exact ones, with files by their names in the job's folder; hashes are SHA-256 in hex.

    `program` is what ran them, with its version. `unchanged` says that the result is the input itself, because the
    tool would only have made it larger.
    """

    tool: str
    params: dict[str, Any]
    inputs: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    program: str
    output: str
    size: int
    unchanged: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
