"""From the JSON of one TikTok item (`itemStruct` of a page or of the web API, an entry of an item list) to a Post."""

from clipstead.errors import PostUnavailable, ProviderFailed, Reason
from clipstead.model import Author, Link, Media, MediaKind, Music, Post, Stats
from clipstead.resolve import loose
from clipstead.resolve.loose import Node
from clipstead.resolve.tiktok import media

_FILES = (MediaKind.VIDEO, MediaKind.IMAGE)

# Our counters, and TikTok's names for them.
_COUNTERS = {
    "views": "playCount",
    "likes": "diggCount",
    "comments": "commentCount",
    "shares": "shareCount",
    "saves": "collectCount",
    "downloads": "downloadCount",
    "reposts": "repostCount",
}


def build(raw: bytes, link: Link) -> Post:
    """The post that `raw` describes.

    PostUnavailable where the item itself says why it has no files, ProviderFailed where it is unusable or another
    post than `link` asks for.
    """
    item = loose.node(loose.decode(raw, "TikTok's post data"))
    post_id = loose.text(item.get("id"))
    if not post_id or (link.post_id and post_id != link.post_id):
        raise ProviderFailed("TikTok answered with another post than the one asked for")
    video, music = loose.node(item, "video"), loose.node(item, "music")
    files = _files(item, video, music)
    if not any(file.kind in _FILES for file in files):
        raise _without_files(item)
    return Post(
        id=post_id,
        link=link,
        title=loose.text(item.get("desc")) or loose.text(loose.node(item, "imagePost").get("title")),
        author=_author(item),
        media=files,
        music=_music(music),
        stats=stats(loose.node(item, "statsV2"), loose.node(item, "stats")),
        created_at=loose.moment(item.get("createTime")),
        duration=loose.length(video.get("duration")),
        region=loose.text(item.get("locationCreated")),
        language=loose.text(item.get("textLanguage")),
        raw=raw,
    )


def stats(*told: Node) -> Stats:
    """Counters from TikTok's; the first object that holds one counts (`statsV2` has the exact ones, in text)."""
    counted = {
        ours: next((found for node in told if (found := loose.number(node.get(theirs))) is not None), None)
        for ours, theirs in _COUNTERS.items()
    }
    return Stats(**counted)


def _files(item: Node, video: Node, music: Node) -> tuple[Media, ...]:
    image_post, author = loose.node(item, "imagePost"), loose.node(item, "author")
    pictures = media.images(image_post)
    first_picture = loose.node(image_post, "cover", "imageURL").get("urlList")
    return (
        *(pictures or media.videos(video)),
        *media.sound(music, video if pictures else {}),
        *media.subtitles(video),
        *media.covers(
            (
                ("cover", video.get("cover") or first_picture),
                ("origin", video.get("originCover")),
                ("dynamic", video.get("dynamicCover")),
                ("avatar", _avatar(item, author)),
                ("music-cover", music.get("coverLarge") or music.get("coverMedium") or music.get("coverThumb")),
            )
        ),
    )


def _without_files(item: Node) -> PostUnavailable | ProviderFailed:
    reason: Reason | None = None
    if loose.flag(item.get("isContentClassified")):
        reason = "age"
    elif loose.flag(item.get("takeDown")) or loose.flag(item.get("isReviewing")):
        reason = "removed"
    elif loose.flag(item.get("privateItem")) or loose.flag(item.get("secret")) or loose.flag(item.get("forFriend")):
        reason = "private"
    return PostUnavailable(reason) if reason else ProviderFailed("TikTok's post data names no files")


def _author(item: Node) -> Author:
    """Older pages (SIGI_STATE) have the handle alone as `author`, and the rest beside it."""
    told = loose.node(item, "author")
    return Author(
        id=loose.text(told.get("id")) or loose.text(item.get("authorId")),
        username=loose.text(told.get("uniqueId")) or loose.text(item.get("author")),
        nickname=loose.text(told.get("nickname")) or loose.text(item.get("nickname")),
        avatar=loose.address(_avatar(item, told)),
        verified=loose.flag(told.get("verified")),
        sec_uid=loose.text(told.get("secUid")) or loose.text(item.get("authorSecId")),
    )


def _avatar(item: Node, author: Node) -> object:
    places = (
        author.get("avatarLarger"),
        author.get("avatarMedium"),
        author.get("avatarThumb"),
        item.get("avatarThumb"),
    )
    return next((found for found in places if loose.address(found)), None)


def _music(music: Node) -> Music | None:
    if not music:
        return None
    return Music(
        id=loose.text(music.get("id")),
        title=loose.text(music.get("title")),
        author=loose.text(music.get("authorName")),
        album=loose.text(music.get("album")),
        cover=loose.address(music.get("coverLarge")) or loose.address(music.get("coverMedium")),
        duration=loose.length(music.get("duration")),
        original=loose.flag(music.get("original")),
    )
