"""What TikTok's status codes and texts are taken for: final, closed door or fault. The tables are spelled out here."""

from collections.abc import Callable

import pytest

from clipstead.errors import Blocked, PostUnavailable, ProviderFailed
from clipstead.model import Link
from clipstead.resolve.providers.tiktok_web import parse

PageOf = Callable[..., bytes]
LINK = Link("tiktok", "", "7500000000000000001")


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        (10204, "item doesn't exist", "missing"),
        (10204, "", "missing"),
        (10204, "status_deleted", "deleted"),
        (10204, "item_privacy_authorization&status_deleted", "deleted"),
        (10204, "item_privacy_authorization&status_self_see", "private"),
        (10204, "item_privacy_authorization", "private"),
        (10204, "status_friend_see", "private"),
        (10204, "author_secret", "private"),
        (10204, "person_geo_fencing", "region"),
        (10204, "copyright_geo_filter", "region"),
        (10204, "cross_border_violation_ur", "region"),
        (10204, "author_status,status_reviewing", "removed"),
        (10204, "status_audit_not_pass", "removed"),
        (10204, "content_classification", "age"),
        (10202, "", "missing"),
        (10213, "", "age"),
        (10214, "", "age"),
        (10215, "", "removed"),
        (10216, "", "private"),
        (10217, "", "removed"),
        (10219, "", "removed"),
        (10221, "", "removed"),
        (10222, "", "private"),
        (10223, "", "private"),
        (10227, "", "removed"),
        (10228, "", "removed"),
        (10229, "", "removed"),
        (10230, "", "removed"),
        (10231, "", "region"),
        (10231, "status_audit_not_pass", "region"),
        (10299, "STATUS_DELETED", "deleted"),
    ],
)
def test_a_final_status_gives_its_reason(code: int, message: str, reason: str, post_page: PageOf) -> None:
    for written in (code, str(code)):
        with pytest.raises(PostUnavailable) as caught:
            parse(post_page(None, statusCode=written, statusMsg=message), LINK)
        assert caught.value.reason == reason
        assert not caught.value.transient


@pytest.mark.parametrize("code", [10000, -2, "-2", 10102, 10113, 10114, 10119, 100002, 209002])
def test_a_closed_door_is_never_taken_for_a_dead_post(code: object, post_page: PageOf) -> None:
    """Not even if its text speaks of deletion."""
    with pytest.raises(Blocked):
        parse(post_page(None, statusCode=code, statusMsg="status_deleted"), LINK)


@pytest.mark.parametrize(
    ("code", "message"),
    [(10101, ""), (10101, "ErrSysPanic"), (450, ""), (10235, "item is storypost"), (99999, ""), (10204, "rate_limit")],
)
def test_an_unknown_status_or_a_fault_of_theirs_is_nothing_final(code: int, message: str, post_page: PageOf) -> None:
    with pytest.raises(ProviderFailed) as caught:
        parse(post_page(None, statusCode=code, statusMsg=message), LINK)
    assert "rate_limit" not in str(caught.value)


def test_the_apis_second_status_counts_where_the_first_is_silent() -> None:
    with pytest.raises(PostUnavailable):
        parse(b'{"statusCode":10204,"status_code":0,"statusMsg":"","extra":{"fatal_item_ids":[]}}', LINK)
    with pytest.raises(PostUnavailable):
        parse(b'{"status_code":10204,"itemInfo":{}}', LINK)


def test_a_status_outweighs_an_item_beside_it_but_for_the_one_about_the_account(
    shape: Callable[[str], dict[str, object]], post_page: PageOf
) -> None:
    """10222 has been sent along with complete items since October 2025."""
    with pytest.raises(PostUnavailable):
        parse(post_page(shape("tiktok/video.json"), statusCode=10216), LINK)
    assert parse(post_page(shape("tiktok/video.json"), statusCode=10222), LINK).id == LINK.post_id


def test_details_without_status_and_item_are_nothing_final(post_page: PageOf) -> None:
    with pytest.raises(ProviderFailed):
        parse(post_page(None, statusCode=0), LINK)
    with pytest.raises(ProviderFailed):
        parse(post_page(None, statusCode=None, statusMsg=None, itemInfo=[]), LINK)
