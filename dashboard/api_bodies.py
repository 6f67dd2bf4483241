"""What a request to the API may say. Each is checked whole before anything is done; the OpenAPI document tells them."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from dashboard.errors import RefusedError
from forecast.comparisons import MOST_CHOSEN
from forecast.desk import LONGEST_COMMENT, LONGEST_WORDS
from forecast.people import LONGEST_NAME
from ingest.configuration import plain
from twin.scenarios import likely

MEMBERS, MOST_MEMBERS = 200, 1000
LONGEST_SCENARIO = 200
B = TypeVar("B", bound="Body")
_SHOWN = 60
"""Characters of a wrong value that its refusal repeats."""


class Body(BaseModel):
    """What comes with a request; unknown fields are faults, and nothing is taken for another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _readable(text: str) -> str:
    if not " ".join(text.split()).isprintable():
        raise ValueError("must have no characters that cannot be seen")
    return text


def _finite(change: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(change, allow_nan=False)
    except ValueError:
        raise ValueError("must have numbers that are finite") from None
    return change


ScenarioName = Annotated[
    str,
    Field(
        min_length=1, max_length=LONGEST_SCENARIO, examples=["epidemic_clusters[clusters=5]", "winter_peak+eight_beds"]
    ),
]
Who = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_readable)]
Change = Annotated[
    dict[str, Any],
    Field(description="changes kind by kind, as GET /scenarios/{name} tells them"),
    AfterValidator(_finite),
]


class Work(Body):
    """What is run."""

    scenarios: tuple[ScenarioName, ...] = Field(
        min_length=1, max_length=MOST_CHOSEN, description="by name, with numbers in brackets, several joined by a plus"
    )
    members: int = Field(default=MEMBERS, ge=2, le=MOST_MEMBERS, description="runs of each, all on the same luck")
    hours: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="how far; left out: as far as the house's forecasts"
    )


class RunsBody(Work):
    """Scenarios whose course is asked for."""

    measures: tuple[ScenarioName, ...] | None = Field(default=None, min_length=1, description="left out: all")


class ComparisonsBody(Work):
    """Scenarios to be compared, by the criteria of a point of view, or by others; left out: those of every view."""

    view: str | None = Field(default=None, max_length=LONGEST_SCENARIO)
    criteria: tuple[ScenarioName, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.view is not None and self.criteria is not None:
            raise ValueError("must have view or criteria, not both")
        return self


class ProposalBody(Body):
    """A proposal: words, and what it would change."""

    who: Who
    words: Annotated[str, Field(min_length=1, max_length=LONGEST_WORDS), AfterValidator(_readable)]
    scenario: ScenarioName | None = None
    change: Change | None = None
    varies: str | None = Field(default=None, max_length=LONGEST_NAME, description="the proposal that it varies")
    signed: bool = Field(default=False, description="is the author's name shown before it is decided?")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.scenario is None) == (self.change is None):
            raise ValueError("must have scenario or change, one of them")
        return self


class CommentBody(Body):
    """Something said of a proposal."""

    who: Who
    words: Annotated[str, Field(min_length=1, max_length=LONGEST_COMMENT), AfterValidator(_readable)]


class SupportBody(Body):
    """Support of a proposal, or no longer."""

    who: Who
    withdrawn: bool = False


class DecisionBody(Body):
    """A manager's decision; adapted means adopted with another change."""

    who: Who
    what: Literal["adopted", "adapted", "declined"]
    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_COMMENT), AfterValidator(_readable)]
    until: AwareDatetime | None = Field(
        default=None, description="up to when the forecast carries it; left out: as long as it lasts"
    )
    scenario: ScenarioName | None = None
    change: Change | None = None

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        told = (self.scenario is not None) + (self.change is not None)
        if told != (self.what == "adapted"):
            raise ValueError("must have scenario or change, one of them, where what is adapted, and neither elsewhere")
        return self


class EndBody(Body):
    """The end of what was adopted, by a manager."""

    who: Who


def read_body(text: bytes, model: type[B]) -> B:
    """A body as a checked value; raises RefusedError with one sentence that names field, rule and value."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first, *others = error.errors(include_url=False)
        if first["type"] == "json_invalid":
            raise RefusedError(400, f"the body must be JSON: {first['ctx']['error']}") from None
        more = f" (and {len(others)} more)" if others else ""
        raise RefusedError(422, _sentence(first, model) + more) from None


def _sentence(error: Any, model: type[Body]) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "the body"
    if error["type"] == "missing":
        return f"{key} is missing"
    if error["type"] == "extra_forbidden":
        return f"unknown field {key}{likely(key, model.model_fields)}"
    if error["type"] == "model_type":
        return "the body must be an object"
    rule = plain(str(error["msg"]).removeprefix("Value error, "))
    return f"{key}: {rule[:1].lower()}{rule[1:]}{_shown(error['input'])}"


def _shown(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        return ""
    told = json.dumps(value, ensure_ascii=False, default=str)
    return f", but is {told if len(told) <= _SHOWN else told[: _SHOWN - 2] + '..'}"
