"""What a failed run means to whoever asked for it: a file that is damaged or too large, or a fault of ours."""

import signal

from clipstead.errors import BadMedia, ClipsteadError, StorageError, ToolFailed
from clipstead.media.answers import DAMAGED, NOT_MEDIA, TOO_LARGE
from clipstead.media.sandbox import Exit, Limits

_SIGNS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("Cannot allocate memory", "Picture size", "max pixel count", "std::bad_alloc", "File too large"), TOO_LARGE),
    (("not in allowed list", "not on whitelist", "not in whitelist", "Unknown format"), NOT_MEDIA),
    (("Invalid data found", "moov atom not found", "Error while decoding", "could not find codec param"), DAMAGED),
)
_LIMIT_SIGNALS = (-signal.SIGXCPU, -signal.SIGXFSZ, -signal.SIGKILL)
_CRASHES = (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS)


def judge(ended: Exit, complaint: str, limits: Limits) -> None:
    """Raise what a run's end and its last words amount to; a good end passes. The words themselves go in a note."""
    if ended.status == 0:
        return
    error = _error(ended, complaint, limits)
    error.add_note(f"exit {ended.status}: {complaint}")
    raise error


def _error(ended: Exit, complaint: str, limits: Limits) -> ClipsteadError:
    if _over(ended, complaint, limits):
        return BadMedia(f"{TOO_LARGE}: it takes too much time, memory or disk")
    if "No space left on device" in complaint:
        return StorageError("No space left for the result")
    for signs, meaning in _SIGNS:
        if any(sign in complaint for sign in signs):
            return BadMedia(meaning)
    return ToolFailed("The media program failed")


def _over(ended: Exit, complaint: str, limits: Limits) -> bool:
    if ended.status in _LIMIT_SIGNALS or ended.cpu >= limits.cpu:
        return True
    # ffmpeg catches SIGXCPU, which only the kernel sends it, and ends with 123 or 255; 255 is EPERM, too.
    if "system signals" in complaint or (ended.status == 255 and "not permitted" not in complaint):
        return True
    return ended.status in _CRASHES and limits.memory > 0 and ended.peak > limits.memory // 4
