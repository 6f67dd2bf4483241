"""What the API answers, for its OpenAPI document; tests hold every answer to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Numbers = list[float | None]
Quantiles = dict[str, Numbers]
"""By level: "0.1" is what 1 run in 10 does not exceed; one value a lead. What does not exist is null."""


class Told(BaseModel):
    """A part of an answer: these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class Fault(Told):
    """Why a request is refused."""

    error: str = Field(description="one sentence: the field, the rule, the value")


# --- scenarios ------------------------------------------------------------------------------------------------------


class Parameter(Told):
    """A number of a scenario that may be set."""

    value: float
    low: float
    high: float
    step: float
    fr: str
    en: str


class ScenarioSaid(Told):
    """A scenario as the catalogue lists it."""

    name: str
    fr: str
    en: str
    parameters: dict[str, Parameter]


class ScenarioWhole(ScenarioSaid):
    """A scenario with its changes."""

    changes: dict[str, Any] = Field(description="kind by kind")
    inapplicable: str | None = Field(description="why it changes nothing here; null where it does or nobody knows yet")


class Catalogue(Told):
    """Every scenario."""

    scenarios: list[ScenarioSaid]


# --- runs -----------------------------------------------------------------------------------------------------------


class Difference(Told):
    """The difference from the present situation, run by run on the same luck; one value a lead."""

    mean: Numbers
    quantiles: Quantiles


class Measure(Difference):
    """A measure; one value a lead."""

    lead_min: list[float]
    raw_quantiles: Quantiles = Field(description="of the simulation, before past forecasts correct it")


class Runs(Told):
    """As `edtwin forecast --json` prints it: the first scenario is the present situation, as usual."""

    issued_at: datetime
    as_of: datetime
    known_at: datetime
    scenarios: dict[str, dict[str, Measure]] = Field(description="by scenario and measure")
    differences: dict[str, dict[str, Difference]] = Field(description="by scenario and measure, paired")
    provenance: dict[str, Any] = Field(description="what is needed to make it again")


# --- comparisons ----------------------------------------------------------------------------------------------------


class Compared(Told):
    """A scenario that was compared."""

    name: str
    fr: str
    en: str
    parameters: dict[str, Parameter]
    inapplicable: str | None


class CriterionSaid(Told):
    """One thing that matters, and what it is as usual."""

    name: str
    fr: str
    en: str
    unit: str
    better: Literal["less", "more"]
    as_usual: float | None


class EffectSaid(Told):
    """What a scenario changes of a criterion, run by run on the same luck."""

    value: float | None
    mean: float | None
    ci95: list[float | None]
    quantiles: dict[str, float | None]
    p_better: float | None
    p_same: float | None
    n: int


class Comparisons(Told):
    """As `edtwin scenarios compare --json` prints it. Nothing adds the criteria up."""

    as_of: datetime
    known_at: datetime
    hours: float
    seed: int
    path: str
    scenarios: list[Compared]
    members: int
    compared_with: str
    criteria: list[CriterionSaid]
    effects: dict[str, dict[str, EffectSaid]] = Field(description="by scenario and criterion")
    dominated_by: dict[str, list[str]] = Field(description="by scenario: those that are at least as good on all")
    to_choose_from: list[str]


# --- the desk -------------------------------------------------------------------------------------------------------


class PersonSaid(Told):
    """Who somebody is."""

    name: str
    fr: str
    en: str


class CommentSaid(Told):
    """What somebody said."""

    at: datetime
    who: PersonSaid | None = Field(description="null until the proposal is decided")
    words: str


class DecisionSaid(Told):
    """What a manager decided."""

    at: datetime
    who: PersonSaid
    what: Literal["adopted", "adapted", "declined"]
    reason: str
    until: datetime | None
    carried: bool = Field(description="does the forecast carry it now?")


class Done(Told):
    """What an adopted change did to a measure: 8 in 10 between the first and the last number, the middle the guess."""

    measure: str
    observed: float
    without: list[float]
    effect: list[float]
    foreseen: list[float]
    tells: bool


class ChangeSaid(Told):
    """A change in words."""

    fr: str
    en: str


class ProposalSaid(Told):
    """A proposal as it stands."""

    name: str
    proposed_at: datetime
    author: PersonSaid | None = Field(description="null until it is decided, unless its author signs")
    signed: bool
    words: str
    change: dict[str, Any]
    said: list[ChangeSaid]
    state: Literal["open", "adopted", "declined", "withdrawn", "measured"]
    supporters: int
    varies: str | None
    comments: list[CommentSaid]
    decision: DecisionSaid | None
    effects: list[Done]


class Proposals(Told):
    """Every proposal, the oldest first."""

    proposals: list[ProposalSaid]
