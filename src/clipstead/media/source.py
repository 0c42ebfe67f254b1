"""A file under examination: bounded reads, and the two ways in which examining it can end badly."""

from typing import BinaryIO

from clipstead.errors import BadMedia

# What the worst file may cost us; a real one stays a hundred times below either.
_MAX_READS = 100_000
_MAX_BYTES = 96 * 1024 * 1024
_BUFFER = 4096


def truncated() -> BadMedia:
    """The error for a file that ends before its own tables say; fetching it again can help, so it is transient."""
    error = BadMedia("truncated")
    error.transient = True
    return error


class Source:
    """Reads of a file of `size` bytes at absolute offsets, with a budget that bounds every loop built on them."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.size = size
        self._reads = 0
        self._bytes = 0
        self._near = b""
        self._near_at = 0

    def at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes from `offset` on; BadMedia (truncated) if the file ends before."""
        self._reads += 1
        if self._reads > _MAX_READS:
            raise BadMedia("damaged: its tables never end")
        if offset < 0 or count < 0 or offset + count > self.size:
            raise truncated()
        begin = offset - self._near_at
        if not 0 <= begin <= len(self._near) - count:
            self._load(offset, max(count, min(_BUFFER, self.size - offset)))
            begin = 0
        return self._near[begin : begin + count]

    def upto(self, offset: int, count: int) -> bytes:
        """At most `count` bytes from `offset` on, fewer where the file ends."""
        offset = min(max(offset, 0), self.size)
        return self.at(offset, min(count, self.size - offset))

    def tail(self, count: int) -> bytes:
        """The last `count` bytes, or all there are."""
        return self.upto(self.size - count, count)

    def _load(self, offset: int, count: int) -> None:
        self._bytes += count
        if self._bytes > _MAX_BYTES:
            raise BadMedia("damaged: its tables never end")
        self._file.seek(offset)
        data = self._file.read(count)
        if len(data) < count:
            raise truncated()
        self._near, self._near_at = data, offset
