"""The wall's frozen value: `Board` is all that it shows; those of the other pages are in `pages.py`.

A panel is a pure function of its page's value and queries nothing. All instants are aware UTC; what is absent is None
and is shown as absent, never as zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal


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
    lowest_at: datetime | None = None
    lowest: tuple[float, float, float] | None = None
    """The lowest, so, where fewer is worse: of free beds."""


@dataclass(frozen=True)
class Moved:
    """Why the census is forecast otherwise than some time ago, at the valid time at which its mean moved most."""

    since: datetime
    """When the earlier forecast was made."""
    valid_at: datetime
    before: float
    now: float
    by: dict[str, float]
    """What moved it, in patients, in the order in which it is told: `arrivals`, `patients` (those who
    were here left sooner or later), `capacity` (beds and staff), `learned`, `correction`. They add up to the change."""
    arrived: float
    """Arrivals since then."""
    arrivals_expected: float
    left: float
    """Exits since then, as the two presents leave them over."""
    exits_expected: float


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
    usual: float | None = None
    """The mean of the first scenario there."""

    @property
    def is_fewer(self) -> bool:
        """Fewer, with 9 chances in 10, as the interval reads when it is rounded."""
        return round(self.high) < 0

    @property
    def is_more(self) -> bool:
        """More, so."""
        return round(self.low) > 0


EFFECT_MEASURES = ("ed_census", "ed_waiting", "ed_boarders")
"""What effects are told of; of all of these fewer is better."""


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
    can_be_decided: bool = False
    """People here can do it; else it befalls them."""
    short_fr: str | None = None
    """The sentence where there is little room; None where it is the sentence itself."""
    short_en: str | None = None


@dataclass(frozen=True)
class Help:
    """The scenario that helps most, by its name, and the effect by which it does."""

    scenario: str
    effect: Effect


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


Kept = Literal["whole", "backup", "checkpoint", "nothing"]
"""Where what stands in a damaged database alone was read: in itself, in a backup, as it was last brought together."""


@dataclass(frozen=True)
class Mended:
    """Something of the house's own data was damaged, set aside and made whole again."""

    part: Literal["database", "journal", "audit"]
    found_at: datetime
    aside: str
    """The name under which the damaged file is kept."""
    done: bool
    """False until it is whole again."""
    kept: Kept = "whole"
    kept_until: datetime | None = None
    """Forecasts, proposals and alarms of after it are lost; None where that is not known, or none are."""
    left: tuple[str, ...] = ()
    """Tables that nothing could give."""


@dataclass(frozen=True)
class Scrubbed:
    """What the last look through the whole journal found, and when it ended."""

    at: datetime
    records: int
    files: int
    faults: tuple[str, ...] = ()
    """Of each damaged file a sentence; for who looks after the house."""


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
    described: Mapping[str, Any] | None = None
    """Where the path is the one that the site's file says: `source`, `days` of the `needed`, `level`, `keeps_path`."""
    checked: int = 0
    """Runs of the last forecast that were made in both engines."""
    equal: int = 0
    """Those in which both agreed to the last bit."""
    corrected_days: int = 0
    """Days of verified forecasts by which the one that is shown was recalibrated; 0 where it is as simulated."""
    measured_days: tuple[int, int] | None = None
    """Days of history replayed so far, and in all, to measure how good forecasts are; None while none are."""
    begins_at: datetime | None = None
    """From where the forecast that is shown was run: before its issue where the feed was late."""
    cluster_fault: str | None = None
    """Why members run in processes of the house's own and not on its cluster; None where they run as they should."""
    audit_gap_since: datetime | None = None
    """Since when who looks and who changes cannot be recorded; None where it is."""
    mended: tuple[Mended, ...] = ()
    """What of the data was damaged and made whole, the last one last."""
    missing_records: int = 0
    """Records that the log was made of and the journal does not hold: as long as there are any nothing is taken in."""
    scrubbed: Scrubbed | None = None
    """The last look through the whole journal; None before the first."""


@dataclass(frozen=True)
class Alarm:
    """Something that is likely to go over what it must not: at the level of an alarm, or of a watch."""

    name: str
    """Of an alarm, its own; of a watch, the rule's."""
    rule: str
    name_fr: str
    name_en: str
    level: Literal["watch", "alert"]
    raised_at: datetime
    sentence_fr: str
    """ "4 chances sur 10 de dépasser 60 présents avant 20 h"."""
    sentence_en: str
    p: float
    first: tuple[datetime, datetime, datetime] | None
    """When it begins, in the members in which it comes: 10, 50 and 90 %."""
    worst: tuple[float, float, float]
    """The highest, or lowest, value ahead: 10, 50 and 90 %."""
    worst_at: datetime
    threshold: float
    is_now: bool = False
    """It has begun already."""
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    note: str | None = None
    snoozed_until: datetime | None = None
    told: tuple[str, ...] = ()
    """Recipients that were told."""


@dataclass(frozen=True)
class Board:
    """The wall's view, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    """ "live", "replay", "fabricated" or "exercise": said on every screen when not live."""
    now: Now
    units: tuple[UnitNow, ...]
    fans: dict[str, Fan]
    """By measure: `ed_census`, `ed_boarders`, `ed_waiting`, `ed_arrivals`, and `beds_free` of all wards whose beds are
    known, where the log supports them."""
    scenarios: tuple[ScenarioView, ...]
    skills: tuple[Skill, ...]
    feed: Feed
    cycle: Cycle
    checks: tuple[Check, ...] = ()
    moved: Moved | None = None
    """None where there is no forecast of an hour ago to compare with."""
    call: str | None = None
    """Telephone or extension to call while the board is blind."""
    alarms: tuple[Alarm, ...] = ()
    """What is on, the worst and the soonest first; of a house that watches nothing, none."""
    helps: Help | None = None
    """What helps most of the scenarios that people here can decide; None where none surely does."""
    shares: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    """The simulation's share in what is published, by measure and verified lead in minutes; the rest is what simple
    rules say. A measure that is all the simulation's is not here."""
