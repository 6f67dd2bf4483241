"""The values that a site's explanation is made of: plain, so that pages need to know nothing of the twin.

`explained.py` makes them. A name is told in French and English; a pool, unit or stage also keeps the name by which
files call it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NEARLY_FULL = 0.9
"""Offered load from which waits are long."""
WARDS, OUT, ABOVE = "wards", "out", "department"
"""Where a stage is when it is in no single unit: in the wards, on the way out, somewhere in the department."""

PoolKind = Literal["beds", "spaces", "staff", "care", "wanted"]
"""Beds of a ward, spaces of an area, staff or equipment, patients in their care, a bed of whichever ward is wanted."""
DoubtKind = Literal[
    "overloaded", "spills_over", "nearly_full", "busy_hours", "hardly_used", "nobody_there", "ward_never", "unit_never",
    "pool_never", "stage_never", "never_ends",
]  # fmt: skip


@dataclass(frozen=True)
class Place:
    """An area of the department or a ward."""

    name: str
    fr: str
    en: str
    ward: bool
    places: int | None
    """Spaces or beds; None where nobody says how many."""
    held_back: int
    overflow: tuple[str, ...] = ()
    """Wards where its patients may lie instead, by name."""


@dataclass(frozen=True)
class Roster:
    """Staff or equipment: how many there are by local hour, `(24,)` each."""

    name: str
    fr: str
    en: str
    weekday: tuple[int, ...]
    weekend: tuple[int, ...]
    caseload: int | None = None
    """How many patients each looks after at once; None without a limit."""


@dataclass(frozen=True)
class Asked:
    """Something that is queued for: `fr` and `en` are the unit's or the roster's names, empty for a bed wanted."""

    pool: str
    kind: PoolKind
    fr: str
    en: str


@dataclass(frozen=True)
class Way:
    """One way on from a stage."""

    to: str
    share: float
    """Of those who leave the stage."""
    a_day: float


@dataclass(frozen=True)
class Step:
    """One stage as it is walked in a usual week."""

    name: str
    fr: str
    en: str
    zone: str
    """The unit where it happens, or one of `WARDS`, `OUT`, `ABOVE`."""
    a_day: float
    share: float
    """Of all who come from outside into the department; above 1 where they come more than once."""
    queues_for: tuple[str, ...]
    lasts_min: float | None
    """The median; None where it is over at once or nobody comes."""
    enters: Literal["", "arrives", "planned", "asked"]
    overflows_after_min: float | None
    """The median of the time after which who still waits for the bed wanted may lie in another ward."""
    leaves_unseen: bool
    """May who queues for it leave without being seen?"""
    ways: tuple[Way, ...]
    is_turning: bool
    """Nothing but a mark on the way: over at once, nothing queued for, no unit of its own, one way on."""
    is_limited: bool
    """Is something queued for here, or a bed kept meanwhile?"""
    is_unseen: bool
    """Is it the way out of those who leave without being seen?"""


@dataclass(frozen=True)
class Stay:
    """Who enters a ward: how many a day, and the median of their stay in minutes."""

    ward: str
    a_day: float
    lasts_min: float


@dataclass(frozen=True)
class Load:
    """How much is asked of a pool against what there is of it, on average over a usual week."""

    pool: str
    kind: PoolKind
    asked: float | None
    """How many would be in use if nobody waited; None where a stay never ends."""
    there: float | None
    """How many there are on average; None where there is no limit."""
    busiest: tuple[int, int, float] | None = None
    """Of staff: the local hours (from, to) with most to do, and the load in them."""

    @property
    def share(self) -> float | None:
        """Asked over there; None where there is no limit or nobody is there at all."""
        return self.asked / self.there if self.there and self.asked is not None else None


@dataclass(frozen=True)
class Doubt:
    """One thing that is unusual or cannot work."""

    kind: DoubtKind
    about: str
    """A pool, unit or stage."""
    share: float | None = None
    hours: tuple[int, int] | None = None


@dataclass(frozen=True)
class Explained:
    """A hospital, its path and what they lead one to expect."""

    name: str
    treatment_spaces: int
    places: tuple[Place, ...]
    rosters: tuple[Roster, ...]
    asked: tuple[Asked, ...]
    """Everything that is queued for, or could be."""
    arrivals_a_day: float
    planned_a_day: float
    steps: tuple[Step, ...]
    stays: tuple[Stay, ...]
    """Of wards that somebody enters and leaves again."""
    loads: tuple[Load, ...]
    no_limit: tuple[str, ...]
    """Pools that the path queues for and of which there is no known limit."""
    supposed: tuple[tuple[str, int, int], ...]
    """Pools of which nobody says how many there are, with the fewest and the most that there seem to be."""
    doubts: tuple[Doubt, ...]
    learned: bool = False
    """Learned from a log: then a stage that nobody comes to, or a unit of which it tells nothing, is no doubt."""

    def step(self, name: str) -> Step:
        """The stage of this name."""
        return next(step for step in self.steps if step.name == name)

    def place(self, name: str) -> Place:
        """The unit of this name."""
        return next(place for place in self.places if place.name == name)

    def pool(self, name: str) -> Asked:
        """The pool of this name."""
        return next(asked for asked in self.asked if asked.pool == name)
