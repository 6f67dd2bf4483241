"""What is done to the fabricated hospital while it runs: a crisis put into it, and what people do about it.

    begin(house, Victims(patients=20, over_min=60, severity={"1": 0.5, "3B": 0.5}))
    begin(house, MoreStaff("doctor", 2, hours=8))

Each act begins at the house's present minute and ends by itself. Victims have dice of their own. An act that cannot be
(no people, a unit that there is not) raises FabricationError where it is made, or begun; then nothing is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ingest.events import Acuity, UnitId
from twin.fabricated_chance import Dice
from twin.fabricated_facts import HOUR_MIN
from twin.fabricated_hospital import WARDS, FabricationError
from twin.fabricated_house import House
from twin.fabricated_timeline import Action

Pool = Literal["doctor", "triage_nurse"]
MOST_HOURS = 72.0
_LEVELS = ("1", "2", "3A", "3B", "4", "5")


@dataclass(frozen=True, slots=True)
class Victims:
    """So many patients beside the usual ones, evenly over some minutes, with shares of severity."""

    patients: int
    over_min: float
    severity: Mapping[Acuity, float]
    seed: int = 0

    def __post_init__(self) -> None:
        _within("patients", self.patients, 1, 300)
        _within("over_min", self.over_min, 0, 24 * HOUR_MIN)
        for acuity, share in self.severity.items():
            if acuity not in _LEVELS:
                raise FabricationError(f"severity must be by {', '.join(_LEVELS)}, but names {acuity!r}")
            _within(f"severity of {acuity}", share, 0, 1)
        if not sum(self.severity.values()) > 0:
            raise FabricationError("severity must have a share above 0")


@dataclass(frozen=True, slots=True)
class Surge:
    """Arrivals of every hour times a factor, for some hours."""

    factor: float
    hours: float

    def __post_init__(self) -> None:
        _within("factor", self.factor, 0.1, 5)
        _within("hours", self.hours, 0.25, MOST_HOURS)


@dataclass(frozen=True, slots=True)
class Absent:
    """A share of a pool's people on duty go home, and of those who come after them, for some hours; one stays."""

    pool: Pool
    share: float
    hours: float

    def __post_init__(self) -> None:
        _known_pool(self.pool)
        _within("share", self.share, 0.01, 1)
        _within("hours", self.hours, 0.25, MOST_HOURS)


@dataclass(frozen=True, slots=True)
class BedsClosed:
    """Beds of a unit closed for some hours: free ones at once, others as they become free."""

    unit: UnitId
    beds: int
    hours: float

    def __post_init__(self) -> None:
        _within("beds", self.beds, 1, 200)
        _within("hours", self.hours, 0.25, MOST_HOURS)


@dataclass(frozen=True, slots=True)
class MoreStaff:
    """More people of a pool for some hours."""

    pool: Pool
    people: int
    hours: float

    def __post_init__(self) -> None:
        _known_pool(self.pool)
        _within("people", self.people, 1, 20)
        _within("hours", self.hours, 0.25, 24)


@dataclass(frozen=True, slots=True)
class MoreBeds:
    """More beds of a unit, of the largest ward where none is named, for some hours; those in use close as they free."""

    unit: UnitId | None
    beds: int
    hours: float

    def __post_init__(self) -> None:
        _within("beds", self.beds, 1, 200)
        _within("hours", self.hours, 0.25, MOST_HOURS)


@dataclass(frozen=True, slots=True)
class Later:
    """An act that begins so many minutes from now."""

    act: Victims | Surge | Absent | BedsClosed | MoreStaff | MoreBeds
    after_min: float


Act = Victims | Surge | Absent | BedsClosed | MoreStaff | MoreBeds | Later


def begin(house: House, act: Act) -> None:
    """Let an act begin now."""
    _Doing(house).begin(act)


class _Doing:
    """What an act does, now and at its end; it is copied with the house."""

    def __init__(self, house: House) -> None:
        self._house = house

    def begin(self, act: Act) -> None:
        """Now."""
        house = self._house
        match act:
            case Victims():
                self._victims(act)
            case Surge(factor=factor):
                house.inflow.more *= factor
                self._after(act.hours, self.calm, factor)
            case Absent(pool="doctor"):
                house.doctors.absent_share = act.share
                house.doctors.send_home(act.share)
                self._after(act.hours, self.doctors_back)
            case Absent():
                house.emergency.nurses_absent_share = act.share
                house.emergency.change_shift()
                self._after(act.hours, self.nurses_back)
            case BedsClosed():
                unit = house.wards.units[self._known(act.unit)]
                closed = house.wards.close(unit, act.beds)
                self._after(act.hours, self.reopen, (unit.name, closed))
            case MoreStaff(pool="doctor"):
                house.doctors.reinforce_until(act.people, house.minute + act.hours * HOUR_MIN)
            case MoreStaff():
                house.emergency.reinforce(act.people)
                self._after(act.hours, self.nurses_leave, act.people)
            case MoreBeds():
                unit = house.wards.units[self._known(act.unit) if act.unit else self._largest()]
                house.wards.add_beds(unit, act.beds)
                self._after(act.hours, self.take_down, (unit.name, act.beds))
            case Later():
                house.timeline.at(house.minute + act.after_min, self.begin, act.act)

    # --- what comes later

    def arrive(self, visit_of: tuple[Dice, Acuity]) -> None:
        """A victim comes."""
        self._house.emergency.arrive(self._house.inflow.victim(*visit_of))

    def calm(self, factor: float) -> None:
        """As many come as before."""
        self._house.inflow.more /= factor

    def doctors_back(self, _: object) -> None:
        """Whoever begins a shift comes."""
        self._house.doctors.absent_share = 0.0

    def nurses_back(self, _: object) -> None:
        """All come again."""
        self._house.emergency.nurses_absent_share = 0.0
        self._house.emergency.change_shift()

    def nurses_leave(self, people: int) -> None:
        """Those who were added go."""
        self._house.emergency.reinforce(-people)

    def reopen(self, closed: tuple[UnitId, int]) -> None:
        """The closed beds open again."""
        self._house.wards.open_again(self._house.wards.units[closed[0]], closed[1])

    def take_down(self, added: tuple[UnitId, int]) -> None:
        """The added beds close, those in use as they become free."""
        self._house.wards.close(self._house.wards.units[added[0]], added[1])

    # --- inside

    def _victims(self, act: Victims) -> None:
        dice, now = Dice(np.random.SeedSequence([act.seed, 4])), self._house.minute
        for minute in sorted(dice.uniform() * act.over_min for _ in range(act.patients)):
            self._house.timeline.at(now + minute, self.arrive, (dice, dice.choice(act.severity)))

    def _after(self, hours: float, what: Action, subject: object = None) -> None:
        self._house.timeline.at(self._house.minute + hours * HOUR_MIN, what, subject)

    def _known(self, unit: UnitId) -> UnitId:
        known_unit(self._house.wards.units, unit)
        return unit

    def _largest(self) -> UnitId:
        return max(WARDS, key=lambda name: self._house.wards.units[name].beds)


def known_unit(units: Mapping[UnitId, object], unit: str) -> None:
    """Raise FabricationError for a unit that there is not."""
    if unit not in units:
        raise FabricationError(f"unit must be one of {', '.join(units)}, but is {unit!r}")


def _known_pool(pool: str) -> None:
    if pool not in get_args(Pool):
        raise FabricationError(f"pool must be one of {', '.join(get_args(Pool))}, but is {pool!r}")


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise FabricationError(f"{name} must be {low:g} to {high:g}, but is {value:g}")
