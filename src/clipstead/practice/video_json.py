"""The `video` object of an item: addresses, qualities, covers, captions, and the ways in which they may be wrong."""

import hashlib

from clipstead.practice.addresses import (
    DEAD,
    FILE_HOST,
    SILENT,
    SOUND,
    VIDEO_MIRROR,
    FileRef,
    file_url,
    image_url,
    video_url,
)
from clipstead.practice.catalog import PracticePost
from clipstead.practice.files import PLAIN, VARIANTS, WATERMARKED, Files, Variant, subtitles

Json = dict[str, object]
_LANGUAGES = {"en": ("eng-US", "2"), "de": ("deu-DE", "10"), "ja": ("jpn-JP", "15"), "pt": ("por-PT", "8")}
_COVER = "tplv-tiktokx-origin.image"


def video_json(post: PracticePost, files: Files, api: bool, twist: str, trap: str) -> Json:
    """The whole object. `twist` names a media fault: silent, dead, mute, trapped-media or no-media."""
    width, height = PLAIN.size(post)
    plain, marked = (_address(post, variant, files, twist, trap) for variant in (PLAIN, WATERMARKED))
    size = files.video_size(post, PLAIN, twist == "mute")
    video_id = _video_id(post)
    video: Json = {
        "id": post.id,
        "height": height,
        "width": width,
        "duration": post.seconds,
        "ratio": "720p",
        **_covers(post),
        "playAddr": plain[0],
        "downloadAddr": marked[0],
        "shareCover": [""],
        "reflowCover": "",
        "bitrate": size * 8 // post.seconds,
        "encodedType": "normal",
        "format": "mp4",
        "videoQuality": "normal",
        "encodeUserTag": "",
        "codecType": "h264",
        "definition": "720p",
        "subtitleInfos": [_subtitle(post, index, api) for index in range(post.number % 3)],
        "volumeInfo": {"Loudness": -12.1, "Peak": 1},
        "bitrateInfo": [_bitrate(post, variant, files, api, twist, trap) for variant in VARIANTS],
        "size": size if api else str(size),
        "VQScore": "57.17",
        "claInfo": {"hasOriginalAudio": True, "enableAutoCaption": True, "captionInfos": [], "noCaptionReason": None},
        "videoID": video_id,
        "PlayAddrStruct": _play_addr(post, PLAIN, files, api, twist, trap),
    }
    if twist == "no-media":
        video.update(playAddr="", downloadAddr="", bitrateInfo=[], PlayAddrStruct={})
    return video


def empty_video(post: PracticePost) -> Json:
    """What a photo post has in the place of a video."""
    cover = photo_addresses(post, 0)[0]
    return {
        "id": post.id,
        "height": 0,
        "width": 0,
        "duration": 0,
        "ratio": "",
        "cover": cover,
        "originCover": cover,
        "dynamicCover": "",
        "playAddr": "",
        "downloadAddr": "",
        "shareCover": [""],
        "reflowCover": "",
        "zoomCover": {"240": "", "480": "", "720": "", "960": ""},
    }


def photo_addresses(post: PracticePost, index: int) -> list[str]:
    """Two mirrors of a picture of a photo post."""
    ref = FileRef("i", post.id, index)
    return [image_url(ref), image_url(ref, mirror=1)]


def cover_url(post: PracticePost, kind: str = "c") -> str:
    """A cover: c the cover, o the origin, d the moving one."""
    return image_url(FileRef(kind, post.id), _COVER) if post.kind == "video" else photo_addresses(post, 0)[0]


def _covers(post: PracticePost) -> Json:
    sizes = (240, 480, 720, 960)
    zoom = {
        str(side): image_url(FileRef("c", post.id), f"tplv-photomode-zoomcover:{side}:{side}.jpeg") for side in sizes
    }
    return {
        "cover": cover_url(post, "c"),
        "originCover": cover_url(post, "o"),
        "dynamicCover": cover_url(post, "d"),
        "zoomCover": zoom,
    }


def _flag(variant: Variant, twist: str) -> int:
    if twist == "mute":
        return SILENT
    if variant is not VARIANTS[0]:
        return SOUND
    return {"silent": SILENT, "dead": DEAD}.get(twist, SOUND)


def _address(post: PracticePost, variant: Variant, files: Files, twist: str, trap: str) -> list[str]:
    if twist == "trapped-media":
        return [f"{trap}/{variant.gear}.mp4"]
    flag = _flag(variant, twist)
    ref = FileRef(variant.kind, post.id, 0, flag)
    bitrate = files.video_size(post, variant, flag == SILENT) * 8 // post.seconds
    own = (
        f"https://www.tiktok.com/aweme/v1/play/?faid=1988&file_id={_hash(post, variant)}&is_play_url=1"
        f"&item_id={post.id}&line=0&ply_type=2&signaturev3={_hash(post, variant)}&tk=tt_chain_token"
        f"&video_id={_video_id(post)}"
    )
    return [video_url(ref, bitrate), video_url(ref, bitrate, VIDEO_MIRROR), own]


def _play_addr(post: PracticePost, variant: Variant, files: Files, api: bool, twist: str, trap: str) -> Json:
    width, height = variant.size(post)
    size = files.video_size(post, variant, _flag(variant, twist) == SILENT)
    return {
        "DataSize": size if api else str(size),
        "Width": width,
        "Height": height,
        "Uri": _video_id(post),
        "UrlList": _address(post, variant, files, twist, trap),
        "UrlKey": f"{_video_id(post)}_{variant.key}_{size * 8 // post.seconds}",
        "FileHash": _hash(post, variant),
        "FileCs": f"c:0-{40_000 + post.number % 3000}-{_hash(post, variant)[:4]}",
    }


def _bitrate(post: PracticePost, variant: Variant, files: Files, api: bool, twist: str, trap: str) -> Json:
    size = files.video_size(post, variant, _flag(variant, twist) == SILENT)
    offsets = ", ".join(f'{{\\"time\\": {t}, \\"offset\\": {size * t // (post.seconds + 1)}}}' for t in (1, 2, 3, 4))
    return {
        "Bitrate": size * 8 // post.seconds,
        "QualityType": variant.quality,
        "BitrateFPS": 24,
        "GearName": variant.gear,
        "PlayAddr": _play_addr(post, variant, files, api, twist, trap),
        "CodecType": variant.codec,
        "MVMAF": '{"v2.0": {"srv1": {"v1080": 97.21, "v960": 97.731}, "ori": {"v1080": 93.483, "v960": 94.201}}}',
        "Format": "mp4",
        "VideoExtra": f'{{"PktOffsetMap":"[{offsets}]","volume_info_json":"","audio_bit_rate":2200}}',
    }


def _subtitle(post: PracticePost, index: int, api: bool) -> Json:
    language, number = _LANGUAGES.get(post.language, ("eng-US", "2")) if index == 0 else ("spa-ES", "9")
    size = len(subtitles(post, index).encode())
    return {
        "UrlExpire": "@@E@@",
        "Size": size if api else str(size),
        "LanguageID": number,
        "LanguageCodeName": language,
        "Url": file_url(FileRef("s", post.id, index), "video_mp4", FILE_HOST),
        "Format": "webvtt",
        "Version": "1:big_caption" if index == 0 else "4",
        "Source": "ASR" if index == 0 else "MT",
    }


def _video_id(post: PracticePost) -> str:
    return "v15044gf0000" + hashlib.blake2b(post.id.encode(), digest_size=10).hexdigest()


def _hash(post: PracticePost, variant: Variant) -> str:
    return hashlib.blake2b(f"{post.id}{variant.gear}".encode(), digest_size=16).hexdigest()
