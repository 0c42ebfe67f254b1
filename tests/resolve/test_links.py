"""Every real form of a link is understood: the right platform, kind and id, and a canonical URL of our own making."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from clipstead.errors import UnsupportedLink
from clipstead.model import Link, LinkKind
from clipstead.resolve.links import parse

ID = "7106594312292453675"
POST = f"https://www.tiktok.com/@_/video/{ID}"
LONG_ID = "6956990112127585029"
SEC_UID = "MS4wLjABAAAAM3R2BtjzVT-uAtstkl2iugMzC6AtnpkojJbjiOdDDrdsTiTR75-8lyWJCY5VvDrZ"

KINDS: dict[str, Callable[[str], LinkKind]] = {
    "bare-id": lambda url: LinkKind.POST,
    "cdn": lambda url: LinkKind.CDN,
    "collection": lambda url: LinkKind.PLAYLIST if "/playlist/" in url else LinkKind.COLLECTION,
    "embed": lambda url: LinkKind.USER if "/@" in url else LinkKind.POST,
    "lite": lambda url: LinkKind.SHORT,
    "live": lambda url: LinkKind.LIVE,
    "m-v-html": lambda url: LinkKind.POST,
    "music": lambda url: LinkKind.SOUND,
    "other": lambda url: LinkKind.USER if url.startswith("tiktokuser:") else LinkKind.OTHER,
    "photo": lambda url: LinkKind.POST,
    "player": lambda url: LinkKind.POST,
    "share-video": lambda url: LinkKind.POST,
    "short-t": lambda url: LinkKind.SHORT,
    "short-vm": lambda url: LinkKind.SHORT,
    "short-vt": lambda url: LinkKind.SHORT,
    "tag": lambda url: LinkKind.TAG,
    "user": lambda url: LinkKind.USER,
    "user-h5-share": lambda url: LinkKind.USER,
    "video": lambda url: LinkKind.POST,
}


def _fault(row: dict[str, str]) -> str:
    """What is wrong with our reading of a real row of urls.tsv; "" when all is well.

    An expected id counts only where it stands in the URL itself: what a short link resolves to, a handle's secUid,
    a tag's or a live room's id cannot be known without asking. A post's URL with no number in it must be refused.
    """
    url, expected, column = row["url"], row["expected_id"], row["kind"]
    try:
        link = parse(url)
    except UnsupportedLink as error:
        return "" if _must_be_refused(row) else f"refused: {error}"
    if _must_be_refused(row):
        return f"accepted as {link}"
    if expected and expected in url and expected not in (link.post_id, link.target):
        return f"id {expected} is not in {link}"
    if column == "douyin":
        fits = link.platform == "douyin" and (not expected or link.kind is LinkKind.POST)
        return "" if fits else f"not Douyin's, or no post: {link}"
    if link.platform != "tiktok" or link.kind is not KINDS[column](url):
        return f"not {KINDS[column](url)} in {link}"
    if link.kind is LinkKind.POST and link.url != f"https://www.tiktok.com/@_/video/{link.post_id}":
        return f"not canonical: {link.url}"
    return ""


def _must_be_refused(row: dict[str, str]) -> bool:
    if "must be rejected" in row["note"]:
        return True
    is_post = row["kind"] in KINDS and KINDS[row["kind"]](row["url"]) is LinkKind.POST
    return is_post and not re.search(r"(?:^|/)[0-9]+(?:\.html)?/?(?:[?#]|$)", row["url"])


def test_every_real_row_of_the_recorded_urls_is_read_right(samples: Path) -> None:
    """All rows that people and projects really use; the SYNTHETIC ones are only held to raise nothing else."""
    with (samples / "urls.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    real = [row for row in rows if "SYNTHETIC" not in row["note"]]
    assert len(real) > 500
    faults = [f"{row['kind']:14} {row['url'][:110]}\n    {fault}" for row in real if (fault := _fault(row))]
    print(f"{len(real)} real rows, {len(faults)} faults", *faults, sep="\n")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "text",
    [
        f"https://www.tiktok.com/@user.name_1/video/{ID}",
        f"http://tiktok.com/@user/video/{ID}",
        f"HTTPS://WWW.TikTok.COM/@user/video/{ID}",
        f"www.tiktok.com/@user/video/{ID}",
        f"tiktok.com/@user/photo/{ID}",
        f"m.tiktok.com/@user/video/{ID}",
        f"https://lite.tiktok.com/@user/video/{ID}/",
        f"https://us.tiktok.com/@user/video/{ID}",
        f"https://vm.tiktok.com/@user/video/{ID}",
        f"https://m.tiktok.com/v/{ID}.html?u_code=1",
        f"https://m.tiktok.com/v/{ID}",
        f"https://m.tiktok.com/h5/share/video/{ID}.html",
        f"https://t.tiktok.com/i18n/share/video/{ID}/?_d=x&share_item_id=1",
        f"https://www.tiktok.com/share/video/{ID}/",
        f"https://www.tiktokv.com/share/video/{ID}",
        f"https://www.tiktokv.us/share/video/{ID}/?x=1",
        f"https://www.tiktok.com/embed/{ID}",
        f"https://www.tiktok.com/embed/v2/{ID}?lang=en-US&",
        f"https://www.tiktok.com/player/v1/{ID}?autoplay=1",
        f"https://www.tiktok.com/video/{ID}",
        f"https://www.tiktok.com/@/video/{ID}",
        f"https://www.tiktok.com/@{SEC_UID}/video/{ID}",
        f"https://www.tiktok.com/%40user/video/{ID}",
        f"https://www.tiktok.com/@名前/video/{ID}",
        f"https://www.tiktok.com/@%E5%90%8D/video/{ID}",
        f"https://www.tiktok.com/@user/video/{ID}?u=https://evil.test/@x#@evil.test",
        f"https://www.tiktok.com/@user/video/{ID}&b=2&c=3",
        f"https://www.tiktok.com/@user/video/{ID}/&type=embed",
        f"https://www.tiktok.com/@user/video/{ID}#",
        f"https://www.tiktok.com./@user/video/{ID}",
        f"https://www.tiktok.com//@user//video/{ID}//",
        f"https://www.tiktok.com:443/@user/video/{ID}",
        f"http://www.tiktok.com:80/@user/video/{ID}",
        f"  {ID}\n",
        ID,
    ],
)
def test_every_form_of_a_post_leads_to_the_same_link(text: str) -> None:
    """The id is taken out, and the URL is ours: nothing of the handle, query or fragment is left."""
    assert parse(text) == Link("tiktok", POST, ID)


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "Check out this video! #fyp @someone {}",
        "{} via @someone, 100% real: yes/no?",
        "Look!\n{}\n#cats #fyp",
        "{}\nso funny\r\nreally",
        "{}\nhttps://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "{}\n@someone else",
        "看看【小明的作品】 {} 复制此链接，打开抖音搜索",
        "看看{}，快来",
        "视频：{}。",
        "《{}》",
        "🔥{}🔥🔥",
        "👉 {}❤️",
        "({})",
        "[the video]({})",
        "[{}]({})",
        "<{}>",
        '"{}"',
        "'{}',",
        "“{}”",
        "`{}`",
        "**{}**",
        "||{}||",
        '<a href="{}">link</a>',
        "wow...{}...",
        "{}!",
        "{}?",
        "{},",
        "{};",
        "\ufeff{}\u200b",
        "\u200e{}\u200f",
        "1. {}\n2. nothing",
        "x.com is where I saw {}",
        "https://evil.test/@u/video/1 is bad, {} is good",
        "https://www.tiktok.com/@someone shows {}",
    ],
)
@pytest.mark.parametrize(
    "form", [f"https://www.tiktok.com/@user/video/{ID}?a=1&b=2", "https://vm.tiktok.com/ZMJmVWVpL/"]
)
def test_a_link_is_found_in_whatever_it_is_pasted_with(around: str, form: str) -> None:
    """Captions, brackets, quotes, emoji and scripts without blanks around a link change nothing."""
    assert parse(around.replace("{}", form)) == parse(form)


@pytest.mark.parametrize("around", ["see {} now", "({})", "「{}」です", "👉{}", '"{}".', "{}，快", "{}看看"])
@pytest.mark.parametrize("form", [f"www.tiktok.com/@user/video/{ID}", "vm.tiktok.com/ZMJmVWVpL"])
def test_a_link_without_scheme_is_found_too(around: str, form: str) -> None:
    """At the start of a word, after brackets or emoji."""
    assert parse(around.format(form)) == parse(form)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://vm.tiktok.com/ZMJmVWVpL/", "https://vm.tiktok.com/ZMJmVWVpL"),
        ("vt.tiktok.com/ZS66e9D4C", "https://vt.tiktok.com/ZS66e9D4C"),
        ("http://vm.tiktok.com/ZMJmVWVpL/?k=1#x", "https://vm.tiktok.com/ZMJmVWVpL"),
        ("https://vm.tiktok.com/ZMJmVWVpL/&type=embed", "https://vm.tiktok.com/ZMJmVWVpL"),
        ("https://vm.tiktok.com/ZMJmVWVpL看看", "https://vm.tiktok.com/ZMJmVWVpL"),
        ("https://www.tiktok.com/t/ZTRC5xgJp", "https://www.tiktok.com/t/ZTRC5xgJp"),
        ("tiktok.com/t/ZTRC5xgJp//", "https://www.tiktok.com/t/ZTRC5xgJp"),
        ("https://m.tiktok.com/t/ZTRC5xgJp/", "https://www.tiktok.com/t/ZTRC5xgJp"),
        ("https://lite.tiktok.com/t/ZS9kbvK6vp8wG-kpCN6/", "https://lite.tiktok.com/t/ZS9kbvK6vp8wG-kpCN6"),
    ],
)
def test_a_short_link_keeps_its_host_and_code_only(text: str, url: str) -> None:
    """The code is the target; which post it means, only TikTok knows."""
    assert parse(text) == Link("tiktok", url, None, LinkKind.SHORT, url.rpartition("/")[2])


@pytest.mark.parametrize(
    ("path", "kind", "target", "canonical"),
    [
        ("/@user.name_?lang=en", LinkKind.USER, "user.name_", "/@user.name_"),
        ("/%40user", LinkKind.USER, "user", "/@user"),
        ("/@user.", LinkKind.USER, "user", "/@user"),
        ("/@user🔥", LinkKind.USER, "user", "/@user"),
        ("/@名前", LinkKind.USER, "名前", "/@%E5%90%8D%E5%89%8D"),
        (f"/@{SEC_UID}", LinkKind.USER, SEC_UID, f"/@{SEC_UID}"),
        ("/embed/@user", LinkKind.USER, "user", "/@user"),
        ("/tag/fypシ?is_copy_url=0", LinkKind.TAG, "fypシ", "/tag/fyp%E3%82%B7"),
        ("/tag/ไทยดี", LinkKind.TAG, "ไทยดี", "/tag/%E0%B9%84%E0%B8%97%E0%B8%A2%E0%B8%94%E0%B8%B5"),
        ("/tag/%F0%9F%94%A5", LinkKind.TAG, "🔥", "/tag/%F0%9F%94%A5"),
        ("/music/Build-a-Btch-6956990112127585029?lang=en", LinkKind.SOUND, LONG_ID, f"/music/_-{LONG_ID}"),
        ("/music/%E5%90%8D-6956990112127585029", LinkKind.SOUND, LONG_ID, f"/music/_-{LONG_ID}"),
        ("/@u/collection/a%20b-6956990112127585029", LinkKind.COLLECTION, LONG_ID, f"/@u/collection/_-{LONG_ID}"),
        ("/@名/collection/a-6956990112127585029", LinkKind.COLLECTION, LONG_ID, f"/@_/collection/_-{LONG_ID}"),
        ("/@u/playlist/x-6956990112127585029", LinkKind.PLAYLIST, LONG_ID, f"/@u/playlist/_-{LONG_ID}"),
        ("/@u/live", LinkKind.LIVE, "u", "/@u/live"),
        ("/@u/likes", LinkKind.OTHER, "u", "/@u/likes"),
        ("/sticker/Elf-Friend-479565", LinkKind.OTHER, "479565", "/sticker/_-479565"),
        (f"/shortdrama/episode/{ID}/12", LinkKind.OTHER, f"{ID}/12", f"/shortdrama/episode/{ID}/12"),
    ],
)
def test_other_tiktok_pages_are_named_for_what_they_are(path: str, kind: LinkKind, target: str, canonical: str) -> None:
    """Accounts, tags, sounds, lists and the rest carry their target, and a URL rebuilt from it."""
    home = "https://www.tiktok.com"
    assert parse(f"{home}{path}") == Link("tiktok", f"{home}{canonical}", None, kind, target)


def test_the_secuid_form_of_yt_dlp_is_an_account() -> None:
    """`tiktokuser:SECUID` reads as the profile page of that secUid."""
    assert parse(f"tiktokuser:{SEC_UID}") == parse(f"https://www.tiktok.com/@{SEC_UID}")


def test_pages_of_the_mobile_host_keep_it() -> None:
    """A shared profile or live room is known by its number only, which the www host has no page for."""
    profile = "https://m.tiktok.com/h5/share/usr/6641141594707361797.html"
    room = "https://m.tiktok.com/share/live/7209423610325322522"
    assert parse(profile) == Link("tiktok", profile, None, LinkKind.USER, "6641141594707361797")
    assert parse(f"{room}/?language=en") == Link("tiktok", room, None, LinkKind.LIVE, "7209423610325322522")


@pytest.mark.parametrize("host", ["v16-webapp-prime.tiktok.com", "v19.us.tiktok.com", "v16m-default.tiktokcdn.com"])
def test_a_cdn_file_is_known_as_one_and_its_signature_is_dropped(host: str) -> None:
    """Its query would be a key to the file, and a Link is logged and stored."""
    link = parse(f"https://{host}/video/tos/a/b-0068/o4E/?a=1988&expire=1&signature=secret&tk=tt_chain_token")
    assert link == Link("tiktok", f"https://{host}/video/tos/a/b-0068/o4E/", None, LinkKind.CDN)
