"""Whether a file is what its post said it would be; pure."""

from clipstead.errors import BadMedia
from clipstead.media import Probe
from clipstead.model import Media, MediaKind, Post

# Posts tell whole seconds, and sites cut or pad a little; a marked video carries the site's own closing card.
_SLACK_SECONDS = 3.0
_SLACK_SHARE = 0.15
_CLOSING_CARD = 6.0
_HELD_AS = {MediaKind.COVER: MediaKind.IMAGE}


def check(media: Media, probe: Probe, post: Post) -> None:
    """Raises BadMedia when the file is of another kind than `media`, or far from as long as the post."""
    kind = _HELD_AS.get(media.kind, media.kind)
    if probe.kind is not kind:
        raise BadMedia(f"{_article(probe.kind)} where {_article(kind)} should be")
    if kind is MediaKind.VIDEO:
        _check_length(media, probe, media.duration or post.duration)


def _check_length(media: Media, probe: Probe, told: float | None) -> None:
    if not told or not probe.duration:
        return
    slack = max(_SLACK_SECONDS, told * _SLACK_SHARE)
    longest = told + slack + (_CLOSING_CARD if media.watermark else 0.0)
    if not told - slack <= probe.duration <= longest:
        raise BadMedia(f"{probe.duration:.0f} s long where {told:.0f} s were told")


def is_silent(media: Media, probe: Probe) -> bool:
    """Whether this is a video without any sound."""
    return media.kind is MediaKind.VIDEO and probe.audio is None


def _article(kind: MediaKind) -> str:
    return f"an {kind}" if kind in (MediaKind.IMAGE, MediaKind.AUDIO) else f"a {kind}"
