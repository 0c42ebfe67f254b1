"""A post in the web's own shape: the `itemStruct` of pages and the items of `/api/.../item_list`."""

from collections.abc import Mapping, Sequence

from clipstead.practice.addresses import MUSIC_HOST, FileRef, file_url, image_url
from clipstead.practice.catalog import Catalog, PracticePost, PracticeSound, PracticeTag, PracticeUser
from clipstead.practice.files import Files
from clipstead.practice.video_json import empty_video, photo_addresses, video_json

Json = dict[str, object]
# What every item says alike.
_FIXED: Json = {
    **dict.fromkeys(("warnInfo", "effectStickers", "stickersOnItem", "comments", "channelTags"), ()),
    **dict.fromkeys(("originalItem", "officalItem", "secret", "forFriend", "digged", "privateItem", "isAd"), False),
    **dict.fromkeys(("collected", "IsAigc", "isReviewing"), False),
    **dict.fromkeys(("shareEnabled", "indexEnabled", "ShowAIGC"), True),
    **dict.fromkeys(("itemCommentStatus", "takeDown", "duetDisplay", "stitchDisplay"), 0),
    **dict.fromkeys(("AIGCDescription", "backendSourceEventTracking"), ""),
    "diversificationLabels": ["Hobbies", "Daily Life"],
    "diversificationId": 10021,
    "CategoryType": 113,
    "item_control": {"can_repost": True},
    "creatorAIComment": {"hasAITopic": False, "categoryList": [], "eligibleVideo": False, "notEligibleReason": 101},
}


class Items:
    """Writes items; `trap` is the address that a poisoned item names instead of the CDN's."""

    def __init__(self, catalog: Catalog, files: Files, trap: str = "") -> None:
        self._catalog = catalog
        self._files = files
        self.trap = trap

    def item(self, post: PracticePost, *, api: bool = False, twist: str = "") -> Json:
        """The itemStruct; `api`: numbers as the JSON API writes them; `twist`: the name of a media fault."""
        tags = textual_tags(post, self._catalog)
        item: Json = {
            "id": post.id,
            "desc": post.title,
            "createTime": post.created if api else str(post.created),
            "scheduleTime": 0,
            "video": video_json(post, self._files, api, twist, self.trap)
            if post.kind == "video"
            else empty_video(post),
            "author": author_json(post.author),
            "music": music_json(post.sound),
            "challenges": [tag_json(tag) for tag in (post_tags(post, self._catalog) if tags else ())],
            **_counters(post, api),
            **_FIXED,
            "textExtra": tags,
            "authorStats": author_stats(post.author, self._catalog),
            "duetEnabled": post.kind == "video",
            "stitchEnabled": post.kind == "video",
            "locationCreated": post.region,
            "suggestedWords": [post.tag.name, f"{post.tag.name} for beginners"],
            "contents": [{"desc": post.title, "textExtra": tags}],
            "textLanguage": post.language,
            "textTranslatable": post.language != "un",
            "authorStatsV2": _texts(author_stats(post.author, self._catalog)),
        }
        if post.kind == "photo":
            item["imagePost"] = self._image_post(post, twist)
        return item

    def classified(self, post: PracticePost) -> Json:
        """What a visitor without an account gets of an age-gated post."""
        return {
            "id": post.id,
            "desc": "",
            "createTime": str(post.created),
            "isContentClassified": True,
            "author": author_json(post.author),
        }

    def _image_post(self, post: PracticePost, twist: str) -> Json:
        images: list[Json] = []
        for index in range(post.images):
            width, height = self._files.image_size(post, index)
            urls = [f"{self.trap}/{index}.jpeg?"] if twist == "trapped-media" else photo_addresses(post, index)
            images.append({"imageURL": {"urlList": urls}, "imageWidth": width, "imageHeight": height})
        return {"images": images, "cover": images[0], "shareCover": images[0], "title": post.title[:24]}


def post_tags(post: PracticePost, catalog: Catalog) -> Sequence[PracticeTag]:
    """The tags a post carries: its own, and the one that everything carries."""
    return (post.tag, catalog.everything)


def textual_tags(post: PracticePost, catalog: Catalog) -> list[Json]:
    """Where the title names a tag."""
    found: list[Json] = []
    for tag in post_tags(post, catalog):
        start = post.title.find(f"#{tag.name}")
        if start >= 0:
            found.append(
                {
                    "awemeId": "",
                    "start": start,
                    "end": start + 1 + len(tag.name),
                    "hashtagId": tag.id,
                    "hashtagName": tag.name,
                    "type": 1,
                    "subType": 0,
                    "isCommerce": False,
                }
            )
    return found


def author_json(user: PracticeUser) -> Json:
    """The author of an item, and the `user` of a user page."""
    return {
        "id": user.id,
        "shortId": "",
        "uniqueId": user.username,
        "nickname": user.nickname,
        **{
            f"avatar{name}": image_url(FileRef("u", user.id, index), f"tplv-tiktokx-cropcenter:{side}:{side}.jpeg")
            for name, index, side in (("Larger", 10, 1080), ("Medium", 7, 720), ("Thumb", 1, 100))
        },
        "signature": user.bio,
        "createTime": user.created,
        "verified": user.verified,
        "secUid": user.sec_uid,
        "ftc": False,
        "relation": 0,
        "openFavorite": False,
        "commentSetting": 0,
        "duetSetting": 0,
        "stitchSetting": 0,
        "privateAccount": False,
        "secret": False,
        "isADVirtual": False,
        "roomId": "",
        "uniqueIdModifyTime": 0,
        "ttSeller": False,
        "downloadSetting": 0,
        "recommendReason": "",
        "nowInvitationCardUrl": "",
        "nickNameModifyTime": 0,
        "isEmbedBanned": False,
        "canExpPlaylist": True,
        "suggestAccountBind": False,
        "UserStoryStatus": 0,
    }


def author_stats(user: PracticeUser, catalog: Catalog) -> dict[str, int]:
    """A user's counters."""
    return {
        "followerCount": user.followers,
        "followingCount": 40 + user.index,
        "heart": user.followers * 31,
        "heartCount": user.followers * 31,
        "videoCount": len(catalog.of_user(user)),
        "diggCount": 400 + user.index,
        "friendCount": 0,
    }


def music_json(sound: PracticeSound) -> Json:
    """A sound; its file is `playUrl`."""
    covers = {
        f"cover{name}": image_url(FileRef("u", sound.id, index), f"tplv-tiktokx-cropcenter:{side}:{side}.jpeg")
        for name, index, side in (("Large", 10, 1080), ("Medium", 7, 720), ("Thumb", 1, 100))
    }
    return {
        "id": sound.id,
        "title": sound.title,
        "playUrl": file_url(FileRef("a", sound.id), "audio_mp4" if sound.ext == "m4a" else "audio_mpeg", MUSIC_HOST),
        **covers,
        "authorName": sound.artist,
        "original": sound.original,
        "private": False,
        "album": "" if sound.original else f"{sound.title} EP",
        "duration": sound.seconds,
        "scheduleSearchTime": 0,
        "collected": False,
        "preciseDuration": dict.fromkeys(
            ("preciseDuration", "preciseShootDuration", "preciseAuditionDuration", "preciseVideoDuration"),
            sound.seconds,
        ),
        "isCopyrighted": False,
        "tt2dsp": {"tt_to_dsp_song_infos": []},
        "is_unlimited_music": False,
        "is_commerce_music": True,
        "shoot_duration": sound.seconds,
    }


def tag_json(tag: PracticeTag) -> Json:
    """A challenge as items carry it."""
    picture = image_url(FileRef("u", tag.id, 5), "tplv-tiktokx-origin.image")
    names = ("profileLarger", "profileMedium", "profileThumb", "coverLarger", "coverMedium", "coverThumb")
    return {"id": tag.id, "title": tag.name, "desc": f"Everything about {tag.name}", **dict.fromkeys(names, picture)}


def counters(post: PracticePost) -> dict[str, int]:
    """A post's counters, by their names on the web."""
    return {
        "diggCount": post.views // 9,
        "shareCount": post.views // 311,
        "commentCount": post.views // 503,
        "playCount": post.views,
        "collectCount": post.views // 97,
    }


def _counters(post: PracticePost, api: bool) -> Json:
    stats = counters(post)
    web: Mapping[str, object] = stats if api else {**stats, "collectCount": str(stats["collectCount"])}
    return {"stats": web, "statsV2": _texts({**stats, "repostCount": 0})}


def _texts(numbers: Mapping[str, int]) -> Json:
    return {name: str(number) for name, number in numbers.items()}
