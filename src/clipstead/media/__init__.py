"""What a file is, told from its bytes alone in about a millisecond: no decoder, no child process, no network."""

from clipstead.media.facts import Probe
from clipstead.media.probe import examine, probe
from clipstead.media.sniff import sniff
from clipstead.media.source import Source

__all__ = ["Probe", "Source", "examine", "probe", "sniff"]
