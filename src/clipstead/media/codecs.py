"""Which containers and decoders strangers' files may reach: what people have, less what only attackers send."""

# The demuxers of ffmpeg, by name. None that opens other files (hls, dash, concat, sdp, image2) and none for text.
DEMUXERS = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "flv", "asf", "mpegts", "mpeg"),
    *("mp3", "aac", "wav", "flac", "ogg", "ac3", "eac3", "amr", "aiff", "caf", "gif"),
)

_VIDEO = (
    *("h264", "hevc", "vp8", "vp9", "libvpx", "libvpx-vp9", "libdav1d", "libaom-av1", "av1"),
    *("mpeg4", "mpeg1video", "mpeg2video", "mjpeg", "h263", "flv", "theora", "gif", "png"),
    *("wmv1", "wmv2", "wmv3", "vc1", "msmpeg4", "msmpeg4v2", "prores", "dnxhd", "dvvideo", "qtrle", "rawvideo"),
)
_PCM = (
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_u8", "pcm_s8"),
    *("pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_alaw", "pcm_mulaw"),
)
_AUDIO = (
    *("aac", "aac_latm", "mp3", "mp3float", "mp2", "mp2float", "opus", "libopus", "vorbis", "libvorbis", "flac"),
    *("alac", "ac3", "eac3", "dca", "wmav1", "wmav2", "wmapro", "amrnb", "amrwb", "adpcm_ms", "adpcm_ima_wav"),
)

# The decoders of ffmpeg, by name.
DECODERS = (*_VIDEO, *_AUDIO, *_PCM)

# libavformat's name of a container -> ours. Matroska and WebM are one there: the file's own first bytes tell.
CONTAINERS = {
    "mov,mp4,m4a,3gp,3g2,mj2": "mp4",
    "matroska,webm": "mkv",
    "mpegts": "ts",
    "mpeg": "ps",
    "eac3": "ac3",
} | {
    name: name for name in ("avi", "flv", "asf", "gif", "mp3", "aac", "wav", "flac", "ogg", "ac3", "amr", "aiff", "caf")
}
