"""`archive import`: yt-dlp's download archives and info files, and the sidecars of another archive of ours."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from clipstead.archive import sidecar
from clipstead.practice import World

Command = Callable[..., Any]
Rows = Callable[..., list[dict[str, Any]]]


def _info(folder: Path, post_id: str, media: Path | None, **changes: Any) -> Path:
    """What `yt-dlp --write-info-json` would have left."""
    stem = f"A title [{post_id}]"
    info = {
        "id": post_id,
        "extractor_key": "TikTok",
        "webpage_url": f"https://www.tiktok.com/@somebody/video/{post_id}",
        "title": "A title",
        "description": "A title #imported",
        "uploader": "somebody",
        "uploader_id": "6700000000000000001",
        "channel": "Some Body",
        "timestamp": 1_700_000_000,
        "view_count": 12,
        "like_count": 3,
        "epoch": 1_710_000_000,
        **changes,
    }
    path = folder / f"{stem}.info.json"
    path.write_text(json.dumps(info))
    if media is not None:
        shutil.copy(media, folder / f"{stem}.mp4")
    return path


def _a_video(store: Path) -> Path:
    return next(store.rglob("videos/**/*.mp4"))


def test_an_info_file_with_its_video_is_adopted(kept: Command, world: World, store: Path, tmp_path: Path) -> None:
    """Nobody is asked for it; it is kept like a capture, with cover and subtitles, and found by its words."""
    folder = tmp_path / "mine"
    folder.mkdir()
    _info(folder, "7111111111111111111", _a_video(store))
    shutil.copy(next(store.rglob("covers/**/*.jpg")), folder / "A title [7111111111111111111].jpg")
    (folder / "A title [7111111111111111111].en.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nhello marmalade\n")
    before = world.requests.copy()
    ended = kept("import", folder)
    assert ended.code == 0, ended.err
    assert "1 posts adopted" in ended.err
    assert kept("run").code == 0
    assert world.requests == before
    shown = kept("show", "7111111111111111111", "--json").json
    assert shown["post"]["author_handle"] == "somebody"
    assert shown["post"]["play_count"] == 12
    assert shown["post"]["provider"] == "import"
    assert sorted(file["kind"] for file in shown["files"]) == ["cover", "subtitle", "video"]
    assert [row["aweme_id"] for row in kept("search", "marmalade", "--json").json] == ["7111111111111111111"]
    assert kept("verify", "--read-data").code == 0
    assert "1 known already" in kept("import", folder).err


def test_ids_without_files_wait_to_be_captured(archive: Command, world: World, tmp_path: Path, rows: Rows) -> None:
    """Of a download archive, and of info files alone; other sites' lines that cannot be found again are named."""
    one, two = world.post("video"), world.post("video", 1)
    listed = tmp_path / "archive.txt"
    listed.write_text(f"tiktok {one.id}\nyoutube dQw4w9WgXcQ\nsomewhere 12\n")
    info = _info(tmp_path, two.id, None)
    ended = archive("import", listed, info)
    assert ended.code == 1
    assert "failed  somewhere 12" in ended.err
    assert "0 posts adopted, 3 queued" in ended.err
    queued = {row["aweme_id"] for row in rows("SELECT aweme_id FROM archive_queue")}
    assert queued == {one.id, two.id, "youtube-dQw4w9WgXcQ"}
    rows("DELETE FROM archive_queue WHERE aweme_id = 'youtube-dQw4w9WgXcQ'")
    assert "2 captured" in archive("run").out


def test_another_archive_is_taken_over_whole(kept: Command, store: Path, tmp_path: Path, rows: Rows) -> None:
    """Sidecars and files as they are: the rows are equal, first capture times too."""
    query = "SELECT * FROM posts ORDER BY aweme_id"
    before = rows(query)
    copy = tmp_path / "theirs"
    shutil.move(store, copy)
    rows("TRUNCATE posts, authors, archive_queue CASCADE")
    ended = kept("import", copy)
    assert ended.code == 0, ended.err
    assert f"{len(before)} posts adopted" in ended.err
    assert rows(query) == before
    assert kept("verify", "--read-data").code == 0


def test_what_is_damaged_is_named_and_not_taken_over(kept: Command, store: Path, tmp_path: Path, rows: Rows) -> None:
    """A file with another hash than its sidecar says, a video that is none, JSON that is none, a hostile sidecar."""
    copy = tmp_path / "theirs"
    shutil.copytree(store, copy, ignore=shutil.ignore_patterns(".staging"))
    rows("TRUNCATE posts, authors, archive_queue CASCADE")
    shutil.rmtree(store)
    bad = _a_video(copy)
    bad.write_bytes(bad.read_bytes()[:-1] + b"?")
    folder = tmp_path / "mine"
    folder.mkdir()
    noise = tmp_path / "noise"
    noise.write_bytes(b"<html>not a video</html>")
    _info(folder, "7111111111111111112", noise)
    (folder / "x.info.json").write_text("{")
    (folder / "list.info.json").write_text('{"_type": "playlist", "id": "x"}')
    ended = kept("import", copy, folder)
    assert ended.code == 1
    assert "1 lists passed over" in ended.err
    assert ended.err.count("failed  ") == 3
    assert ", 1 queued for `archive run`" in ended.err  # the one whose file is another waits to be captured
    assert bad.stem not in {row["aweme_id"] for row in rows("SELECT aweme_id FROM posts")}
    assert kept("run").code == 0


def test_a_dead_post_that_was_kept_lives(kept: Command, world: World, store: Path, tmp_path: Path) -> None:
    """Deleted upstream, and here it is."""
    gone = world.post("video", 3)
    world.fault(gone.id, "deleted")
    assert kept("add", gone.id).code == 0
    assert kept("run").code == 0
    assert kept("dead", "list", "--json").json[0]["reason"] == "deleted"
    _info(tmp_path, gone.id, _a_video(store))
    assert "1 posts adopted" in kept("import", tmp_path / f"A title [{gone.id}].info.json").err
    assert kept("show", gone.id).code == 0
    assert kept("dead", "list", "--json").json == []


def test_what_was_erased_is_not_taken_over(kept: Command, store: Path, tmp_path: Path) -> None:
    """Said so, exit 1."""
    info = _info(tmp_path, "7111111111111111113", _a_video(store))
    assert kept("erase", "--post", "7111111111111111113").code == 0
    ended = kept("import", info)
    assert ended.code == 1
    assert "was erased" in ended.err


def test_a_post_of_an_erased_author_is_not_taken_over(kept: Command, store: Path, tmp_path: Path, rows: Rows) -> None:
    """One that was never known here: nothing of it comes into the store, nor waits."""
    assert kept("erase", "--author", "@somebody").code == 0
    ended = kept("import", _info(tmp_path, "7111111111111111115", _a_video(store)))
    assert (ended.code, "its author was erased" in ended.err) == (1, True), ended.err
    assert not [path for path in store.rglob("*") if "author=somebody" in str(path) and path.is_file()]
    assert rows("SELECT aweme_id FROM archive_queue WHERE aweme_id LIKE '71111%'") == []


def test_a_picture_that_claims_to_be_larger_than_any_is_kept_without_its_measures(
    kept: Command, store: Path, tmp_path: Path
) -> None:
    """Four bytes of a header say what no column holds; the post is kept, and everything else still agrees."""
    folder = tmp_path / "mine"
    folder.mkdir()
    _info(folder, "7111111111111111111", _a_video(store))
    side = (2**32 - 1).to_bytes(4, "big")
    head = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + b"IHDR" + side + side + bytes(9)
    (folder / "A title [7111111111111111111].png").write_bytes(head + bytes(4) + b"IEND\xaeB`\x82")
    ended = kept("import", folder)
    assert "1 posts adopted" in ended.err, ended.err
    (cover,) = [f for f in kept("show", "7111111111111111111", "--json").json["files"] if f["kind"] == "cover"]
    assert (cover["width"], cover["height"]) == (None, None)
    assert kept("verify", "--read-data").code == 0


def test_a_sidecar_with_numbers_that_no_database_holds_is_none(kept: Command, store: Path, tmp_path: Path) -> None:
    """However well it is sealed."""
    found = next(store.rglob("videos/**/*.json"))
    record = sidecar.parse(found.read_bytes())
    wide = replace(record, files=(replace(record.files[0], width=2**31), *record.files[1:]))
    (tmp_path / found.name).write_bytes(sidecar.build(wide))
    ended = kept("import", tmp_path / found.name)
    assert (ended.code, "0 posts adopted" in ended.err) == (1, True)
