"""Parameters: what each tool takes, refuses and says, as the published contract has it."""

from __future__ import annotations

import pytest

from clipstead.errors import InvalidParams
from clipstead.tools import BY_NAME, TOOLS, Tool
from clipstead.tools.base import rule_of

NAMES = [
    *("convert", "compress", "extract-audio", "gif", "thumbnail", "trim-video", "resize-video", "rotate-video"),
    *("remove-audio", "video-speed", "audio-converter", "trim-audio", "image-converter", "resize-image"),
    "compress-image",
]

GOOD: list[tuple[str, dict[str, object], dict[str, object]]] = [
    ("convert", {"outputFormat": "mkv"}, {"outputFormat": "mkv"}),
    ("compress", {}, {"quality": "medium"}),
    ("extract-audio", {}, {"audioFormat": "mp3"}),
    ("gif", {"duration": "0.5"}, {"startTime": 0.0, "duration": 0.5, "fps": 15}),
    ("gif", {"duration": "15", "width": "800", "fps": "30", "startTime": "1.25"},
     {"startTime": 1.25, "duration": 15.0, "width": 800, "fps": 30}),
    ("thumbnail", {}, {"timestamp": 0.0, "format": "jpg"}),
    ("thumbnail", {"cropX": "0", "cropY": "0", "cropW": "1", "cropH": "1"},
     {"timestamp": 0.0, "format": "jpg", "cropX": 0, "cropY": 0, "cropW": 1, "cropH": 1}),
    ("trim-video", {"startTime": "0", "endTime": "0.04"}, {"startTime": 0.0, "endTime": 0.04}),
    ("resize-video", {"width": "7680", "height": "16"}, {"width": 7680, "height": 16}),
    ("rotate-video", {"rotation": "270"}, {"rotation": 270}),
    ("remove-audio", {"anything": "else"}, {}),
    ("video-speed", {"speed": "0.25"}, {"speed": 0.25}),
    ("audio-converter", {"outputFormat": "flac"}, {"outputFormat": "flac"}),
    ("trim-audio", {"startTime": "1", "endTime": "2"}, {"startTime": 1.0, "endTime": 2.0}),
    ("image-converter", {"outputFormat": "webp"}, {"outputFormat": "webp"}),
    ("resize-image", {"width": "1", "height": "4320"}, {"width": 1, "height": 4320}),
    ("compress-image", {}, {"quality": 75}),
    ("compress-image", {"quality": " "}, {"quality": 75}),
]  # fmt: skip

BAD: list[tuple[str, dict[str, object], str]] = [
    ("convert", {}, "outputFormat must be one of mp4, webm, mkv, mp3, m4a, wav, ogg, flac"),
    ("convert", {"outputFormat": "avi"}, "outputFormat must be one of mp4, webm, mkv, mp3, m4a, wav, ogg, flac"),
    ("compress", {"quality": "best"}, "quality must be one of low, medium, high"),
    ("extract-audio", {"audioFormat": "mp4"}, "audioFormat must be one of mp3, m4a, wav, ogg, flac"),
    ("gif", {}, "duration must be a number from 0.5 to 15"),
    ("gif", {"duration": "0.49"}, "duration must be a number from 0.5 to 15"),
    ("gif", {"duration": "nan"}, "duration must be a number from 0.5 to 15"),
    ("gif", {"duration": "1", "width": "119"}, "width must be a whole number from 120 to 800"),
    ("gif", {"duration": "1", "fps": "31"}, "fps must be a whole number from 5 to 30"),
    ("gif", {"duration": "1", "startTime": "-1"}, "startTime must be a number of 0 or more"),
    ("thumbnail", {"width": "49"}, "width must be a whole number from 50 to 3840"),
    ("thumbnail", {"height": "2161"}, "height must be a whole number from 50 to 2160"),
    ("thumbnail", {"format": "gif"}, "format must be one of jpg, png, webp"),
    ("thumbnail", {"timestamp": "inf"}, "timestamp must be a number of 0 or more"),
    ("thumbnail", {"cropX": "1"}, "cropY must be given together with the other crop parameters"),
    ("trim-video", {"startTime": "1"}, "endTime must be a number of 0 or more"),
    ("trim-video", {"startTime": "2", "endTime": "2"}, "endTime must be greater than startTime"),
    ("trim-video", {"startTime": "2", "endTime": "1"}, "endTime must be greater than startTime"),
    ("trim-audio", {"startTime": "2", "endTime": "1"}, "endTime must be greater than startTime"),
    ("resize-video", {"width": "15", "height": "100"}, "width must be a whole number from 16 to 7680"),
    ("resize-video", {"width": "100", "height": "4321"}, "height must be a whole number from 16 to 4320"),
    ("resize-video", {"width": "1e9", "height": "x"},
     "width must be a whole number from 16 to 7680; height must be a whole number from 16 to 4320"),
    ("rotate-video", {"rotation": "45"}, "rotation must be one of 90, 180, 270"),
    ("rotate-video", {"rotation": "9" * 5000}, "rotation must be one of 90, 180, 270"),
    ("video-speed", {"speed": "4.1"}, "speed must be a number from 0.25 to 4"),
    ("video-speed", {"speed": ""}, "speed must be a number from 0.25 to 4"),
    ("audio-converter", {"outputFormat": "mp4"}, "outputFormat must be one of mp3, m4a, wav, ogg, flac"),
    ("image-converter", {"outputFormat": "gif"}, "outputFormat must be one of jpg, png, webp"),
    ("resize-image", {"width": "0", "height": "1"}, "width must be a whole number from 1 to 7680"),
    ("compress-image", {"quality": "101"}, "quality must be a whole number from 1 to 100"),
    ("compress-image", {"quality": "70.5"}, "quality must be a whole number from 1 to 100"),
]  # fmt: skip


def test_the_tools_are_those_of_the_contract_in_its_order() -> None:
    assert [tool.name for tool in TOOLS] == NAMES


@pytest.mark.parametrize(("name", "given", "kept"), GOOD, ids=lambda value: value if isinstance(value, str) else "")
def test_text_of_a_form_becomes_parameters_and_what_is_unknown_is_ignored(
    name: str, given: dict[str, object], kept: dict[str, object]
) -> None:
    assert BY_NAME[name].parse(given).params() == kept


@pytest.mark.parametrize(("name", "given", "words"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_parameter_is_named_with_what_it_must_be(name: str, given: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidParams) as refused:
        BY_NAME[name].parse(given)
    assert str(refused.value) == words


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_parameter_has_a_rule_in_words(tool: type[Tool]) -> None:
    """What the CLI prints as help and the API as an error comes from the field itself."""
    for name in tool.model_json_schema()["properties"]:
        assert rule_of(tool, name).startswith("must be ")
        assert not rule_of(tool, name).endswith("given")


def test_parameters_survive_their_own_form() -> None:
    """A stored job's parameters make the same tool again."""
    for name, given, _ in GOOD:
        tool = BY_NAME[name].parse(given)
        assert BY_NAME[name].parse(tool.params()) == tool
