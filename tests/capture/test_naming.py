"""File names made from posts stay inside their folder and inside 255 bytes, whatever the post says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipstead.capture.naming import DEFAULT_TEMPLATE, check_template, render, safe_name
from clipstead.errors import InvalidParams
from clipstead.model import Author, Link, Media, MediaKind, Post

VIDEO = Media(MediaKind.VIDEO, "hd", "", quality="hd")


def _post(title: str = "a cat", author: str = "ann") -> Post:
    return Post("7", Link("tiktok", "", "7"), title, Author(username=author), created_at=1_700_000_000)


@given(st.text(max_size=400))
def test_any_text_makes_one_safe_component(text: str) -> None:
    """No separator, no control character, no leading dot, 1 to 255 bytes."""
    name = safe_name(text)
    assert 1 <= len(name.encode()) <= 255
    assert not set(name) & set('/\\\0\n\r<>:"|?*')
    assert not name.startswith(".")


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_post_can_never_leave_the_folder(title: str, author: str) -> None:
    """Whatever title and author are, the path has the template's depth and stays relative."""
    path = render("{author}/{title}_{id}.{ext}", _post(title, author), VIDEO, "mp4")
    assert not path.is_absolute()
    assert len(path.parts) == 2
    assert ".." not in path.parts
    assert all(len(part.encode()) <= 255 for part in path.parts)
    assert path.suffix == ".mp4"


@pytest.mark.parametrize(
    "author", ["../../x", "\0", "x" * 300, "..", ".desktop", "CON", "a\u202etxt.exe", "日本語" * 90]
)
def test_hostile_handles_stay_inside_the_root(tmp_path: Path, author: str) -> None:
    """The forms of the threat list all land directly in the folder."""
    path = tmp_path / render(DEFAULT_TEMPLATE, _post(author=author), VIDEO, "mp4")
    assert path.resolve().parent == tmp_path.resolve()
    path.touch()


def test_files_of_one_post_never_share_a_name() -> None:
    """Photos are numbered, covers and subtitles have tails of their own."""
    media = [
        *(Media(MediaKind.IMAGE, f"image-{n}", "") for n in (1, 2, 12)),
        Media(MediaKind.COVER, "cover", ""),
        Media(MediaKind.SUBTITLE, "sub-eng-1", "", language="eng-US"),
        Media(MediaKind.AUDIO, "sound", ""),
    ]
    names = [
        str(render(DEFAULT_TEMPLATE, _post(), item, ext))
        for item, ext in zip(media, ["jpg"] * 4 + ["vtt", "mp3"], strict=True)
    ]
    assert names == ["ann_7_01.jpg", "ann_7_02.jpg", "ann_7_12.jpg", "ann_7_cover.jpg", "ann_7.eng-US.vtt", "ann_7.mp3"]


def test_long_titles_keep_the_number_and_the_ending() -> None:
    """What is cut is the title, never the part that tells files apart."""
    image = Media(MediaKind.IMAGE, "image-3", "")
    name = render("{title}.{ext}", _post("é" * 400), image, "jpg").name
    assert name.endswith("_03.jpg")
    assert len(name.encode()) <= 255


@pytest.mark.parametrize(
    "template", ["{nothing}_{id}", "same-for-all.mp4", "{id", "{id.__class__}", "{id[0]}", "{0}_{id}"]
)
def test_a_wrong_template_is_refused_before_any_work(template: str) -> None:
    """Unknown fields, attribute tricks and templates that put every post in one file."""
    with pytest.raises(InvalidParams):
        check_template(template)


def test_absolute_and_nested_templates_go_where_they_say() -> None:
    """A template is the user's own and may name any folder."""
    assert render("/tmp/{author}/{date}/{id}.{ext}", _post(), VIDEO, "mp4") == Path("/tmp/ann/2023-11-14/7.mp4")
    assert render("out/{id}.{ext}", _post(), VIDEO, "mp4") == Path("out/7.mp4")
    assert render("/{id}.{ext}", _post(), VIDEO, "mp4") == Path("/7.mp4")


@pytest.mark.parametrize("template", ["{id:d}", "{id:{x}}", "{id:{}}", "{id:/>30}", "{id!x}", "{id[0]}", "{id.x}"])
def test_a_template_that_cannot_be_filled_is_refused_at_once(template: str) -> None:
    """Not at the first post, after it was asked for."""
    with pytest.raises(InvalidParams):
        check_template(template)
