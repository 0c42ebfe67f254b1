"""A result is looked at like any stranger's file, and counts only if it is what the tool promised."""

from clipstead.errors import BadMedia, ToolFailed
from clipstead.media.answers import DAMAGED, TOO_SHORT
from clipstead.media.commands import even
from clipstead.media.images import Image
from clipstead.media.inspection import Inspection, Picture, Sound
from clipstead.tools.base import Expected

_LEAST_TOLERANCE = 0.06
_FRAMES_OFF = 1.5
_NOT_AS_ASKED = "The result is not what was asked for"


def check_result(expected: Expected, found: Inspection) -> None:
    """Hold a result against what was expected of it.

    Raises BadMedia where the source did not hold what it promised (too short, damaged), else ToolFailed.
    """
    if expected.picture != (found.picture is not None) or expected.sound != (found.sound is not None):
        raise _differs(f"tracks: {found.picture}, {found.sound}")
    if expected.size and found.picture and even(found.picture.shown) != even(expected.size):
        raise _differs(f"size {found.picture.shown} instead of {expected.size}")
    tolerance = max(_FRAMES_OFF * expected.frame, _LEAST_TOLERANCE)
    if found.picture and expected.seconds is not None and found.picture.start > expected.late + tolerance:
        raise BadMedia(DAMAGED)  # its first frames could not be decoded
    track = found.picture or found.sound
    if expected.seconds is not None and track is not None:
        _check_seconds(expected, _length(found, track), tolerance)


def _length(found: Inspection, track: Picture | Sound) -> float:
    # Sound that was put in time with a picture may begin late by the container's word: what counts is when it ends.
    return found.end(track) if isinstance(track, Sound) else track.duration or found.duration


def _check_seconds(expected: Expected, got: float, tolerance: float) -> None:
    wanted = expected.seconds or 0.0
    if got < wanted - tolerance:
        raise unreadable(expected)
    if got > wanted + tolerance:
        raise _differs(f"{got:.3f} s instead of {wanted:.3f} s")


def check_image(size: tuple[int, int] | None, found: Image) -> None:
    """Hold an image against the size it was to have. Raises ToolFailed."""
    if (found.width, found.height) != size:
        raise _differs(f"size {found.width}x{found.height} instead of {size}")


def unreadable(expected: Expected) -> BadMedia:
    """What it means that nothing came out, or too little, or nothing that can be opened."""
    return BadMedia(TOO_SHORT if expected.seconds is not None and expected.seconds <= 2 * expected.frame else DAMAGED)


def _differs(how: str) -> ToolFailed:
    error = ToolFailed(_NOT_AS_ASKED)
    error.add_note(how)
    return error
