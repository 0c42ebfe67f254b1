"""`clipstead archive` as a person uses it: add, run, look, and what is said when something is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clipstead.practice import World

Command = Callable[..., Any]
Rows = Callable[..., list[dict[str, Any]]]


def test_sources_links_and_files_become_an_archive(archive: Command, world: World, tmp_path: Path) -> None:
    """Every way of saying what to keep; each post once; everything agrees at the end."""
    user, tag, sound = world.users[0], world.tags[0], world.sounds[0]
    photo, video, listed = world.post("photo"), world.post("video"), world.post("video", 7)
    file = tmp_path / "links.txt"
    file.write_text(f"# mine\n\n{listed.url}\n{listed.id}\n#{world.tags[1].name}\n", encoding="utf-8")
    words = [f"@{user.username}", f"#{tag.name}", f"sound:{sound.id}", f"playlist:{user.mix_id}", "search:the"]
    ended = archive("add", *words, photo.short_url, video.id, file)
    assert ended.code == 0, ended.err
    assert "4 posts added" not in ended.err
    ended = archive("run")
    assert ended.code == 0, ended.err
    catalog = world.posts
    expected = {photo.id, video.id, listed.id}
    expected |= {catalog[n].id for n in (*catalog.of_user(user), *catalog.of_tag(tag), *catalog.of_sound(sound))}
    expected |= {catalog[n].id for n in catalog.of_tag(world.tags[1])}
    kept = {json.loads(line)["aweme_id"] for line in archive("export", "--ndjson").out.splitlines()}
    assert expected <= kept
    assert all(world.asked(post_id) == 1 for post_id in kept), "a post was asked for twice"
    assert archive("verify", "--read-data").code == 0


def test_what_is_known_costs_nothing(kept: Command, world: World) -> None:
    """Added again, a source is listed; no post of it is resolved or downloaded a second time."""
    before = world.requests.copy()
    user = world.users[0]
    assert kept("add", f"@{user.username}", world.posts[world.posts.of_user(user)[0]].id).code == 0
    assert kept("run").code == 0
    assert world.requests["page"] == before["page"]
    assert world.requests["cdn"] == before["cdn"]
    assert world.requests["list"] > before["list"]


def test_the_dead_are_named_with_their_reasons_and_live_again(archive: Command, world: World) -> None:
    """Exit 0: the work is done. What is deleted upstream is never asked for again, unless somebody wants it."""
    gone, hidden, good = (world.post("video", number) for number in range(3))
    world.fault(gone.id, "deleted")
    world.fault(hidden.id, "private")
    assert archive("add", gone.url, hidden.url, good.url).code == 0
    ended = archive("run")
    assert ended.code == 0
    assert "1 captured" in ended.out
    assert f"dead  {gone.id}  deleted" in ended.out
    assert f"dead  {hidden.id}  private" in ended.out
    letters = {letter["aweme_id"]: letter["reason"] for letter in archive("dead", "list", "--json").json}
    assert letters == {gone.id: "deleted", hidden.id: "private"}
    assert archive("show", gone.id).code == 1
    asked = world.asked(gone.id)
    assert archive("run").code == 0
    assert world.asked(gone.id) == asked
    world.clear(gone.id)
    assert archive("dead", "retry", gone.id).code == 0
    assert "1 captured" in archive("run").out
    assert archive("show", gone.id).code == 0
    assert archive("dead", "purge", "--reason", "private").code == 0
    assert archive("dead", "list", "--json").json == []
    assert archive("verify").code == 0


def test_a_source_that_cannot_be_listed_stops_no_other(archive: Command, world: World) -> None:
    """It is named with its reason, and the others are captured."""
    shy, other = world.users[0], world.users[1]
    world.fault(shy.username, "private-account")
    assert archive("add", f"@{shy.username}", f"@{other.username}", "@nobody.of.this.name").code == 0
    ended = archive("run")
    assert ended.code == 0, ended.err
    states = {row["spec"]: (row["state"], row["reason"]) for row in archive("sources", "--json").json}
    assert states[f"@{shy.username}"] == ("unavailable", "private")
    assert states["@nobody.of.this.name"] == ("unavailable", "missing")
    assert states[f"@{other.username}"] == ("done", "")
    assert f"@{shy.username} unavailable" in ended.out
    assert archive("status", "--json").json["done"] == len(world.posts.of_user(other))


def test_a_watched_source_brings_only_what_is_new(archive: Command, world: World) -> None:
    """Its next pass stops at the first page with nothing new; `run` does not wait for its hour."""
    user = world.users[0]
    assert archive("add", f"@{user.username}", "--watch", "6", "--max", "3").code == 0
    assert archive("run").code == 0
    (source,) = archive("sources", "--json").json
    assert (source["state"], source["watch_hours"], source["added"]) == ("active", 6, 3)
    assert archive("sources", "watch", f"@{user.username}", "--every", "0").code == 0
    assert archive("sources", "--json").json[0]["state"] == "done"


def test_sources_pause_and_go(archive: Command, world: World) -> None:
    """A paused source's posts wait with it, and `run` ends without them."""
    user = world.users[0]
    assert archive("add", f"@{user.username}").code == 0
    assert archive("sources", "pause", f"@{user.username}").code == 0
    assert "0 captured" in archive("run").out
    assert archive("sources", "resume", f"@{user.username}").code == 0
    assert archive("run").code == 0
    assert archive("status", "--json").json["done"] == len(world.posts.of_user(user))
    assert archive("sources", "remove", f"@{user.username}").code == 0
    assert archive("sources", "pause", f"@{user.username}").code == 1
    assert archive("status", "--json").json["posts"] == len(world.posts.of_user(user))


def test_what_is_kept_can_be_looked_at(kept: Command, world: World) -> None:
    """By author, by words in any script, one by one, and in figures."""
    user = world.users[0]
    posts = [world.posts[number] for number in world.posts.of_user(user)]
    assert {row["aweme_id"] for row in kept("list", "--author", user.username, "--json").json} == {p.id for p in posts}
    word = next(word for post in posts for word in post.title.split() if word.isascii() and word.isalpha())
    found = {row["aweme_id"] for row in kept("search", word, "--json").json}
    assert {post.id for post in posts if word in post.title.split()} <= found
    shown = kept("show", posts[0].url, "--json").json
    assert shown["post"]["aweme_id"] == posts[0].id
    assert shown["metrics"][0]["play_count"] == shown["post"]["play_count"]
    assert posts[0].id in kept("show", posts[0].id).out
    assert posts[0].id in kept("list", "-n", "100").out
    told = kept("status", "--json").json
    assert (told["posts"], told["pending"], told["dead"]) == (len(posts), 0, 0)
    assert told["sources"][0]["posts"] == {"done": len(posts)}
    assert f"{len(posts)} posts" in kept("status").out


def test_several_processes_share_the_work(archive: Command, world: World) -> None:
    """Two workers, each post captured once."""
    assert archive("add", *(f"@{user.username}" for user in world.users)).code == 0
    ended = archive("run", "--workers", "2")
    assert ended.code == 0, ended.err
    assert archive("status", "--json").json["done"] == len(world.posts)
    assert all(world.asked(post.id) == 1 for post in world.posts)
    assert archive("verify", "--read-data").code == 0


_WRONG = [
    ["add"],
    ["add", "no such thing"],
    ["add", "/no/such/file.txt"],
    ["add", "@user", "--publish-time", "3"],
    ["add", "@user", "--sort-by", "9"],
    ["add", "@user", "--region", "Utopia"],
    ["add", "@user", "--since", "yesterday"],
    ["add", "@user", "--watch", "100000000"],
    ["add", "search:"],
    ["add", "sound:abc"],
    ["run", "--workers", "0"],
    ["list", "--state", "lost"],
    ["search", "!!!"],
    ["show", "../../etc/passwd"],
    ["export"],
    ["export", "--csv", "--ndjson"],
    ["export", "--parquet"],
    ["erase"],
    ["erase", "--author", "a", "--post", "1"],
    ["erase", "--post", "no id"],
    ["refresh"],
    ["refresh", "--all", "--author", "x"],
    ["dead", "retry"],
    ["dead", "purge"],
    ["dead", "purge", "--older-than", "-1"],
    ["import", "/no/such/file"],
    ["no-such-command"],
]


def test_wrong_usage_is_a_line_and_exit_2(archive: Command, rows: Rows) -> None:
    """Whatever is wrong is said, and nothing is done."""
    for arguments in _WRONG:
        ended = archive(*arguments)
        assert ended.code == 2, (arguments, ended)
        assert ended.err.strip(), arguments
    assert rows("SELECT FROM sources") == rows("SELECT FROM archive_queue") == rows("SELECT FROM archive_audit") == []


def test_a_wrong_setting_is_named(archive: Command) -> None:
    """In one line, exit 2."""
    for name, value in (("ARCHIVE_STORE", "ftp://somewhere"), ("ARCHIVE_RETENTION", "days=never")):
        ended = archive("status", **{f"CLIPSTEAD_{name}": value})
        assert ended.code == 2
        assert ended.err.startswith(f"clipstead: CLIPSTEAD_{name}: ")
        assert ended.err.count("\n") == 1


def test_lines_that_mean_nothing_are_named_and_pass(archive: Command, world: World, rows: Rows) -> None:
    """The rest of the file is added; exit 1."""
    good = world.post("video")
    ended = archive("add", "-", stdin=f"{good.url}\nnothing at all\n\n# a remark\n{good.id}\n")
    assert ended.code == 1
    assert "failed  nothing at all" in ended.err
    assert [row["aweme_id"] for row in rows("SELECT aweme_id FROM archive_queue")] == [good.id]


def test_no_source_is_left_out_however_many_there_are(archive: Command, rows: Rows) -> None:
    """More than a page of them."""
    rows("INSERT INTO sources (spec, kind, state) SELECT '#t' || n, 'tag', 'done' FROM generate_series(1, 1100) AS n")
    assert len(archive("status", "--json").json["sources"]) == 1100
    assert "and 1070 sources more" in archive("status").out
    assert len(archive("sources", "--json").json) == 1100
