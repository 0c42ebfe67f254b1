"""Which tracks may be copied into which file as they are, and which file a re-encoded one goes into."""

from clipstead.media.inspection import Container, Inspection, Picture, Sound

VIDEO_FILES = ("mp4", "webm", "mkv")
AUDIO_FILES = ("mp3", "m4a", "wav", "ogg", "flac")

_VIDEO_FITS = {"mp4": {"h264", "hevc", "mpeg4", "av1"}, "webm": {"vp8", "vp9", "av1"}}
# What need not be there but may stay: QuickTime has many more that MP4 has no name for.
_MP4_KEEPS = {"h264", "hevc", "mpeg4", "av1", "vp9", "mpeg2video", "mjpeg", "aac", "mp3", "opus", "flac", "ac3", "eac3"}
_AUDIO_FITS = {
    "mp4": {"aac", "mp3", "ac3", "eac3", "alac"},
    "webm": {"opus", "vorbis"},
    "mkv": {"aac", "mp3", "mp2", "ac3", "eac3", "dts", "opus", "vorbis", "flac", "alac", "pcm_s16le", "pcm_s24le"},
    "mp3": {"mp3"},
    "m4a": {"aac", "alac"},
    "wav": {"pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_u8"},
    "ogg": {"vorbis", "opus"},
    "flac": {"flac"},
}
_OLD_MKV = {"wmv1", "wmv2", "wmv3", "vc1", "msmpeg4v2", "msmpeg4v3", "rawvideo", "qtrle", "gif", "png"}
_EXTENSIONS: dict[Container, str] = {"ps": "mpg", "asf": "wmv", "aiff": "aif"}
# Their packets carry no time stamps, or none of their own: a copy would have to guess them.
_NO_TIMES: tuple[Container, ...] = ("avi", "asf", "ps", "gif")
_ORDINARY = ("yuv420p", "yuvj420p")
_LATE = 0.05


def extension(probe: Inspection) -> str:
    """The extension of the very file that was looked at."""
    return _EXTENSIONS.get(probe.container, probe.container)


def home(probe: Inspection) -> str:
    """The file a changed video goes into: webm and mkv stay what they are, everything else becomes mp4."""
    return probe.container if probe.container in ("webm", "mkv") else "mp4"


def copies_picture(probe: Inspection, picture: Picture, suffix: str) -> bool:
    """Whether the video track may go into a `suffix` file untouched, and every player will show it as it was."""
    if probe.container in _NO_TIMES:
        return False
    if probe.container == suffix:
        return suffix != "mp4" or picture.codec in _MP4_KEEPS
    if suffix != "mp4" and (picture.rotation or picture.hidden):
        return False  # Matroska can tell a rotation, few players listen; it cannot hide frames
    if suffix == "mkv":
        return picture.codec not in _OLD_MKV
    if suffix == "mp4" and picture.codec == "h264" and picture.pixel_format not in _ORDINARY:
        return False  # 10 bits or 4:4:4 in H.264 play almost nowhere
    return picture.codec in _VIDEO_FITS[suffix]


def copies_sound(probe: Inspection, sound: Sound, suffix: str) -> bool:
    """Whether the audio track may go into a `suffix` file untouched, in time with the picture."""
    if probe.container in _NO_TIMES or (probe.container == "flv" and sound.codec == "mp3"):
        return False
    if suffix in VIDEO_FILES:
        kept = _MP4_KEEPS if suffix == "mp4" else {sound.codec}
        return sound.codec in _AUDIO_FITS[suffix] or (probe.container == suffix and sound.codec in kept)
    # A file of sound alone has no place to say that it begins late.
    return sound.codec in _AUDIO_FITS[suffix] and sound.start < _LATE


def copy_options(picture: Picture, suffix: str) -> list[str]:
    """How a video track is copied into `suffix`: Apple plays HEVC under one tag only."""
    tag = ["-tag:v", "hvc1"] if picture.codec == "hevc" and suffix == "mp4" else []
    return ["-c:v", "copy", *tag]
