"""One frozen value a page: `Board` is all that the wall shows, others those of their pages.

A panel is a pure function of its page's value and queries nothing. All instants are aware UTC; what is absent is None
and is shown as absent, never as zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from twin.explanation import Explained


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


FeedState = Literal["live", "quiet", "late", "catching_up", "inconsistent", "stale", "off"]
"""From well to ill, as `ingest/health.py` judges it."""


@dataclass(frozen=True)
class Feed:
    """How far what is known can be believed: the state of the worst of the sources that run."""

    state: FeedState
    heard_at: datetime | None
    """When anything was last heard of it; None where nothing ever was."""
    age: timedelta | None
    limit: timedelta
    """How long a silence is no surprise at this hour."""
    worse_after: tuple[tuple[FeedState, timedelta], ...] = ()
    """What it is at the least once nothing was heard for longer than so long."""
    source: str | None = None
    """Which source it is, where several run."""
    backlog: int = 0
    eta: timedelta | None = None
    """Of a backlog: until it is worked off."""
    lag: timedelta | None = None
    """How long 95 in 100 of the last messages took to come, at most."""
    is_lagging: bool = False
    """Whether that is too long."""
    skew: timedelta | None = None
    """How far the clock of the source is ahead, where that is too much for its times to be trusted."""
    silent_units: int = 0
    fault: str | None = None
    """Why nothing more comes until a person does something."""
    rejected: dict[str, int] = field(default_factory=dict)
    """Reason to number of records in the quarantine."""


@dataclass(frozen=True)
class Check:
    """A count that cannot be: which tile or unit it marks, and the code of the rule that it breaks."""

    tile: str
    """ "present", "waiting", "boarders", or `unit:NAME`."""
    code: str


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
    checked: int = 0
    """Runs of the last forecast that were made in both engines."""
    equal: int = 0
    """Those in which both agreed to the last bit."""
    corrected_days: int = 0
    """Days of verified forecasts by which the one that is shown was recalibrated; 0 where it is as simulated."""
    begins_at: datetime | None = None
    """From where the forecast that is shown was run: before its issue where the feed was late."""
    cluster_fault: str | None = None
    """Why members run in processes of the house's own and not on its cluster; None where they run as they should."""


class PageView(Protocol):
    """What every page knows of itself: when it was made, where, of what, and whether it is real."""

    @property
    def made_at(self) -> datetime:
        """The house's time at which the view was made."""

    @property
    def zone(self) -> str:
        """Where its readers are."""

    @property
    def hospital(self) -> str:
        """Whose it is."""

    @property
    def mode(self) -> str:
        """ "live", "replay" or "fabricated": said on every page when not live."""


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
    checks: tuple[Check, ...] = ()
    call: str | None = None
    """Telephone or extension to call while the board is blind."""


# --- the page of the feeds ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hour:
    """One hour of a source: when it began, how many messages came, how many are usual; the last hour is not over."""

    at: datetime
    count: int
    usual: float | None


@dataclass(frozen=True)
class SilentPart:
    """A unit, or a kind of event, that is not heard of while its source is."""

    what: Literal["unit", "kind"]
    name: str
    name_fr: str
    name_en: str
    age: timedelta


@dataclass(frozen=True)
class Tally:
    """What became of what was read: read = stored + duplicate + ignored + rejected."""

    read: int
    stored: int
    duplicate: int
    ignored: int
    rejected: int


@dataclass(frozen=True)
class SourceView:
    """How one source does. What is not known is None."""

    name: str
    kind: Literal["mllp", "kafka", "fhir", "events", "extracts"]
    state: FeedState
    heard_at: datetime | None
    age: timedelta | None
    limit: timedelta
    worse_after: tuple[tuple[FeedState, timedelta], ...]
    rate_now: int | None
    """Messages of the last 60 minutes."""
    usual_now: float | None
    """Messages an hour that are usual at this hour."""
    hours: tuple[Hour, ...]
    """The last 24, oldest first."""
    lag: timedelta | None
    skew: timedelta | None
    """How far its clock is ahead; behind: negative."""
    is_skew_warned: bool
    silent: tuple[SilentPart, ...]
    tally: Tally
    backlog: int
    eta: timedelta | None
    connections: int | None
    broken: tuple[str, ...]
    fault: str | None
    is_lagging: bool = False
    """Whether `lag` is too long."""


@dataclass(frozen=True)
class Published:
    """What became of the forecasts that were to go out on a topic."""

    topic: str
    published: int = 0
    failed: int = 0
    overtaken: int = 0
    """Left out, since a newer one was ready."""
    last_at: datetime | None = None
    """When the last one was taken; None before."""
    last_error: str | None = None
    """Why the last one was not taken, in a word; None where it was."""


@dataclass(frozen=True)
class FeedsView:
    """The page of the feeds, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    feed: Feed
    sources: tuple[SourceView, ...]
    files: tuple[tuple[str, Tally], ...]
    """What was read of sources that do not run now, such as extracts, by name."""
    published: Published | None = None
    """What becomes of our own forecasts on a topic of Kafka; None where none is named."""


# --- the page of the quarantine -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReasonView:
    """What waits of one source for one reason: how many, when the first and the last came, some places."""

    source: str
    reason: str
    count: int
    first_at: datetime
    last_at: datetime
    places: tuple[str, ...]


@dataclass(frozen=True)
class DoubtView:
    """What was doubtful about messages of a source that were taken all the same, and how many they are."""

    source: str
    code: str
    count: int


@dataclass(frozen=True)
class QuarantineView:
    """The page of the quarantine, whole: most frequent first."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    reasons: tuple[ReasonView, ...]
    doubts: tuple[DoubtView, ...] = ()

    @property
    def total(self) -> int:
        """How many wait."""
        return sum(reason.count for reason in self.reasons)


# --- the page of the path -----------------------------------------------------------------------------------------

PathSource = Literal["learned", "site", "shipped"]
"""Where the path and its numbers come from: the log, the site's own file, or what is shipped."""


@dataclass(frozen=True)
class PathView:
    """The page of the path, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    source: PathSource
    explained: Explained | None
    """None where neither the log nor the site's file tell a path that suits the hospital."""
    learned_at: datetime | None = None
    learned_visits: int | None = None
    lacks: tuple[str, ...] = ()
    """What the site's file would have to add to be whole."""
    now: Mapping[str, int] | None = None
    """People by unit (wards) and by zone (`ABOVE`, the department, and `WARDS`), where the log tells."""


# --- the page of what was learned -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class LearnedView:
    """The page of what was learned, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    next_at: datetime
    """When it is learned anew."""
    fault: str | None = None
    """Why nothing could be learned the last time; the parameters from before are in use."""
    learned_at: datetime | None = None
    seconds: float | None = None
    """How long it took."""
    days_added: int = 0
    """Days that were read for it and not before."""
    report: Mapping[str, Any] | None = None
    """The account of the calibration (`twin/README.md` explains every key); None before the first."""
    changes: tuple[Mapping[str, Any], ...] = ()
    """What differs from the time before, the largest difference first: `what`, `before`, `now`."""
    changed_since: datetime | None = None


# --- the page of the model's checks ---------------------------------------------------------------------------------


class Line(Protocol):
    """What was measured beside what should have been, along something."""

    @property
    def along(self) -> tuple[float, ...]:
        """Where."""

    @property
    def measured(self) -> tuple[float, ...]:
        """What it was."""

    @property
    def expected(self) -> tuple[float, ...]:
        """What it should have been."""


class ModelCheck(Protocol):
    """One figure of the model beside the one that it should have."""

    @property
    def name(self) -> str:
        """Which."""

    @property
    def group(self) -> str:
        """Of what kind."""

    @property
    def unit(self) -> str:
        """Of the figures."""

    @property
    def measured(self) -> float:
        """What it is; NaN where there is none."""

    @property
    def expected(self) -> float:
        """What it should be."""

    @property
    def tolerance(self) -> float:
        """How far off it may be."""

    @property
    def comparison(self) -> Literal["near", "at_most", "at_least"]:
        """Which way."""

    @property
    def source(self) -> str:
        """Who says so."""

    @property
    def curve(self) -> Line | None:
        """A plot of it, where one helps."""

    @property
    def holds(self) -> bool:
        """The verdict."""


@dataclass(frozen=True)
class ModelChecks:
    """The page of the model's checks, whole: the last run, and how far the one that is on has come."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    ran_at: datetime | None
    """When the last run ended; None before the first."""
    version: str | None
    checks: tuple[ModelCheck, ...]
    done: int | None
    """How many parts of `of` the run that is on has done; None while none is on."""
    of: int
