"""A post becomes verified files on disk, all of them or none."""

from clipstead.capture.capture import Capture
from clipstead.capture.choose import choose
from clipstead.capture.wanted import Captured, Wanted

__all__ = ["Capture", "Captured", "Wanted", "choose"]
