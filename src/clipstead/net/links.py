"""A file gets a name that nobody has: by a hard link, which a taken name refuses, or a rename where there are none."""

import errno
import os
from pathlib import Path

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES})


def link_or_rename(path: Path, target: Path) -> bool:
    """Whether the file at `path` is at `target` now, and there only where links are unknown; False if that is taken.

    A rename would overwrite: between looking and renaming somebody may take the name. Raises OSError.
    """
    try:
        os.link(path, target, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            return False
        path.rename(target)
    return True


def refuses_taken_names(path: Path) -> bool:
    """Whether a second link to one name is refused beside `path`, which is there. Raises OSError."""
    second = path.with_suffix(".link.part")
    try:
        second.hardlink_to(path)
        second.hardlink_to(path)
    except FileExistsError:
        return True
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    finally:
        second.unlink(missing_ok=True)
    return False
