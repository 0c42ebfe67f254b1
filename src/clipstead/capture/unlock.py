"""A piece of a stream that is locked with AES-128, as HLS has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from clipstead.errors import DownloadFailed

KEY_BYTES = 16


def unlocked(locked: Iterable[bytes], key: bytes, vector: bytes) -> Iterator[bytes]:
    """The piece in clear, as it comes; DownloadFailed where key and piece do not fit."""
    # 6 MB that a server, which fetches no streams, need not hold.
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC
    from cryptography.hazmat.primitives.padding import PKCS7

    if len(key) != KEY_BYTES:
        raise DownloadFailed("A piece of the stream cannot be unlocked", transient=False)
    decryptor = Cipher(AES(key), CBC(vector)).decryptor()
    padding = PKCS7(KEY_BYTES * 8).unpadder()
    try:
        for data in locked:
            yield padding.update(decryptor.update(data))
        yield padding.update(decryptor.finalize()) + padding.finalize()
    except ValueError:
        raise DownloadFailed("A piece of the stream cannot be unlocked", transient=False) from None
