"""The roots that pages trust: the system's own and, in addition, the operator's bundle."""

import os
import ssl
import tempfile
from pathlib import Path

from curl_cffi.curl import DEFAULT_CACERT


class RootBundle:
    """One PEM file with every trusted root, for curl, which reads a single file.

    Without `ca_file` that is the system's file itself; with it a private temporary file until `close`.
    Raises ValueError, in one line, when `ca_file` holds no certificates.
    """

    def __init__(self, ca_file: str = "") -> None:
        self._temporary = _combined(ca_file) if ca_file else None

    @property
    def path(self) -> str:
        """The file to hand to curl."""
        return str(self._temporary or DEFAULT_CACERT)

    def close(self) -> None:
        """Remove what was made."""
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)


def _combined(ca_file: str) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
        extra = Path(ca_file).read_bytes()
    except OSError as error:  # SSLError is one
        reason = "holds no usable certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise ValueError(f"the CA file {ca_file}: {reason}") from None
    handle, name = tempfile.mkstemp(prefix="clipstead-roots-", suffix=".pem")  # mode 0600
    with os.fdopen(handle, "wb") as file:
        file.write(Path(DEFAULT_CACERT).read_bytes() + b"\n" + extra)
    return Path(name)
