"""What holds of links.parse for any text whatever: one error, one canonical form, hosts and signs of our own."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from clipstead.errors import UnsupportedLink
from clipstead.model import Link, LinkKind
from clipstead.resolve.links import parse
from clipstead.resolve.platforms import SITES, platform_of

CANONICAL = re.compile(r"https://([a-z0-9.-]+)(?:/[!-~]*)?")

# Pieces from which both real links and their look-alikes are made.
PIECES = st.sampled_from(
    [
        *("https://", "http://", "HTTPS://", "https:/", "//", "/", "\\", ":", "@", "?", "#", "&", "=", "%", ".", ".."),
        *(" ", "\t", "\n", "\r\n", "\x00", "\u200b", "\u3000", "。", "，", "🔥", "看", "é", "７", "ſ", "\ud800"),
        *("(", ")", "[", "]", "<", ">", '"', "'", "-", "_", "%2f", "%40", "%2e", "%25", "%00", "%ff", "%E3%82%B7"),
        *("www.tiktok.com", "tiktok.com", "m.tiktok.com", "vm.tiktok.com", "lite.tiktok.com", "www.tiktokv.com"),
        *("v16-webapp.tiktok.com", "p16.tiktokcdn.com", "evil.test", "127.0.0.1", "[::1]", ":443", ":80", ":8080"),
        *("www.youtube.com", "youtu.be", "x.com", "www.douyin.com", "live.douyin.com", "www.instagram.com"),
        *("@user", "@", "video", "photo", "t", "v", "tag", "music", "share", "embed", "v2", "live", "collection"),
        *("playlist", "likes", "h5", "usr", "sticker", "tos", "watch", "v=", "modal_id=", "shorts", ".html"),
        *("7106594312292453675", "1", "ZMJmVWVpL", "dQw4w9WgXcQ", "name-6956990112127585029", "a=1", "tiktokuser:"),
    ]
)
LINK_LIKE = st.lists(PIECES, max_size=14).map("".join)
PATHS = st.lists(PIECES, max_size=6).map("/".join)
SITE_LINKS = st.builds(lambda host, path: f"https://{host}/{path}", st.sampled_from(sorted(SITES)), PATHS)
ANY_TEXT = st.one_of(
    st.text(max_size=300), LINK_LIKE, SITE_LINKS, st.text(max_size=40).map("https://www.tiktok.com/".__add__)
)


def _read(text: str) -> Link | None:
    try:
        return parse(text)
    except UnsupportedLink:
        return None


@settings(print_blob=True, max_examples=400)
@given(ANY_TEXT)
def test_any_text_is_a_sound_link_or_unsupported(text: str) -> None:
    """Nothing but UnsupportedLink is raised; a Link's URL is printable ASCII, https, on a host of our own list."""
    link = _read(text)
    if link is None:
        return
    canonical = CANONICAL.fullmatch(link.url)
    assert canonical is not None
    assert platform_of(canonical[1]) in {link.platform, f"{link.platform}-cdn"}
    assert "/../" not in f"{link.url}/"
    assert link.kind is not LinkKind.SHORT or re.fullmatch(r"[A-Za-z0-9_-]{4,32}", link.target or "")
    if link.platform == "tiktok" and link.kind is LinkKind.POST:
        assert link.url == f"https://www.tiktok.com/@_/video/{link.post_id}"
        assert re.fullmatch(r"[0-9]{1,20}", link.post_id or "")


@settings(print_blob=True, max_examples=400)
@given(ANY_TEXT)
def test_a_canonical_url_reads_as_the_same_link(text: str) -> None:
    """Parsing our own URL gives the very same Link again."""
    link = _read(text)
    if link is not None:
        assert parse(link.url) == link


@settings(print_blob=True)
@given(
    st.text(st.characters(categories=["L", "Zs", "Po", "So"]), max_size=80), st.integers(1, 10**20 - 1), st.booleans()
)
def test_a_post_is_found_in_any_caption(caption: str, number: int, first: bool) -> None:
    """Whatever words stand before or after it, as long as a blank parts them and no word is a link itself."""
    post = f"https://www.tiktok.com/@user/video/{number}"
    words = caption.replace("/", "").replace(".", "").replace("\\", "")
    text = f"{post} {words}" if first else f"{words} {post}"
    assert parse(text).post_id == str(number)


@settings(print_blob=True)
@given(st.sampled_from(sorted(SITES)), st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?\Z"))
def test_a_site_is_known_by_its_own_name_or_a_dot_before_it(site: str, label: str) -> None:
    """`label.site` is the site; `labelsite`, `site.label.test` and `site-label.test` are not."""
    assert platform_of(f"{label}.{site}") == SITES[site]
    assert platform_of(f"{site}.{label}.test") is None
    assert platform_of(f"{site}-{label}.test") is None
    assert f"{label}{site}" in SITES or platform_of(f"{label}{site}") is None
