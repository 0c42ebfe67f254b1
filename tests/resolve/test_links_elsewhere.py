"""Links of other platforms are known by host, cleaned, and named for what they are; strangers are refused."""

import pytest

from clipstead.errors import UnsupportedLink
from clipstead.model import Link, LinkKind
from clipstead.resolve.links import parse

ID = "7106594312292453675"
SEC_UID = "MS4wLjABAAAAM3R2BtjzVT-uAtstkl2iugMzC6AtnpkojJbjiOdDDrdsTiTR75-8lyWJCY5VvDrZ"


@pytest.mark.parametrize(
    ("text", "platform", "kind"),
    [
        ("https://www.instagram.com/reel/Chunk8-jurw/?igsh=MQ==", "instagram", LinkKind.POST),
        ("https://www.instagram.com/some.body/", "instagram", LinkKind.USER),
        ("https://www.instagram.com/explore/tags/cats/", "instagram", LinkKind.TAG),
        ("https://x.com/a/status/1234567890/video/2", "twitter", LinkKind.POST),
        ("https://mobile.twitter.com/i/status/1234567890", "twitter", LinkKind.POST),
        ("https://x.com/somebody", "twitter", LinkKind.USER),
        ("https://www.facebook.com/watch/?v=647537299265662", "facebook", LinkKind.POST),
        ("https://fb.watch/abcdef123/", "facebook", LinkKind.POST),
        ("https://www.reddit.com/r/videos/comments/6rrwyj/that_small/", "reddit", LinkKind.POST),
        ("https://old.reddit.com/user/somebody/", "reddit", LinkKind.USER),
        ("https://v.redd.it/zv89llsvexdz", "reddit", LinkKind.POST),
        ("https://vimeo.com/56015672", "vimeo", LinkKind.POST),
        ("https://dai.ly/x5kesuj", "dailymotion", LinkKind.POST),
        ("https://clips.twitch.tv/FaintLightGullWholeWheat", "twitch", LinkKind.POST),
        ("https://www.twitch.tv/videos/6528877", "twitch", LinkKind.POST),
        ("https://www.twitch.tv/somebody", "twitch", LinkKind.LIVE),
        ("https://www.pinterest.co.uk/pin/664281013778109217/", "pinterest", LinkKind.POST),
        ("https://www.snapchat.com/spotlight/W7_EDlXWTBiXAEEniNoMPwAAY", "snapchat", LinkKind.POST),
        ("https://www.threads.com/@a/post/Cxyz", "threads", LinkKind.POST),
        ("https://user.tumblr.com/post/54196191430/", "tumblr", LinkKind.POST),
        ("https://www.bilibili.com/video/BV13x41117TL?p=1", "bilibili", LinkKind.POST),
        ("https://live.bilibili.com/196", "bilibili", LinkKind.LIVE),
        ("https://space.bilibili.com/3985676/video", "bilibili", LinkKind.USER),
        ("https://likee.video/@a/video/7093444807096327263", "likee", LinkKind.POST),
        ("https://www.kuaishou.com/short-video/3xabc", "kuaishou", LinkKind.POST),
        ("https://vk.com/video-77521_162222515", "vk", LinkKind.POST),
        ("https://ok.ru/video/20079905452", "odnoklassniki", LinkKind.POST),
        ("https://rutube.ru/video/3eac3b4561676c17df9132a9a1e62e3e/", "rutube", LinkKind.POST),
        ("https://soundcloud.com/a/b", "soundcloud", LinkKind.POST),
        ("https://soundcloud.com/a/sets/b", "soundcloud", LinkKind.PLAYLIST),
        ("https://on.soundcloud.com/AbCdE", "soundcloud", LinkKind.POST),
        ("https://bsky.app/profile/a.bsky.social/post/3l4omssdl632g", "bluesky", LinkKind.POST),
        ("https://www.linkedin.com/posts/a_b-ugcPost-6850898786781339649-mM20", "linkedin", LinkKind.POST),
        ("https://streamable.com/dnd1", "streamable", LinkKind.POST),
        ("https://imgur.com/A61SaA1", "imgur", LinkKind.POST),
        ("https://9gag.com/gag/ae5Ag7B", "9gag", LinkKind.POST),
        ("https://coub.com/view/5u5n1", "coub", LinkKind.POST),
        ("https://rumble.com/vdmum1-moose.html", "rumble", LinkKind.POST),
        ("https://odysee.com/@a:1/b:2", "lbry", LinkKind.POST),
        ("https://www.bitchute.com/video/UGlrF9o9b-Q/", "bitchute", LinkKind.POST),
        ("https://m.weibo.cn/status/4189191225395228", "weibo", LinkKind.POST),
        ("https://www.xiaohongshu.com/explore/6411cf99000000001300b6d9?xsec_token=AB=", "xiaohongshu", LinkKind.POST),
        ("https://www.nicovideo.jp/watch/sm22312215", "niconico", LinkKind.POST),
        ("https://triller.co/@a/video/f4480e1f-fb4e", "triller", LinkKind.POST),
        ("https://www.loom.com/share/43d05f362f734614a2e81b4694a3a523", "loom", LinkKind.POST),
        ("https://www.ted.com/talks/candace_parker", "ted", LinkKind.POST),
        ("https://www.newgrounds.com/portal/view/673111", "newgrounds", LinkKind.POST),
        ("https://www.flickr.com/photos/a/5645318632/in/photostream/", "flickr", LinkKind.POST),
        ("https://www.youtube.com/feed/trending", "youtube", LinkKind.OTHER),
        ("https://www.youtube.com/embed/videoseries?list=PL12345", "youtube", LinkKind.POST),
        ("https://www.youtube.com/playlist?list=PL12345", "youtube", LinkKind.PLAYLIST),
        ("https://www.youtube.com/@somebody/videos", "youtube", LinkKind.USER),
        ("https://www.youtube.com/@somebody/live", "youtube", LinkKind.LIVE),
        ("https://www.douyin.com/collection/7320876060210373923", "douyin", LinkKind.COLLECTION),
        ("https://www.douyin.com/music/7320876060210373923", "douyin", LinkKind.SOUND),
        (f"https://www.douyin.com/user/{SEC_UID}?vid=7285950278132616463", "douyin", LinkKind.USER),
        ("https://live.douyin.com/766545142636?room_id=7299828646049827596", "douyin", LinkKind.LIVE),
        ("https://www.douyin.com/error", "douyin", LinkKind.OTHER),
        ("https://v.douyin.com/iNUBcHxM/", "douyin", LinkKind.POST),
        ("https://vimeo.com/", "vimeo", LinkKind.OTHER),
    ],
)
def test_other_platforms_are_recognised(text: str, platform: str, kind: LinkKind) -> None:
    """By host; the URL is the same host, path and query, and what is plainly no post is said so."""
    link = parse(text)
    assert (link.platform, link.kind, link.url) == (platform, kind, text)


@pytest.mark.parametrize(
    "text",
    [
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "http://m.youtube.com/watch?app=desktop&v=dQw4w9WgXcQ&t=10s#x",
        "youtu.be/dQw4w9WgXcQ?si=abc",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ?feature=share",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
        "https://www.youtube.com/live/dQw4w9WgXcQ",
        "https://youtu.be/dQw4w9WgXcQ看看",
    ],
)
def test_every_form_of_a_youtube_video_leads_to_the_same_link(text: str) -> None:
    """So the cache holds it once."""
    assert parse(text) == Link("youtube", "https://www.youtube.com/watch?v=dQw4w9WgXcQ", "dQw4w9WgXcQ")


@pytest.mark.parametrize(
    "text",
    [
        f"https://www.douyin.com/video/{ID}?previous_page=main_page",
        f"https://www.douyin.com/note/{ID}",
        f"https://www.douyin.com/discover?modal_id={ID}",
        f"https://www.douyin.com/user/{SEC_UID}?from=x&modal_id={ID}&y=1",
        f"https://www.iesdouyin.com/share/video/{ID}/?region=CN&mid=1",
        f"7.99 复制打开抖音，看看【小明的作品】 https://www.douyin.com/video/{ID} q@R.kc 02/14",
    ],
)
def test_every_form_of_a_douyin_post_leads_to_the_same_link(text: str) -> None:
    """In the one form that yt-dlp reads."""
    assert parse(text) == Link("douyin", f"https://www.douyin.com/video/{ID}", ID)


def test_other_platforms_lose_fragment_port_and_plain_http() -> None:
    """The address is put together again from its judged parts."""
    link = parse("Http://WWW.Vimeo.com:80/56015672?h=ab%20c#t=10")
    assert link == Link("vimeo", "https://www.vimeo.com/56015672?h=ab%20c")


def test_a_stranger_is_refused_with_its_name() -> None:
    """The message says which host it was, and holds nothing else of the text."""
    with pytest.raises(UnsupportedLink, match=r"^Links of shop\.example are not supported$"):
        parse("https://shop.example/secret?token=abc")
