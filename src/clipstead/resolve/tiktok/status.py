"""What TikTok means by its status codes and texts: final about the post, a closed door, or nothing at all.

These tables are the part that rots: each row is an observation (2024-2026: TikTok's own error names, recorded pages,
capture reports), not a promise. Two rules stand above them. A code or text that nobody here knows is never final,
and whatever keeps *us* out (captcha, login, interception) says nothing about the post.
"""

from collections.abc import Mapping

from clipstead.errors import Blocked, ClipsteadError, PostUnavailable, ProviderFailed, Reason

FINAL: Mapping[int, Reason] = {
    10202: "missing",  # USER_NOT_EXIST
    10203: "missing",  # MUSIC_NOT_EXIST
    10205: "missing",  # HASHTAG_NOT_EXIST
    10213: "age",  # VIDEO_LOW_AGE_M
    10214: "age",  # VIDEO_LOW_AGE_T
    10215: "removed",  # VIDEO_ABNORMAL
    10216: "private",  # VIDEO_PRIVATE_BY_USER
    10217: "removed",  # VIDEO_FIRST_REVIEW_UNSHELVE
    10218: "removed",  # MUSIC_UNSHELVE
    10219: "removed",  # MUSIC_NO_COPYRIGHT
    10220: "removed",  # VIDEO_UNSHELVE_BY_MUSIC
    10221: "removed",  # USER_BAN
    10222: "private",  # USER_PRIVATE
    10223: "private",  # USER_FTC: the account of a child, which strangers are not shown
    10225: "removed",  # USER_UNIQUE_SENSITIVITY
    10227: "removed",  # VIDEO_NEED_RECHECK
    10228: "removed",  # VIDEO_RISK
    10229: "removed",  # VIDEO_R_MASK
    10230: "removed",  # VIDEO_RISK_MASK
    10231: "region",  # VIDEO_GEOFENCE_BLOCK
}

CLOSED: Mapping[int, str] = {
    10000: "TikTok asks for a captcha",  # VERIFY_CODE
    -2: "TikTok asks for a captcha",
    10102: "TikTok asks for a login",  # USER_NOT_LOGIN
    10113: "TikTok asks for a captcha",  # SHARK_SLIDE
    10114: "TikTok blocks this address",  # SHARK_BLOCK
    10119: "TikTok asks for a login",  # LIVE_NEED_LOGIN
    100002: "TikTok asks for a login",  # or the user is gone: it does not tell which
    209002: "TikTok asks for a login",
}

FAULTS: Mapping[int, str] = {
    450: "TikTok had an error of its own",  # CLIENT_PAGE_ERROR
    10101: "TikTok had an error of its own",  # SERVER_ERROR_NOT_500
    10111: "TikTok had an error of its own",  # NET_ERROR
}

# Of the author's account, not of the post: since October 2025 it also comes with the whole item beside it.
OF_THE_ACCOUNT = (10222,)

NOT_THERE = 10204  # "VIDEO_NOT_EXIST", but used for every kind of absence: the text tells which

# Looked for in this order within the text. A text may join several checks with `&` or `,`: the privacy check
# (`item_privacy_authorization`) fails along with whatever is really the matter, so
# `item_privacy_authorization&status_deleted` is deleted, `...&status_self_see` private; alone, it means private.
TEXTS: tuple[tuple[str, Reason], ...] = (
    ("status_deleted", "deleted"),
    ("status_delete", "deleted"),
    ("vigo", "deleted"),  # posts of an app that TikTok swallowed and switched off
    ("status_self_see", "private"),
    ("status_friend_see", "private"),
    ("status_part_see", "private"),
    ("author_secret", "private"),
    ("content_classification", "age"),
    ("geo_fencing", "region"),
    ("geo_filter", "region"),
    ("cross_border_violation", "region"),
    ("status_reviewing", "removed"),
    ("status_under_review", "removed"),
    ("status_audit", "removed"),
    ("status_abnormal", "removed"),
    ("author_status", "removed"),
    ("author_test_tag", "removed"),
    ("item_privacy_authorization", "private"),
    ("doesn't exist", "missing"),
    ("not exist", "missing"),
    ("not found", "missing"),
)


def refusal(code: int, message: str) -> ClipsteadError:
    """The error that a status other than 0 stands for; `message` is TikTok's statusMsg and is never repeated."""
    if code in CLOSED:
        return Blocked(CLOSED[code])
    if code in FAULTS:
        return ProviderFailed(FAULTS[code])
    reason = FINAL.get(code) or by_text(message)
    if reason is None and code == NOT_THERE and not message.strip():
        reason = "missing"  # the API's way to say that the id never existed
    if reason is None:
        return ProviderFailed(f"TikTok answered with a status that is not known here ({code})")
    return PostUnavailable(reason)


def by_text(message: str) -> Reason | None:
    """The reason that a statusMsg gives, None where it names none that is known."""
    lowered = message.lower()
    return next((reason for mark, reason in TEXTS if mark in lowered), None)
