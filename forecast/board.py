"""Board: everything the wall shows, as one frozen value made once a cycle.

A panel is a pure function of a Board and queries nothing. All instants are aware UTC; what is absent is None and is
shown as absent, never as zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Now:
    """The hospital as the log knows it; counts of people, waits in minutes."""

    present: int | None
    waiting: int | None
    longest_wait_min: float | None
    boarders: int | None
    longest_boarding_min: float | None
    arrivals_last_hour: int | None
    arrivals_today: int | None
    expected_today: float | None
    """Arrivals usually seen since local midnight by this time of day."""
    capacity_spaces: int | None
    """Designated treatment spaces of the department."""


@dataclass(frozen=True)
class UnitNow:
    """One ward: staffed beds, people in them, beds free now and forecast."""

    unit: str
    name_fr: str
    name_en: str
    beds: int | None
    census: int | None
    free: int | None
    free_ahead: dict[int, tuple[float, float, float]]
    """Lead in minutes to the 10 %, 50 % and 90 % quantiles of free beds."""


@dataclass(frozen=True)
class Earlier:
    """What was forecast some hours ago for the same measure: the 10 %, 50 % and 90 % quantiles."""

    issued_at: datetime
    valid_at: tuple[datetime, ...]
    low: tuple[float, ...]
    median: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Fan:
    """One measure: what was, what is likely to come, and what is possible to hold."""

    measure: str
    past_at: tuple[datetime, ...]
    past: tuple[float | None, ...]
    valid_at: tuple[datetime, ...]
    quantiles: dict[float, tuple[float, ...]]
    """Level to values, one a valid time; the levels 0.05, 0.1, 0.25, 0.5, 0.75, 0.9 and 0.95 at least."""
    usual: tuple[float | None, ...]
    """What climatology expects at each valid time (its median)."""
    earlier: Earlier | None = None
    capacity: float | None = None
    peak_at: datetime | None = None
    peak: tuple[float, float, float] | None = None
    """The highest value ahead, read from members: 10 %, 50 %, 90 %; `peak_at` is the median of its time."""


@dataclass(frozen=True)
class Effect:
    """A scenario's paired difference from the first scenario, for one measure at one lead."""

    measure: str
    lead_min: int
    mean: float
    low: float
    """10 % quantile of the paired differences."""
    high: float
    """90 % quantile."""


@dataclass(frozen=True)
class ScenarioView:
    """A scenario beside business as usual."""

    name: str
    sentence_fr: str
    sentence_en: str
    effects: tuple[Effect, ...]
    inapplicable_fr: str | None = None
    """Why the scenario moves nothing in this hospital; None, in both languages, when it has a lever."""
    inapplicable_en: str | None = None


@dataclass(frozen=True)
class Skill:
    """How good the forecasts of one measure at one lead were, over those verified so far."""

    measure: str
    lead_min: int
    n: int
    mae: float
    bias: float
    crps: float
    coverage_80: float
    skill: dict[str, float]
    """Baseline's name to 1 - crps / its crps; below 0 the baseline was better."""
    backtested: bool = False
    """True when the figures come from a back-test over the history, not from live forecasts."""


@dataclass(frozen=True)
class Feed:
    """How old the data are and what could not be read."""

    last_event_at: datetime | None
    last_stored_at: datetime | None
    age: timedelta | None
    late: bool
    """True when silence has lasted longer than the usual rate of events allows."""
    limit: timedelta = timedelta(minutes=30)
    """How long a silence the usual rate of events allows at this hour."""
    rejected: dict[str, int] = field(default_factory=dict)
    """Reason to number of records kept aside."""


@dataclass(frozen=True)
class Cycle:
    """How the scheduler is doing."""

    issued_at: datetime | None
    """When the forecast that is shown was issued; None before the first."""
    age: timedelta | None
    seconds: float | None
    """How long the last cycle took."""
    done: int
    missed: int
    failed: int
    last_error: str | None
    """One sentence, without identifiers; None when the last cycle went well."""
    every: timedelta
    members: int
    learned_days: float | None
    """Days of history behind the parameters."""
    path: str
    """Name of the path the twin walks ("full", "milestones" or "stay")."""


@dataclass(frozen=True)
class Board:
    """The wall's view, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    """ "live", "replay" or "fabricated": said on every screen when not live."""
    now: Now
    units: tuple[UnitNow, ...]
    fans: dict[str, Fan]
    """By measure: `ed_census`, `ed_boarders`, `ed_waiting`, `ed_arrivals` where the log supports them."""
    scenarios: tuple[ScenarioView, ...]
    skills: tuple[Skill, ...]
    feed: Feed
    cycle: Cycle
