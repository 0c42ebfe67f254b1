"""The three quarters of a page that are not the post: contexts and translations of the real ones' shape and weight."""

from functools import cache

import orjson

Json = dict[str, object]
_AREAS = {
    "privacy": "privacy settings", "screentime": "screen time report", "playlist": "playlist", "inbox": "inbox",
    "comments": "comments", "duet": "Duets", "stitch": "Stitches", "live": "LIVE event", "gifts": "gift gallery",
    "captions": "auto-generated captions", "downloads": "downloads", "followers": "follower list", "qna": "Q&A",
    "restricted": "Restricted Mode", "ads": "ad preferences", "search": "search history", "watch": "watch history",
    "username": "username", "bio": "bio link", "avatar": "profile photo", "drafts": "drafts", "pinned": "pinned videos",
    "series": "Series", "shop": "shop tab",
}  # fmt: skip
_ACTIONS = (
    "save", "delete", "share", "report", "hide", "pin", "review", "export", "import", "filter", "reset", "turn off",
    "turn on", "schedule", "translate", "download", "restore", "archive", "limit", "rename",
)  # fmt: skip
_FORMS = (
    ("modal_title", "{Action} your {area}?"),
    (
        "modal_desc",
        "This will {action} your {area} on all devices. Read our <a href={{TermsHref}}>Terms of Service</a>.",
    ),
    ("btn", "{Action}"),
    ("toast_success", "We updated your {area}"),
    ("toast_error", "Couldn’t {action} your {area}. Try again later"),
)
_TRIALS = (
    "feed", "comment", "profile", "search", "live", "login", "share", "player", "caption", "upload", "inbox", "sidebar",
    "topbar", "browse", "related", "tag", "sound", "embed", "seo", "mobile",
)  # fmt: skip
_TRIAL_PARTS = (
    "preload", "layout", "entrance", "cta_color", "autoscroll", "prefetch_cache", "guide", "popup_delay", "skeleton",
    "retry_policy", "density", "column_width", "cover_format", "qr_login", "hover_card", "consumption_limit", "abr_v2",
    "lazy_comments", "gesture", "dark_mode", "keyboard_hint", "cold_start", "volume_balance", "ssr_data", "csr_split",
    "app_banner", "redirect", "interest_tags", "notice_bar", "playback_rate",
)  # fmt: skip
_CODES = [a + b for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in "AEIMQRUXYZ"]


def escape(data: bytes) -> bytes:
    """JSON as the site prints it into a page: slashes and angle brackets as \\u escapes."""
    return data.replace(b"/", b"\\u002F").replace(b"<", b"\\u003C").replace(b">", b"\\u003E")


@cache
def contexts() -> bytes:
    """The scope's first three members, without the braces around them; about 250 KB."""
    scope = {
        "webapp.app-context": _app_context(),
        "webapp.biz-context": _biz_context(),
        "webapp.i18n-translation": {"Webapp": _translations()},
    }
    return escape(orjson.dumps(scope)[1:-1])


@cache
def head() -> bytes:
    """Everything of a page before its data; about 50 KB."""
    base = "https://lf16-tiktok-web.tiktokcdn-us.com/obj/tiktok-web-tx/tiktok/webapp/main/webapp-desktop/static/js"
    chunks = [f"{trial}-{part}.{index * 2_654_435_761 % 2**32:08x}.js" for index, (trial, part) in enumerate(_pairs())]
    manifest = {name.split(".")[0]: [f"static/js/async/{name}"] for name in chunks}
    links = [f'<link as="script" data-chunk="video" href="{base}/{name}" rel="preload"/>' for name in chunks[:70]]
    environment = {"regionInfo": {"isBoe": False, "vgeo": "VGeo-US", "vregion": "US-TTP2"}, "env": "practice"}
    return b"".join(
        (
            b'<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8"/>',
            b'<meta name="viewport" content="width=device-width, initial-scale=1.0"/>',
            b"<title>TikTok - Make Your Day</title>",
            b'<script id="tiktok-environment" type="application/json">' + orjson.dumps(environment) + b"</script>",
            b'<script id="chunk-manifest" type="application/json">' + orjson.dumps(manifest) + b"</script>",
            b'<script id="api-domains" type="application/json">{"rootApi":"https://www.tiktok.com"}</script>',
            "".join(links).encode(),
            b'<style data-emotion="css-global">html body{overflow-y:overlay;font-weight:400;}</style></head>',
            b'<body><div id="app"></div>',
        )
    )


@cache
def tail() -> bytes:
    """Everything of a page after its data."""
    base = "//lf16-tiktok-web.tiktokcdn-us.com/obj/tiktok-web-tx/tiktok/webapp/main/webapp-desktop/static/js"
    scripts = [f'<script async data-chunk="webapp-desktop" src="{base}/{a}-{b}.js"></script>' for a, b in _pairs()[:60]]
    return "".join(scripts).encode() + b"</body></html>"


def _pairs() -> list[tuple[str, str]]:
    return [(trial, part) for part in _TRIAL_PARTS for trial in _TRIALS]


def _translations() -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, area in _AREAS.items():
        for action in _ACTIONS:
            for form, text in _FORMS:
                name = f"webapp_{key}_{action.replace(' ', '')}_{form}"
                texts[name] = text.format(Action=action.capitalize(), action=action, area=area)
    return texts


def _app_context() -> Json:
    trials = {f"{trial}_{part}": {"vid": f"v{len(trial + part) % 4}"} for trial, part in _pairs()}
    return {
        "language": "en",
        "region": "US",
        "appId": 1233,
        "appType": "m",
        "wid": "7664095671998121502",
        "webIdCreatedTime": "1784436331",
        "odinId": "7664095665651401758",
        "nonce": "practice-nonce",
        "botType": "others",
        "requestId": "17844363310658178420",
        "clusterRegion": "TTP",
        "abTestVersion": {"versionName": ",".join(str(70_508_271 + 9 * n) for n in range(34)), "parameters": trials},
        "csrfToken": "practice-csrf-token",
        "userAgent": "Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
        "encryptedWebid": "1|practice|1784436331|781421f8f95f3085fcc43ee3d4dfdf3f38914fbdfa698bf678e7a9f642ed400f",
        "host": "www.tiktok.com",
    }


def _biz_context() -> Json:
    flags = {f"{part}_{trial}": len(part) % 3 != 0 for trial, part in _pairs()}
    languages = [
        {"en_name": "", "code": code.lower(), "local_name": code, "locale": code, "index": 1} for code in _CODES
    ]
    channels = [
        {"title": area.title(), "href": f"https://www.tiktok.com/channel/{key}"} for key, area in _AREAS.items()
    ]
    return {
        "cookieConsent": dict.fromkeys(("ga", "af", "fbp", "lip", "bing", "ttads", "reddit", "criteo"), True),
        "os": "linux",
        "isMobile": False,
        "isAndroid": False,
        "isIOS": False,
        "jumpType": "m",
        "navList": [{"title": "Company", "children": channels}],
        "kapLinks": [{"title": "Category", "children": [{"lang": ["en"], "links": channels}]}],
        "config": {"featureFlags": flags},
        "domains": {"kind": "us", "rootApi": "https://www.tiktok.com", "imFrontier": "wss://im-ws.tiktok.com/ws/v2"},
        "videoPlayerConfig": {"fallback": False},
        "playbackNormalizePath": {"path": ["/foryou", "/following"]},
        "bitrateConfig": {"bitrateLower": 200000, "bitrateRange": [200000, 2500000], "mode": "buffer-info"},
        "studioDownloadEntrance": {"regions": _CODES, "userRegions": _CODES[:7], "allRegions": False},
        "xgplayerInitHost": {"group1": ["v16-webapp.tiktok.com"], "group2": ["v16-webapp-prime.tiktok.com"]},
        "videoOrder": {"videoOrder": [{"property": "QualityType", "detail": [10, 28, 2]}]},
        "idc": "useast8",
        "vregion": "US-TTP2",
        "vgeo": "VGeo-US",
        "claConfig": {"translationLanguageList": languages[:60], "dntLanguageList": languages},
        "showApkTab": False,
        "hashedIP": "77edab4e",
    }
