"""Broken copies of recordings and fixtures: whatever comes, it is a Post or a typed error, and never anything else."""

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clipstead.errors import ClipsteadError, PostUnavailable
from clipstead.model import Link, MediaKind, Post
from clipstead.resolve.providers import tiklive, tiktok_web, tikwm
from clipstead.resolve.tiktok import embed

Parse = Callable[[bytes, Link], Post]
Case = tuple[Parse, Any, Callable[[Any], bytes], str]

NOTHINGS: list[Any] = [None, True, False, 0, "", [], {}, [[]], [None]]
NUMBERS: list[Any] = [-1, 1.5, 10**25, -(10**25), 1e300, "0", "9" * 5000, "1e5", "-3"]
WORDS: list[Any] = ["x", "\ud83d", "\0", "\u00e9" * 300, "a b\nc", [1, "a"], {"urlList": 1}, {"a": {}}]
ADDRESSES = ["//host/x", "https://", "https://[::1", "https://www.tiktok.com/x", "http://h/ \t", "javascript:1", "/x"]
STRANGE = st.sampled_from([*NOTHINGS, *NUMBERS, *WORDS, *ADDRESSES])
RUNS = settings(
    max_examples=300,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def universal(item: Any) -> bytes:
    scope = {"webapp.video-detail": {"itemInfo": {"itemStruct": item}, "statusCode": 0, "statusMsg": ""}}
    data = json.dumps({"__DEFAULT_SCOPE__": scope})
    return f'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">{data}</script>'.encode()


def whole_page(state: Any) -> bytes:
    return f'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">{json.dumps(state)}</script>'.encode()


def frontity(state: Any) -> bytes:
    return f'<script id="__FRONTITY_CONNECT_STATE__">{json.dumps(state)}</script>'.encode()


def plain(value: Any) -> bytes:
    return json.dumps(value).encode()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value within a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*path, key)
        yield from places(inner, (*path, key))


@contextmanager
def changed(value: Any, path: tuple[Any, ...], change: str, strange: Any) -> Iterator[None]:
    """Within, the value at `path` is gone, strange, or wrapped in a list."""
    parent = value
    for key in path[:-1]:
        parent = parent[key]
    before = copy.copy(parent)
    if change == "gone":
        del parent[path[-1]]
    else:
        parent[path[-1]] = [parent[path[-1]]] if change == "listed" else copy.deepcopy(strange)
    yield
    parent.clear()
    parent.update(before) if isinstance(parent, dict) else parent.extend(before)


def survives(parse: Parse, body: bytes, post_id: str) -> ClipsteadError | Post:
    """A Post that the rest of the house can stand on, or a typed error."""
    try:
        post = parse(body, Link("tiktok", f"https://www.tiktok.com/@_/video/{post_id}", post_id))
    except ClipsteadError as error:
        return error
    assert post.id == post_id
    names = [media.variant for media in post.media]
    assert len(set(names)) == len(names)
    assert any(media.kind in (MediaKind.VIDEO, MediaKind.IMAGE) for media in post.media)
    for media in post.media:
        assert re.fullmatch(r"[a-z0-9-]{1,80}", media.variant)
        assert re.fullmatch(r"[a-z0-9]{1,5}", media.ext)
        assert all(url.startswith(("https://", "http://")) for url in (media.url, *media.mirrors))
        sizes = (media.size, media.width, media.height, media.bitrate)
        assert all(number is None or (isinstance(number, int) and number > 0) for number in sizes)
    for text in (post.title, post.author.username, post.author.nickname, post.region, post.language):
        text.encode()
    return post


@pytest.fixture(scope="session")
def cases(shape: Callable[[str], dict[str, Any]], request: pytest.FixtureRequest) -> list[Case]:
    """Fixtures of our own; and the recordings, where they are."""
    found: list[Case] = [
        (tiktok_web.parse, shape("tiktok/video.json"), universal, "7500000000000000001"),
        (tiktok_web.parse, shape("tiktok/photo.json"), universal, "7500000000000000002"),
        (embed.parse, shape("tiktok/embed_video.json"), frontity, "7500000000000000001"),
        (embed.parse, shape("tiktok/embed_photo.json"), frontity, "7500000000000000002"),
        (tikwm.parse, shape("tikwm_video.json"), plain, "7500000000000000001"),
        (tiklive.parse, shape("tiklive_photo.json"), plain, "7500000000000000002"),
    ]
    try:
        recorded: Callable[[str], bytes] = request.getfixturevalue("recorded")
    except pytest.skip.Exception:
        return found
    for name in ("video_mysticaquarium_7660566211100511518.html", "photo_duolingo_7663591047909379341.html"):
        page = recorded(f"tiktok/{name}")
        state = json.loads(re.findall(rb'REHYDRATION__"[^>]*>(.*?)</script>', page, re.S)[0])
        for dull in ("webapp.i18n-translation", "webapp.biz-context", "webapp.app-context"):
            state["__DEFAULT_SCOPE__"][dull] = {}
        found.append((tiktok_web.parse, state, whole_page, re.findall(r"\d{19}", name)[0]))
    detail = json.loads(recorded("tiktok/api_item_detail_2024_f2.json"))
    found.append((tiktok_web.parse, detail, plain, "7305827432509082913"))
    photo = json.loads(recorded("tikwm/tikwm_detail_photo_7395933425804381473.json"))
    found.append((tikwm.parse, photo, plain, "7395933425804381473"))
    found.append((tiklive.parse, photo["data"], plain, "7395933425804381473"))
    return found


def test_the_unbroken_copies_are_posts(cases: list[Case]) -> None:
    for parse, value, wrap, post_id in cases:
        assert isinstance(survives(parse, wrap(value), post_id), Post)


def test_every_single_value_may_be_gone_or_null_or_of_another_type(cases: list[Case]) -> None:
    """All places, one at a time: the sweep that random search cannot promise."""
    for parse, value, wrap, post_id in cases:
        for path in list(places(value)):
            for change, strange in [("gone", None), *(("strange", nothing) for nothing in NOTHINGS)]:
                with changed(value, path, change, strange):
                    body = wrap(value)
                survives(parse, body, post_id)


@RUNS
@given(data=st.data())
def test_several_strange_values_at_once(cases: list[Case], data: st.DataObject) -> None:
    parse, value, wrap, post_id = data.draw(st.sampled_from(cases))
    value = copy.deepcopy(value)
    with ExitStack() as changes:
        for _ in range(data.draw(st.integers(1, 4))):
            path = data.draw(st.sampled_from(list(places(value)) or [()]))
            if path:
                how = data.draw(st.sampled_from(["gone", "strange", "listed"]))
                changes.enter_context(changed(value, path, how, data.draw(STRANGE)))
        body = wrap(value)
    survives(parse, body, post_id)


@RUNS
@given(data=st.data())
def test_a_few_flipped_bits(cases: list[Case], data: st.DataObject) -> None:
    parse, value, wrap, post_id = data.draw(st.sampled_from(cases))
    body = bytearray(wrap(value))
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    survives(parse, bytes(body), post_id)


def test_truncated_copies_are_never_taken_for_a_final_answer(cases: list[Case]) -> None:
    """Nor for a post, wherever the cut is: its JSON has no end."""
    for parse, value, wrap, post_id in cases:
        body = wrap(value)
        end = body.rindex(b"}")
        for cut in {*range(0, end, max(1, end // 400)), end}:
            result = survives(parse, body[:cut], post_id)
            assert isinstance(result, ClipsteadError) and not isinstance(result, PostUnavailable), cut


@RUNS
@given(body=st.binary(max_size=400))
@example(b'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">')
@example(b"\xff\xfe{}")
@example(b"\xef\xbb\xbf{}")
def test_any_bytes_at_all(body: bytes) -> None:
    for parse in (tiktok_web.parse, embed.parse, tikwm.parse, tiklive.parse):
        assert isinstance(survives(parse, body, "7500000000000000001"), ClipsteadError)


def test_bursts_of_noise_in_whole_pages(cases: list[Case]) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for parse, value, wrap, post_id in cases:
        clean = wrap(value)
        for _ in range(60):
            at, long = rng.randrange(len(clean)), rng.randrange(1, 200)
            survives(parse, clean[:at] + rng.randbytes(long) + clean[at + long :], post_id)
