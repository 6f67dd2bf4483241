"""THE HUDDLE SHEET as a value: what is told at a huddle, until 8 am; plain numbers that every form of it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ingest.clock import local

SURE, LIKELY = 0.9, 0.7
"""The chances with which "at least N beds" is said."""


@dataclass(frozen=True)
class Spread:
    """A number ahead: its mean, and the interval that holds it eight times in ten."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Peak:
    """The highest value until the end: eight times in ten from `low` to `high`, half the times by `at`."""

    at: datetime
    low: float
    median: float
    high: float


@dataclass(frozen=True)
class FreeBeds:
    """Free beds of a ward, a group or all: at least so many with a chance of 90 % and of 70 %.

    `throughout` is the least there are at any time until the end, `end` those at the end; a ward with more patients
    than beds has none free and takes none from another.
    """

    now: float
    throughout_sure: int
    throughout_likely: int
    end_sure: int
    end_likely: int
    end_mean: float
    p_none: float
    """Chance that at some time until the end none is free; of a group or all: none anywhere in it."""


@dataclass(frozen=True)
class Flow:
    """Who comes to a ward and who leaves it until the end: means over the members, which add up."""

    known: float
    """From the department, whose admission was decided when the sheet was made."""
    here: float
    """From the department, of those who were there without such a decision."""
    to_come: float
    """From the department, of those who were yet to arrive."""
    planned: float
    """By appointment, straight to the ward."""
    moved_in: float
    """From another ward; of a group or all, as the sum of its wards."""
    moved_out: float
    left: float
    """Who leave the hospital."""
    net: Spread
    """Who comes less who leaves."""

    @property
    def emergency(self) -> float:
        """Everybody who comes from the department."""
        return self.known + self.here + self.to_come

    @property
    def inflow(self) -> float:
        """Everybody who comes."""
        return self.emergency + self.planned + self.moved_in

    @property
    def outflow(self) -> float:
        """Everybody who leaves."""
        return self.moved_out + self.left


LineKind = Literal["ward", "group", "all"]


@dataclass(frozen=True)
class Line:
    """A ward, a group of wards (a specialty), or all of them."""

    kind: LineKind
    fr: str
    en: str
    beds: int | None
    """None where it is not known of every ward of it how many it has."""
    free: FreeBeds | None
    flow: Flow
    decided: float
    """Who wait in the department for one of its beds, their admission being decided."""


@dataclass(frozen=True)
class Department:
    """The emergency department until the end; None where the log does not tell a measure."""

    present: float
    waiting: float | None
    boarders: float | None
    boarders_end: Spread | None
    boarders_peak: Peak | None
    arrivals: Spread | None
    departures: Spread | None
    net: Spread
    """Arrivals less departures: by how much the census changes."""
    peak: Peak
    usual_peak: float | None
    """The highest that is usual at these hours."""
    ward_not_told: float = 0.0
    """Of those who wait for a bed now, for whom no ward is told yet: they are in no line of the wards."""


ChangeKind = Literal["present", "waiting", "boarders", "free", "ward_free", "peak", "sure", "likely", "end", "foreseen"]


@dataclass(frozen=True)
class Change:
    """A number of the last sheet beside the same of this one.

    `foreseen` is what the last sheet expected for the end of its time, where this one is made then.
    """

    what: ChangeKind
    before: float
    now: float
    fr: str = ""
    en: str = ""
    """The ward's names, where it is one's."""

    @property
    def by(self) -> float:
        """How much more it is now."""
        return self.now - self.before


@dataclass(frozen=True)
class Standing:
    """How far the data of a sheet can be believed."""

    state: str
    """The feed's, as on the wall."""
    heard_at: datetime | None
    complete_until: datetime
    """Up to when what was known was complete: the simulation starts there."""
    members: int
    recalibrated_days: int
    skill: float | None = None
    """1 - crps / that of "as usual at this hour", of the census at the lead nearest to the end; below 0 the usual was
    the better forecast."""
    skill_lead_min: int | None = None


@dataclass(frozen=True)
class Sheet:
    """A sheet, whole: made at `made_at` for the huddle due at `due_at`, from the forecast issued at `issued_at`."""

    due_at: datetime
    made_at: datetime
    issued_at: datetime
    from_at: datetime
    until_at: datetime
    """The end: 8 am, or as far as the forecast goes."""
    flows_from_at: datetime
    """Flows are counted from here: whole hours before the end."""
    hospital: str
    zone: str
    mode: str
    standing: Standing
    department: Department
    lines: tuple[Line, ...]
    """Wards in the hospital's order, each group's behind them, then all."""
    previous_at: datetime | None = None
    """When the last sheet was due that this one is compared with."""
    changes: tuple[Change, ...] = ()

    @property
    def name(self) -> str:
        """What it is kept as."""
        return name_of(self.due_at, self.zone)

    @property
    def all(self) -> Line:
        """All wards together."""
        return next(line for line in self.lines if line.kind == "all")


def name_of(due_at: datetime, zone: str) -> str:
    """A sheet's name: the local day and time of its huddle."""
    return f"{local(due_at, zone):%Y-%m-%dT%H%M}"
