"""Data: which hosts belong to which platform, and what the paths of the other platforms say about a link.

A host belongs to a platform when it equals an entry or ends with `.` + entry. Names are yt-dlp's families in
lower case. Adding a site is one line in `_HOSTS`; `SHAPES` is only for what is plainly not a single post.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from clipstead.model import LinkKind

TIKTOK = "tiktok"
TIKTOK_CDN = "tiktok-cdn"

_HOSTS: Mapping[str, str] = {
    TIKTOK: "tiktok.com tiktokv.com tiktokv.us tiktokv.eu",
    TIKTOK_CDN: "tiktokcdn.com tiktokcdn-us.com tiktokcdn-eu.com muscdn.com ibytedtos.com byteoversea.com ibyteimg.com",
    "9gag": "9gag.com",
    "bilibili": "bilibili.com bilibili.tv b23.tv",
    "bitchute": "bitchute.com",
    "bluesky": "bsky.app",
    "coub": "coub.com",
    "dailymotion": "dailymotion.com dai.ly",
    "douyin": "douyin.com iesdouyin.com",
    "facebook": "facebook.com fb.watch",
    "flickr": "flickr.com flic.kr",
    "imgur": "imgur.com",
    "instagram": "instagram.com instagr.am",
    "kick": "kick.com",
    "kuaishou": "kuaishou.com chenzhongtech.com",
    "lbry": "odysee.com lbry.tv",
    "likee": "likee.video likee.com",
    "linkedin": "linkedin.com",
    "loom": "loom.com",
    "newgrounds": "newgrounds.com",
    "niconico": "nicovideo.jp nico.ms",
    "odnoklassniki": "ok.ru odnoklassniki.ru",
    "pinterest": (
        "pinterest.com pinterest.at pinterest.be pinterest.ca pinterest.ch pinterest.cl pinterest.co pinterest.co.at "
        "pinterest.co.in pinterest.co.kr pinterest.co.nz pinterest.co.uk pinterest.com.au pinterest.com.mx "
        "pinterest.de pinterest.dk pinterest.es pinterest.fr pinterest.hu pinterest.ie pinterest.in pinterest.info "
        "pinterest.it pinterest.jp pinterest.kr pinterest.mx pinterest.nl pinterest.nz pinterest.pe pinterest.ph "
        "pinterest.pt pinterest.ru pinterest.se pinterest.th pinterest.tw pinterest.uk pinterest.vn pin.it"
    ),
    "reddit": "reddit.com redd.it",
    "rumble": "rumble.com",
    "rutube": "rutube.ru",
    "snapchat": "snapchat.com",
    "soundcloud": "soundcloud.com",
    "streamable": "streamable.com",
    "ted": "ted.com",
    "threads": "threads.net threads.com",
    "triller": "triller.co",
    "tumblr": "tumblr.com",
    "twitch": "twitch.tv",
    "twitter": "twitter.com x.com",
    "vimeo": "vimeo.com",
    "vk": "vk.com vk.ru vkvideo.ru",
    "weibo": "weibo.com weibo.cn",
    "xiaohongshu": "xiaohongshu.com xhslink.com",
    "youtube": "youtube.com youtu.be youtube-nocookie.com",
}
# Where those sites keep their files: asked for through an outgoing proxy, where names are all that can be judged.
_FILE_HOSTS = (
    "akamaized.net bilivideo.com bilivideo.cn byteimg.com cdninstagram.com cdn.bsky.app cdnst.net dmcdn.net "
    "douyinpic.com douyinvod.com fbcdn.net ggpht.com googlevideo.com gvt1.com hdslb.com jtvnw.net licdn.com live.com "
    "mycdn.me okcdn.ru pinimg.com redditmedia.com redditstatic.com rmbl.ws sc-cdn.net sndcdn.com staticflickr.com "
    "tedcdn.com ttvnw.net twimg.com userapi.com vimeocdn.com vkuser.net vkuserphoto.ru weibocdn.com xhscdn.com "
    "ytimg.com"
)

SITES: Mapping[str, str] = MappingProxyType({host: name for name, hosts in _HOSTS.items() for host in hosts.split()})

# Every host that resolving and downloading may ask for, by suffix.
KNOWN_HOSTS: tuple[str, ...] = (*SITES, *_FILE_HOSTS.split())


def platform_of(host: str) -> str | None:
    """The platform of a lower-case host (a key of `_HOSTS`), or None for a stranger."""
    while host:
        if name := SITES.get(host):
            return name
        host = host.partition(".")[2]
    return None


class Shape(NamedTuple):
    """`pattern` is matched from the start of `host/path?query`; its groups `post` and `target` fill the Link's fields.

    `url` is the canonical address made from `post`; empty: the link's own host, path and query, as validated.
    """

    pattern: re.Pattern[str]
    kind: LinkKind
    url: str = ""


def _shape(pattern: str, kind: LinkKind, url: str = "") -> Shape:
    return Shape(re.compile(pattern, re.ASCII), kind, url)


_ONE = r"[^/?]+/(?P<target>[\w.@:~-]+)/?(?:\?|\Z)"  # a single path segment: on many sites an account
_YOUTUBE_POST = "https://www.youtube.com/watch?v={post}"
_DOUYIN_POST = "https://www.douyin.com/video/{post}"  # notes too: it is the one form yt-dlp knows

# First match wins; no match is a post for yt-dlp to judge, and a bare home page is OTHER.
SHAPES: Mapping[str, tuple[Shape, ...]] = MappingProxyType(
    {
        "bilibili": (
            _shape(r"space\.bilibili\.com/(?P<target>\d+)", LinkKind.USER),
            _shape(r"live\.bilibili\.com/", LinkKind.LIVE),
        ),
        "bluesky": (_shape(r"[^/?]+/profile/(?P<target>[\w.:-]+)/?(?:\?|\Z)", LinkKind.USER),),
        "dailymotion": (_shape(r"[^/?]+/playlist/(?P<target>\w+)", LinkKind.PLAYLIST),),
        "douyin": (
            _shape(r"[^?]*/(?:video|note|gallery|vsdetail)/(?P<post>\d{1,20})(?![^/?])", LinkKind.POST, _DOUYIN_POST),
            _shape(r"[^?]*\?(?:.*&)?modal_id=(?P<post>\d{1,20})(?![^&])", LinkKind.POST, _DOUYIN_POST),
            _shape(r"v\.(?:ies)?douyin\.com/[\w-]+/?(?:\?|\Z)", LinkKind.POST),  # yt-dlp or its redirect tells which
            _shape(r"(?:live\.douyin\.com|[^?]*/follow/live)/(?P<target>[\w.-]+)", LinkKind.LIVE),
            _shape(r"[^?]*/(?:collection|mix)/(?P<target>\d+)", LinkKind.COLLECTION),
            _shape(r"[^?]*/music/(?P<target>\d+)", LinkKind.SOUND),
            _shape(r"[^?]*/(?:hashtag|challenge)/(?P<target>\d+)", LinkKind.TAG),
            _shape(r"[^?]*/user/(?P<target>[\w.-]+)", LinkKind.USER),
            _shape(r"", LinkKind.OTHER),
        ),
        "instagram": (
            _shape(r"[^/?]+/explore/tags/(?P<target>[^/?]+)", LinkKind.TAG),
            _shape(r"[^/?]+/(?:explore|accounts|direct)(?:/|\?|\Z)", LinkKind.OTHER),
            _shape(_ONE, LinkKind.USER),
        ),
        "kuaishou": (_shape(r"[^/?]+/profile/(?P<target>[\w-]+)", LinkKind.USER),),
        "lbry": (_shape(r"[^/?]+/(?P<target>@[\w.:-]+)/?(?:\?|\Z)", LinkKind.USER),),
        "likee": (_shape(r"[^/?]+/(?P<target>@[\w.-]+)/?(?:\?|\Z)", LinkKind.USER),),
        "linkedin": (_shape(r"[^/?]+/(?:in|company)/(?P<target>[\w%-]+)/?(?:\?|\Z)", LinkKind.USER),),
        "niconico": (
            _shape(r"live\d?\.nicovideo\.jp/", LinkKind.LIVE),
            _shape(r"[^/?]+/user/(?P<target>\d+)", LinkKind.USER),
        ),
        "reddit": (
            _shape(r"[^/?]+/(?:user|u)/(?P<target>[\w-]+)/?(?:\?|\Z)", LinkKind.USER),
            _shape(r"[^/?]+/r/(?P<target>\w+)/?(?:\?|\Z)", LinkKind.OTHER),
        ),
        "rumble": (_shape(r"[^/?]+/(?:c|user)/(?P<target>[\w.-]+)/?(?:\?|\Z)", LinkKind.USER),),
        "snapchat": (_shape(r"[^/?]+/add/(?P<target>[\w.-]+)", LinkKind.USER),),
        "soundcloud": (
            _shape(r"[^/?]+/[\w-]+/sets/(?P<target>[\w-]+)", LinkKind.PLAYLIST),
            _shape(r"(?:www\.|m\.)?soundcloud\.com/(?P<target>[\w-]+)/?(?:\?|\Z)", LinkKind.USER),
        ),
        "threads": (_shape(r"[^/?]+/(?P<target>@[\w.]+)/?(?:\?|\Z)", LinkKind.USER),),
        "twitch": (
            _shape(r"clips\.twitch\.tv/", LinkKind.POST),
            _shape(r"[^/?]+/collections/(?P<target>[\w-]+)", LinkKind.COLLECTION),
            _shape(r"[^/?]+/(?P<target>\w+)/?(?:\?|\Z)", LinkKind.LIVE),
        ),
        "twitter": (
            _shape(r"[^/?]+/hashtag/(?P<target>[^/?]+)", LinkKind.TAG),
            _shape(r"[^/?]+/(?:home|search|explore|settings)(?:/|\?|\Z)", LinkKind.OTHER),
            _shape(_ONE, LinkKind.USER),
        ),
        "weibo": (_shape(r"[^/?]+/u/(?P<target>\d+)", LinkKind.USER),),
        "xiaohongshu": (_shape(r"[^/?]+/user/profile/(?P<target>\w+)/?(?:\?|\Z)", LinkKind.USER),),
        "youtube": (
            _shape(
                r"(?:youtu\.be|[^/?]+/(?:shorts|live|embed|v))/(?!videoseries)(?P<post>[\w-]{11})(?![\w-])",
                LinkKind.POST,
                _YOUTUBE_POST,
            ),
            _shape(r"[^/?]+/watch/?\?(?:.*&)?v=(?P<post>[\w-]{11})(?![\w-])", LinkKind.POST, _YOUTUBE_POST),
            _shape(r"[^/?]+/playlist\?(?:.*&)?list=(?P<target>[\w-]+)", LinkKind.PLAYLIST),
            _shape(r"[^/?]+/hashtag/(?P<target>[^/?]+)", LinkKind.TAG),
            _shape(r"[^/?]+/(?:(?:channel|c|user)/)?(?P<target>@?[\w.%-]+)/live/?(?:\?|\Z)", LinkKind.LIVE),
            _shape(r"[^/?]+/(?:(?:channel|c|user)/|(?=@))(?P<target>@?[\w.%-]+)", LinkKind.USER),
            _shape(r"[^/?]+/(?:feed|results|post|premium|gaming)(?:/|\?|\Z)", LinkKind.OTHER),
        ),
    }
)
