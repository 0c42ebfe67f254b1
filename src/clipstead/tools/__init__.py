"""The media tools, in one explicit list; the order is the one of the published contract and of every help text."""

from collections.abc import Mapping

from clipstead.tools.audio_converter import AudioConverter
from clipstead.tools.base import ImageTool, MediaTool, Tool
from clipstead.tools.compress import Compress
from clipstead.tools.compress_image import CompressImage
from clipstead.tools.convert import Convert
from clipstead.tools.extract_audio import ExtractAudio
from clipstead.tools.gif import Gif
from clipstead.tools.image_converter import ImageConverter
from clipstead.tools.remove_audio import RemoveAudio
from clipstead.tools.resize_image import ResizeImage
from clipstead.tools.resize_video import ResizeVideo
from clipstead.tools.rotate_video import RotateVideo
from clipstead.tools.thumbnail import Thumbnail
from clipstead.tools.trim_audio import TrimAudio
from clipstead.tools.trim_video import TrimVideo
from clipstead.tools.video_speed import VideoSpeed

__all__ = ["BY_NAME", "TOOLS", "ImageTool", "MediaTool", "Tool"]

TOOLS: tuple[type[Tool], ...] = (
    Convert,
    Compress,
    ExtractAudio,
    Gif,
    Thumbnail,
    TrimVideo,
    ResizeVideo,
    RotateVideo,
    RemoveAudio,
    VideoSpeed,
    AudioConverter,
    TrimAudio,
    ImageConverter,
    ResizeImage,
    CompressImage,
)

BY_NAME: Mapping[str, type[Tool]] = {tool.name: tool for tool in TOOLS}
