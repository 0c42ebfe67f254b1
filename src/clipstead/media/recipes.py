"""Whole ffmpeg commands that more than one tool needs: one track or two, copied where that is right, else encoded."""

from collections.abc import Sequence

from clipstead.media.commands import (
    IN_TIME,
    NO_CHAPTERS,
    PICTURE,
    SOUND,
    Cut,
    encoded_sound,
    encoder,
    ended,
    own_times,
    pixels,
    read,
    write,
)
from clipstead.media.containers import copies_sound, copy_options
from clipstead.media.inspection import Inspection, Picture


def remuxed(
    probe: Inspection, source: str, result: str, suffix: str, *, sound: Sequence[str] | None = None
) -> list[str]:
    """The picture copied, with its sound (copied too if it fits); `sound` takes its place."""
    picture = probe.need_picture()
    beside = sound_beside(probe, suffix) if sound is None else sound
    return [*read(source), *PICTURE, *copy_options(picture, suffix), *beside, *write(result, suffix)]


def encoded(
    probe: Inspection,
    source: str,
    result: str,
    suffix: str,
    *,
    size: tuple[int, int] | None = None,
    then: Sequence[str] = (),
    cut: Cut | None = None,
    sound: Sequence[str] | None = None,
    video: Sequence[str] = (),
) -> list[str]:
    """The picture encoded, brought to `size` if one is given, through the filters of `then`.

    `cut` is exact to the frame, because everything from the key frame before it is decoded.
    `sound` and `video` take the place of the ordinary arguments for each.
    """
    picture = probe.need_picture()
    longest = probe.duration if cut is None or cut.length is None else cut.length
    beside = sound_beside(probe, suffix, cut=cut is not None) if sound is None else sound
    return [
        *read(source, picture, cut=cut),
        *PICTURE,
        *pixels(picture, size, then=then),
        *(video or encoder(suffix, size or picture.shown)),
        *own_times(picture),
        *beside,
        *(NO_CHAPTERS if cut else ()),
        *ended(longest, cut),
        *write(result, suffix),
    ]


def sound_beside(probe: Inspection, suffix: str, *, cut: bool = False) -> list[str]:
    """The sound of a video file with this suffix, if there is any: copied unless it does not fit or is cut."""
    if probe.sound is None:
        return []
    if not cut and copies_sound(probe, probe.sound, suffix):
        return [*SOUND, "-c:a", "copy"]
    return [*SOUND, *encoded_sound(probe.sound, suffix)]


def only_sound(probe: Inspection, source: str, result: str, suffix: str) -> list[str]:
    """A file of the sound alone, in time with the picture it came from."""
    sound = probe.need_sound()
    if copies_sound(probe, sound, suffix):
        return [*read(source, only_sound=True), *SOUND, "-c:a", "copy", *write(result, suffix)]
    # What comes from no video begins with its first sample; what does begins where the picture begins.
    filters = (IN_TIME,) if probe.picture else ()
    track = [*SOUND, *encoded_sound(sound, suffix, filters), *ended(probe.end(sound))]
    return [*read(source, only_sound=True), *track, *write(result, suffix)]


def frame_of(picture: Picture) -> float:
    """The length of one frame, in seconds."""
    return 1 / picture.fps
