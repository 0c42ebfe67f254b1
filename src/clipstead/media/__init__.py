"""What a file is, told from its bytes alone in about a millisecond: no decoder, no child process, no network."""

from clipstead.media.facts import Probe
from clipstead.media.probe import probe
from clipstead.media.sniff import sniff

__all__ = ["Probe", "probe", "sniff"]
