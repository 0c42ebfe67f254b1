"""Inside the sandbox: open a stranger's file with PyAV and tell what is in it, as plain data; run by the nest only."""

import functools
import io
import os
import tempfile
from typing import Any

import av
import av.logging
import av.subtitles.stream  # PyAV imports what it needs when it needs it, and within the fence that is too late
from av.audio.stream import AudioStream
from av.codec.context import ThreadType
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from clipstead.errors import BadMedia
from clipstead.media.answers import DAMAGED, NO_VIDEO, NOT_MEDIA, TOO_LARGE
from clipstead.media.codecs import CONTAINERS, DECODERS, DEMUXERS
from clipstead.media.spans import Spans, broken_off

_HEAD = 4096
_FIRST_ENTRIES = 300
_TRIES = 600  # packets without a frame before a track counts as damaged
_HDR = {16: "pq", 18: "hlg"}  # AVCOL_TRC_SMPTE2084, AVCOL_TRC_ARIB_STD_B67
_IMAGES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"II*\0", b"MM\0*")
_KNOWN = (b"\x1a\x45\xdf\xa3", b"RIFF", b"OggS", b"fLaC", b"ID3", b"FLV", b"GIF8", b"\x30\x26\xb2\x75", b"caff")

av.logging.restore_default_callback()  # PyAV's own would want Python's lock in the library's threads
av.logging.set_libav_level(av.logging.PANIC)


def rehearse() -> None:
    """Look at a file of our own, so that what a look needs is loaded, and this process's pages its own, before a call.

    It halves the time of a real look.
    """
    with tempfile.TemporaryFile() as file:
        file.write(_sample())
        file.flush()
        answer({"caps": {"pixels": 1 << 20, "seconds": 60, "frames": 100, "streams": 4}}, [file.fileno()])


@functools.cache
def _sample() -> bytes:
    made = io.BytesIO()
    with av.open(made, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        frame = VideoFrame(64, 64, "yuv420p")
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return made.getvalue()


def answer(payload: dict[str, Any], files: list[int]) -> dict[str, Any]:
    """`payload`: caps (pixels, seconds, frames, streams), and `whose` the file is; one file.

    Gives the fields of an Inspection. What is "ours" is as its header says: no rate is worked out from its pictures. Of
    a "copy" no picture is decoded: what only a picture tells, the file that it was copied from has told.

    Raises BadMedia: not a media file, damaged, too large.
    """
    file, caps = files[0], payload["caps"]
    head = os.pread(file, _HEAD, 0)
    if head.startswith(b"ID3"):  # what tells an MP3's length stands behind its tags, pictures and all
        head += os.pread(file, _HEAD, _tags_end(head))
    try:
        whose = payload.get("whose", "")
        with _open(file, caps, ours=bool(whose)) as container:
            return _describe(container, file, head, caps, decoded=whose != "copy") | {"size": os.fstat(file).st_size}
    except (av.FFmpegError, ValueError):
        raise BadMedia(_unreadable(head)) from None


def _tags_end(head: bytes) -> int:
    """Ten bytes of header and then a length in four bytes of seven bits each."""
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))


def _open(file: int, caps: dict[str, int], *, ours: bool = False) -> InputContainer:
    os.lseek(file, 0, os.SEEK_SET)
    options = {
        "fd": str(file),
        "protocol_whitelist": "fd",
        "format_whitelist": ",".join(DEMUXERS),
        "codec_whitelist": ",".join(DECODERS),
        "max_streams": str(caps["streams"]),
        "max_pixels": str(caps["pixels"]),
        "fflags": "+genpts",
        "skip_loop_filter": "all",  # nobody will see these frames
    }
    if ours:
        options["probesize"] = "32"  # the least there is
    return av.open("fd:", "r", options=options, metadata_errors="replace")


def _unreadable(head: bytes) -> str:
    if head.startswith(_IMAGES) or head[8:12] in (b"WEBP", b"avif", b"heic", b"mif1"):
        return f"{NO_VIDEO}: it is an image"
    if not head:
        return f"{NOT_MEDIA}: it is empty"
    return DAMAGED if head.startswith(_KNOWN) or head[4:8] in (b"ftyp", b"moov", b"mdat") else NOT_MEDIA


def _describe(
    container: InputContainer, file: int, head: bytes, caps: dict[str, int], *, decoded: bool
) -> dict[str, Any]:
    if len(container.streams) >= caps["streams"]:
        raise BadMedia(f"{TOO_LARGE}: too many tracks")
    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    video = moving[0] if moving else None
    audio = container.streams.audio[0] if container.streams.audio else None
    tracks: list[Stream] = [track for track in (video, audio) if track is not None]
    if not tracks:
        raise BadMedia(f"{NOT_MEDIA}: no video and no sound in it")
    if broken_off(tracks, os.fstat(file).st_size):
        raise BadMedia(DAMAGED)
    for track in tracks:
        _check_decoder(track)
    seen = _seen(video, _first_frame(container, video, caps)) if video and decoded else {}
    spans = Spans(container, tracks, head, lambda: _open(file, caps))
    covers = len(container.streams.video) - len(moving)
    facts = {
        "container": _container(container, head),
        "duration": spans.duration,
        "picture": _picture(video, spans) | seen if video else None,
        "sound": _sound(audio, spans) if audio else None,
        "covers": covers,
        "others": len(container.streams) - len(tracks) - covers,
    }
    _check_length(facts, caps)
    return facts


def _container(container: InputContainer, head: bytes) -> str:
    name = CONTAINERS[container.format.name]
    return "webm" if name == "mkv" and b"\x42\x82\x84webm" in head[:64] else name


def _check_decoder(track: Stream) -> None:
    codec = track.codec_context.codec.name if track.codec_context else "unknown"
    if codec not in DECODERS:
        raise BadMedia(f"{NOT_MEDIA} that we take: its {track.type} is {codec}")


def _first_frame(container: InputContainer, video: VideoStream, caps: dict[str, int]) -> VideoFrame:
    """One frame tells what headers do not: the rotation, and that the track can be decoded at all."""
    if video.width * video.height > caps["pixels"]:
        raise BadMedia(f"{TOO_LARGE}: {video.width}x{video.height} pixels")
    context = video.codec_context
    context.thread_type = ThreadType.NONE
    context.options = {"max_pixels": str(caps["pixels"]), "skip_loop_filter": "all"}
    for count, packet in enumerate(container.demux(video)):
        try:
            # Flushed at once, the decoder does not wait for two more packets to put frames in order.
            for frame in packet.decode() or context.decode(None):
                return frame
            context.flush_buffers()
        except av.FFmpegError:
            continue
        if count > _TRIES:
            break
    raise BadMedia(DAMAGED)


def _stream(stream: VideoStream | AudioStream, spans: Spans) -> dict[str, Any]:
    """What pictures and sounds have alike."""
    return {
        "index": stream.index,
        "codec": stream.codec_context.codec.canonical_name,
        "profile": stream.profile or "",
        "start": spans.start(stream),
        "duration": spans.length(stream),
    }


def _picture(video: VideoStream, spans: Spans) -> dict[str, Any]:
    context = video.codec_context
    return {
        **_stream(video, spans),
        "tag": "".join(c for c in context.codec_tag if c.isalnum()),
        "width": context.width,
        "height": context.height,
        "pixel_format": context.pix_fmt or "",
        "depth": 0,
        "sar": _shape(video),
        "hidden": _hides(video),
        "hdr": _HDR.get(context.color_trc, ""),
        "frames": video.frames or None,
        "bitrate": video.bit_rate or None,
        **_rates(video),
    }


def _seen(video: VideoStream, frame: VideoFrame) -> dict[str, Any]:
    """What only a picture tells."""
    pixels = VideoFormat(frame.format.name)
    # VP8 and VP9 keep their alpha beside the picture, and only a tag of WebM tells of it.
    alpha = video.metadata.get("alpha_mode") == "1" or any(part.is_alpha for part in pixels.components)
    return {
        "width": frame.width,
        "height": frame.height,
        "pixel_format": pixels.name,
        "depth": max(part.bits for part in pixels.components),
        "alpha": alpha or pixels.has_palette,
        "rotation": -frame.rotation % 360,
        "interlaced": frame.interlaced_frame,
    }


def _shape(video: VideoStream) -> tuple[int, int]:
    shape = video.sample_aspect_ratio
    return (shape.numerator, shape.denominator) if shape else (1, 1)


def _rates(video: VideoStream) -> dict[str, Any]:
    average, base = video.average_rate, video.base_rate
    best = float(average or video.guessed_rate or 25)
    uneven = bool(average and base and abs(float(average / base) - 1) > 0.01)
    return {"fps": best if 0 < best <= 1000 else 25.0, "variable": uneven}


def _hides(video: VideoStream) -> bool:
    """An edit list may show a file only from the middle of a group of pictures on."""
    entries = video.index_entries
    return any(entries[number].is_discard for number in range(min(len(entries), _FIRST_ENTRIES)))


def _sound(audio: AudioStream, spans: Spans) -> dict[str, Any]:
    context = audio.codec_context
    return {
        **_stream(audio, spans),
        "rate": context.sample_rate,
        "channels": context.channels,
        "layout": context.layout.name,
        "sample_format": context.format.name,
        "bitrate": context.bit_rate or None,
    }


def _check_length(facts: dict[str, Any], caps: dict[str, int]) -> None:
    picture = facts["picture"]
    if facts["duration"] > caps["seconds"]:
        raise BadMedia(f"{TOO_LARGE}: more than {caps['seconds'] // 3600} hours long")
    if picture and (picture["frames"] or picture["fps"] * facts["duration"]) > caps["frames"]:
        raise BadMedia(f"{TOO_LARGE}: too many frames")


_sample()  # made once, in the nest
