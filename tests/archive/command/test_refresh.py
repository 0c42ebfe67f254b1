"""`archive refresh`: counters are appended; what was deleted, hidden or came back is noted with its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clipstead.practice import World

Command = Callable[..., Any]
Rows = Callable[..., list[dict[str, Any]]]


def test_what_becomes_of_posts_is_noted(kept: Command, world: World, rows: Rows) -> None:
    """Gone with its reason and the time, back again with the time; the first capture stays what it was."""
    gone, hidden, *rest = (world.posts[number] for number in world.posts.of_user(world.users[0]))
    before = {row["aweme_id"]: row for row in rows("SELECT * FROM posts")}
    world.fault(gone.id, "deleted")
    world.fault(hidden.id, "private")
    ended = kept("refresh", "--all")
    assert ended.code == 0, ended.err
    assert f"{len(before)} looked at: {len(rest)} there, 1 deleted, 1 private" in ended.err
    after = {row["aweme_id"]: row for row in rows("SELECT * FROM posts")}
    assert after[gone.id]["availability"] == "deleted"
    assert after[hidden.id]["availability"] == "private"
    assert after[gone.id]["availability_at"] is not None
    for aweme_id, row in after.items():
        assert row["archived_at"] == before[aweme_id]["archived_at"]
        assert row["refreshed_at"] > before[aweme_id]["refreshed_at"]
    history = rows("SELECT aweme_id, count(*) AS number FROM post_metrics_history GROUP BY 1")
    assert {row["aweme_id"]: row["number"] for row in history} == {
        **{post.id: 2 for post in rest},
        gone.id: 1,
        hidden.id: 1,
    }
    world.clear(gone.id)
    ended = kept("refresh", gone.url)
    assert "1 there (1 came back)" in ended.err
    (back,) = rows("SELECT * FROM posts WHERE aweme_id = $1", gone.id)
    assert back["availability"] == "available"
    assert back["availability_at"] > after[gone.id]["availability_at"]
    assert {row["aweme_id"] for row in kept("list", "--state", "private", "--json").json} == {hidden.id}
    assert kept("verify", "--read-data").code == 0


def test_posts_are_chosen_by_author_age_or_name(kept: Command, world: World) -> None:
    """Only those are asked for."""
    posts = [world.posts[number] for number in world.posts.of_user(world.users[0])]
    before = world.requests["page"]
    assert kept("refresh", posts[0].id).code == 0
    assert world.requests["page"] == before + 1
    assert kept("refresh", "--older-than", "1").code == 0
    assert world.requests["page"] == before + 1
    assert kept("refresh", "--author", world.users[0].username, "-n", "2").code == 0
    assert world.requests["page"] == before + 3
    ended = kept("refresh", "7000000000000000000")
    assert ended.code == 1
    assert "failed  7000000000000000000" in ended.err


def test_a_look_that_comes_to_nothing_says_nothing_of_the_post(kept: Command, world: World, rows: Rows) -> None:
    """Exit 1, and the post stays what it was."""
    post = world.posts[world.posts.of_user(world.users[0])[0]]
    world.fault("*", "page:captcha")
    world.fault("*", "tikwm:cloudflare")
    world.fault("*", "embed:503")
    ended = kept("refresh", post.id, CLIPSTEAD_PROVIDERS="tiktok_web")
    assert ended.code == 1
    assert f"failed  {post.id}" in ended.err
    assert rows("SELECT DISTINCT availability FROM posts") == [{"availability": "available"}]


def test_so_many_are_those_that_nobody_has_looked_at_for_the_longest(kept: Command, world: World, rows: Rows) -> None:
    """Of all, and of one author."""
    user = world.users[0]
    aged = [world.posts[number].id for number in world.posts.of_user(user)][:4]
    for hours, post in enumerate(aged, 1):
        rows("UPDATE posts SET refreshed_at = now() - $2 * interval '1 hour' WHERE aweme_id = $1", post, hours)
    looked = "SELECT aweme_id FROM posts WHERE refreshed_at > now() - interval '30 minutes'"
    assert kept("refresh", "--author", user.username, "-n", "1").code == 0
    assert aged[3] in {row["aweme_id"] for row in rows(looked)}
    assert kept("refresh", "--all", "-n", "1").code == 0
    seen = {row["aweme_id"] for row in rows(looked)}
    assert [post in seen for post in aged] == [False, False, True, True]
