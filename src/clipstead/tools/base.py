"""What every media tool is: a class whose fields are its parameters, and which says how a file becomes another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from clipstead.errors import BadMedia, InvalidParams
from clipstead.media.answers import TOO_SHORT
from clipstead.media.images import Image, ImagePlan
from clipstead.media.inspection import Inspection

Commands = list[list[str]]
Lane = Literal["encode", "light"]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a result must turn out to be before it counts: seconds of its longest wanted track, tracks, size in pixels.

    `frame` is the length of one frame in seconds, for the tolerance; `late` how long after the sound the picture may
    begin. None asks nothing.
    """

    seconds: float | None = None
    picture: bool = False
    sound: bool = False
    size: tuple[int, int] | None = None
    frame: float = 0.0
    late: float = 0.0


class Tool(BaseModel):
    """One media operation. A tool *is* its parameters: this class gives HTTP validation, CLI flags and the stored job.

    Fields are written `startTime` outside and `start_time` here; what a caller sends beyond them is ignored, and an
    empty text counts as not sent. `name` is the word in the path; `lane` is what it costs: encodes are few at a time.
    What is `brief` is done in a moment by any file, and need not stand back behind all else on the machine.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    name: ClassVar[str]
    lane: ClassVar[Lane] = "light"
    never_larger: ClassVar[bool] = False
    brief: ClassVar[bool] = False

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {key: value for key, value in data.items() if not (isinstance(value, str) and not value.strip())}

    @classmethod
    def parse(cls, params: Mapping[str, object]) -> Self:
        """The tool with these parameters. Raises InvalidParams, worded for the caller."""
        try:
            return cls.model_validate(params)
        except ValidationError as error:
            raise InvalidParams(dict(_complaint(cls, item) for item in error.errors())) from None

    def params(self) -> dict[str, Any]:
        """The parameters as they are written outside, for a receipt."""
        return self.model_dump(by_alias=True, exclude_none=True, mode="json")


def _complaint(tool: type[Tool], item: Any) -> tuple[str, str]:
    if item["type"] == "rule":
        return item["ctx"]["field"], item["ctx"]["words"]
    name = to_camel(str(item["loc"][0])) if item["loc"] else "parameters"
    return name, rule_of(tool, name)


def rule_of(tool: type[Tool], name: str) -> str:
    """What a parameter must be, in words: "must be a whole number from 120 to 800"."""
    schema = tool.model_json_schema()["properties"].get(name, {})
    schema = next((option for option in schema.get("anyOf", ()) if option.get("type") != "null"), schema)
    if "enum" in schema:
        return "must be one of " + ", ".join(map(str, schema["enum"]))
    kind = {"integer": "a whole number", "number": "a number"}.get(schema.get("type", ""), "given")
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"must be {kind} from {low:g} to {high:g}"
    return f"must be {kind} of {low:g} or more" if low is not None else f"must be {kind}"


def broken_rule(field: str, words: str) -> PydanticCustomError:
    """A rule that more than one parameter takes part in; `words` begin with "must be"."""
    return PydanticCustomError("rule", "{field} {words}", {"field": field, "words": words})


def whole(value: object) -> object:
    """Text of a form as the number it writes, for choices among numbers."""
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


Whole = BeforeValidator(whole)


class MediaTool(Tool):
    """A tool on video or sound, done by ffmpeg."""

    def check(self, probe: Inspection) -> None:
        """Hold the parameters against the file. Raises InvalidParams (the caller's), BadMedia (the file's)."""

    def suffix(self, source: Inspection) -> str:
        """The extension of the result, without a dot."""
        raise NotImplementedError

    def plan(self, probe: Inspection, source: str, result: str) -> Commands:
        """The arguments of each ffmpeg run that together make `result` of `source`, names in the job's folder."""
        raise NotImplementedError

    def fallback(self, probe: Inspection, source: str, result: str) -> Commands:
        """What to run when the plan left nothing, or left more than a tool that never makes files larger may leave."""
        return []

    def expected(self, probe: Inspection) -> Expected:
        """What the result must be."""
        raise NotImplementedError


class Trim(MediaTool):
    """A tool that leaves a piece of a file, from one second to another."""

    start_time: Seconds
    end_time: Seconds

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end_time <= self.start_time:
            raise broken_rule("endTime", "must be greater than startTime")
        return self


class ImageTool(Tool):
    """A tool on images, done by libvips."""

    def check(self, probe: Image) -> None:
        """Hold the parameters against the image. Raises InvalidParams."""

    def suffix(self, source: Image) -> str:
        """The extension of the result, without a dot."""
        return self.plan(source, "", "").suffix

    def plan(self, probe: Image, source: str, result: str) -> ImagePlan:
        """What to make of the image."""
        raise NotImplementedError


def check_start(field: str, start: float, end: float) -> None:
    """A start must lie within what is there. Raises InvalidParams."""
    if start >= end:
        raise InvalidParams({field: f"must be less than the length of {end:.2f} seconds"})


def check_length(length: float, frame: float) -> None:
    """What is left must hold at least one frame. Raises BadMedia."""
    if length < frame / 2:
        raise BadMedia(f"{TOO_SHORT}: less than one frame is left")


def video_expected(
    probe: Inspection,
    *,
    piece: tuple[float, float] | None = None,
    sound: bool = True,
    size: tuple[int, int] | None = None,
) -> Expected:
    """A video as long and as large as the source's picture, unless told otherwise; `piece` is from when to when."""
    picture = probe.need_picture()
    start, end = piece or (0.0, probe.end(picture))
    late, heard = max(0.0, picture.start - start), sound and probe.sound is not None
    return Expected(end - start - late, True, heard, size or picture.shown, 1 / picture.fps, late if heard else 0.0)


def sound_expected(probe: Inspection, *, seconds: float | None = None) -> Expected:
    """Sound alone, as long as the source's from where its picture begins, unless it is said otherwise."""
    sound = probe.need_sound()
    length = (probe.end(sound) if probe.picture else sound.duration or probe.duration) if seconds is None else seconds
    return Expected(length, sound=True, frame=2048 / max(sound.rate, 8000))
