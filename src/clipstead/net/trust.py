"""The roots that pages trust: the system's own and, in addition, the operator's bundle."""

import os
import ssl
import sys
import tempfile
from pathlib import Path
from typing import IO

from curl_cffi.curl import DEFAULT_CACERT


class RootBundle:
    """One PEM file with every trusted root, for curl, which reads a single file.

    Without `ca_file` that is the system's file itself; with it a private one until `close`, for this process alone.
    Raises ValueError, in one line, when `ca_file` holds no certificates.
    """

    def __init__(self, ca_file: str = "") -> None:
        self._made = _private(_combined(ca_file)) if ca_file else None

    @property
    def path(self) -> str:
        """The file to hand to curl."""
        if self._made is None:
            return DEFAULT_CACERT
        return self._made.name if isinstance(self._made.name, str) else f"/proc/self/fd/{self._made.fileno()}"

    def close(self) -> None:
        """Remove what was made."""
        if self._made is not None:
            self._made.close()


def _combined(ca_file: str) -> bytes:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
        extra = Path(ca_file).read_bytes()
    except OSError as error:  # SSLError is one
        reason = "holds no usable certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise ValueError(f"the CA file {ca_file}: {reason}") from None
    return Path(DEFAULT_CACERT).read_bytes() + b"\n" + extra


def _private(data: bytes) -> IO[bytes]:
    """In memory where the system has such files: a process that is killed leaves nothing then."""
    file: IO[bytes]
    if sys.platform == "linux" and Path("/proc/self/fd").is_dir():
        file = os.fdopen(os.memfd_create("clipstead-roots"), "wb")
    else:
        file = tempfile.NamedTemporaryFile(prefix="clipstead-roots-", suffix=".pem")  # noqa: SIM115  # mode 0600
    file.write(data)
    file.flush()
    return file
