"""What the API answers of what the board shows; tests hold every answer to it, as those of `api_answers.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from dashboard.api_answers import Numbers, Quantiles, Told

Three = list[float]
"""The 10, 50 and 90 % quantiles."""
Ends = list[float | None]
"""The ends of an interval that holds 95 times in 100; null where there are too few days for one."""


# --- the board ------------------------------------------------------------------------------------------------------


class NowSaid(Told):
    """The hospital as the log knows it; null is what is not known, or what the wall has taken away."""

    present: int | None
    waiting: int | None
    longest_wait_min: float | None
    boarders: int | None
    longest_boarding_min: float | None
    arrivals_last_hour: int | None
    arrivals_today: int | None
    expected_today: float | None
    capacity_spaces: int | None
    beds_free: int | None = Field(description="over all wards whose free beds are known; a ward over its beds has none")


class UnitSaid(Told):
    """One ward."""

    unit: str
    fr: str
    en: str
    beds: int | None
    census: int | None
    free: int | None
    free_ahead: dict[str, Three] = Field(description="by lead in minutes after the forecast's as_of")


class FeedSaid(Told):
    """How far what is known can be believed."""

    state: Literal["live", "quiet", "late", "catching_up", "inconsistent", "stale", "off"]
    heard_at: datetime | None
    age_min: int | None = Field(description="whole minutes since anything was heard")
    source: str | None = Field(description="which one it is, where several run")
    backlog: int
    is_lagging: bool
    silent_units: int
    rejected: int = Field(description="records in the quarantine")


class ForecastAge(Told):
    """How the forecast that the board shows is."""

    state: Literal["none", "fresh", "old", "withheld", "hidden"]
    issued_at: datetime | None
    age_min: int | None


class CheckSaid(Told):
    """A count that cannot be: what it marks, and the code of the rule that it breaks."""

    tile: str
    code: str


class BoardSaid(Told):
    """What the wall shows now."""

    made_at: datetime = Field(description="the minute that it is of; within it the answer stays the same")
    zone: str
    hospital: str
    mode: Literal["live", "replay", "fabricated", "exercise"]
    now: NowSaid
    units: list[UnitSaid]
    feed: FeedSaid
    forecast: ForecastAge
    checks: list[CheckSaid]


# --- the forecast ---------------------------------------------------------------------------------------------------


class MeasureAhead(Told):
    """One measure under the present situation; one value a valid time."""

    unit: Literal["patients", "patients/h", "beds", "min"]
    mean: Numbers
    quantiles: Quantiles
    raw_mean: Numbers | None = Field(description="of the simulation alone, where past forecasts correct it; else null")
    raw_quantiles: Quantiles | None


class ForecastSaid(Told):
    """The forecast that the board shows."""

    issued_at: datetime
    as_of: datetime
    known_at: datetime
    zone: str
    scenario: str = Field(description="of the present situation, what was adopted included")
    lead_min: list[float] = Field(description="minutes after as_of")
    valid_at: list[datetime]
    measures: dict[str, MeasureAhead]
    parameters: dict[str, Any] = Field(description="what is needed to make it again: hashes, seed, versions, settings")


# --- how good forecasts were ----------------------------------------------------------------------------------------


class LeadSaid(Told):
    """How good what was published of one measure at one lead was."""

    lead_min: int
    n: int
    crps: float | None = Field(description="how far the whole forecast lay from what came, in the measure's unit")
    raw_crps: float | None = Field(description="the same of the simulation alone")
    rival_crps: dict[str, float | None]
    skill: dict[str, float | None] = Field(description="by rival, the share of its crps that was saved")
    skill_ci95: dict[str, Ends]
    bias: float | None
    bias_ci95: Ends
    covered_80: float | None = Field(description="share of what came that lay within the 80 % interval")
    covered_band: Ends = Field(description="of all leads at once")
    share: float | None = Field(description="the simulation's, in what was published")
    share_now: float = Field(description="the simulation's, in what is published now")


class VerificationSaid(Told):
    """As the page of trust tells it; no measure before any forecast has met what came."""

    made_at: datetime
    n_issues: int
    days: int
    first_at: datetime | None
    last_at: datetime | None
    replayed: bool = Field(description="true where they come from a replay of the history")
    learned_at: datetime | None
    learned_days: int
    measures: dict[str, list[LeadSaid]]


# --- the alerts -----------------------------------------------------------------------------------------------------


class AlarmSaid(Told):
    """Something that is likely to go over what it must not. Who took it on is told on the page, and not here."""

    name: str
    rule: str
    fr: str
    en: str
    level: Literal["watch", "alert"]
    raised_at: datetime
    sentence_fr: str
    sentence_en: str
    p: float
    first: list[datetime] | None = Field(description="when it begins: 10, 50 and 90 %")
    worst: Three
    worst_at: datetime
    threshold: float
    is_now: bool
    acknowledged_at: datetime | None
    snoozed_until: datetime | None


class RuleSaid(Told):
    """One rule: what it says now."""

    name: str
    fr: str
    en: str
    level: Literal["normal", "watch", "alert"]
    p: float | None
    p_alert: float


class AlertsSaid(Told):
    """What is on, the worst first, and every rule."""

    made_at: datetime
    looked_at: datetime | None
    held: bool = Field(description="true while the data are too old for alarms to be raised or cleared")
    alarms: list[AlarmSaid]
    rules: list[RuleSaid]
