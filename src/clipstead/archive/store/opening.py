"""From a URL or a path to the store that it means."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from clipstead.archive.store.base import Store
from clipstead.archive.store.local import LocalStore
from clipstead.archive.store.memory import MemoryStore

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_CLOUDS = ("s3", "gs", "az")


def open_store(url: str, staging: Path, *, patience: float = 1.0) -> Store:
    """The store at `url`: a folder, `file:///folder`, `s3://bucket/prefix?endpoint=...&region=...`, `memory://`.

    `gs://bucket/prefix` and `az://container/prefix` are offered untested. Nothing is dialled or made yet. `staging` is
    where attempts write when the store is not a folder of this machine (a folder keeps its own); `patience` stretches
    the pauses between tries. ValueError, in a line that names neither key nor secret, for a URL that is none of these.
    """
    found = _SCHEME.match(url)
    if found is None:
        return LocalStore(_folder(url))
    scheme, parts = found[1].lower(), _split(url)
    if scheme == "file":
        if parts.netloc not in ("", "localhost") or parts.query:
            raise ValueError("must be file:///folder, of this machine")
        return LocalStore(_folder(unquote(parts.path)))
    if scheme == "memory":
        return MemoryStore(staging)
    if scheme in _CLOUDS:
        from clipstead.archive.store.s3.opening import open_cloud  # those who keep files in a folder are spared obstore

        return open_cloud(scheme, parts, staging, os.environ, patience)
    raise ValueError("must be a folder, or begin with file://, s3://, gs:// or az://")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("is no URL") from None
    if "@" in parts.netloc:
        raise ValueError("must not hold keys: they are taken from the AWS_... variables")
    if parts.fragment:
        raise ValueError("must not have a # in it")
    return parts


def _folder(text: str) -> Path:
    if not text.strip() or "\x00" in text:
        raise ValueError("must name a folder")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("names the home folder of nobody here") from None
