"""What is done to the fabricated hospital while it runs: a crisis put into it, and what people do about it.

    begin(house, Victims(patients=20, over_min=60, severity={"1": 0.5, "3B": 0.5}), number=0)
    begin(house, MoreStaff("doctor", 2, hours=8), number=1)
    end(house, number=1)

Each act begins at the house's present minute and ends by itself, unless it is ended before. Victims have dice of their
own. An act that cannot be (no people, a unit that there is not) raises FabricationError where it is made, or begun;
then nothing is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ingest.events import Acuity, UnitId
from twin.fabricated_chance import Dice
from twin.fabricated_facts import HOUR_MIN
from twin.fabricated_hospital import UNITS, WARDS, FabricationError
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
    """Beds of a unit, of the largest ward where none is named, closed for some hours: free ones at once, others as they
    become free."""

    unit: UnitId | None
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
class FewerStaff:
    """So many of a pool's people on duty go home for some hours, and the same share of those who follow; one stays."""

    pool: Pool
    people: int
    hours: float

    def __post_init__(self) -> None:
        _known_pool(self.pool)
        _within("people", self.people, 1, 20)
        _within("hours", self.hours, 0.25, MOST_HOURS)


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

    act: Victims | Surge | Absent | BedsClosed | MoreStaff | FewerStaff | MoreBeds
    after_min: float


Act = Victims | Surge | Absent | BedsClosed | MoreStaff | FewerStaff | MoreBeds | Later


def begin(house: House, act: Act, number: int) -> None:
    """Let an act begin now, under a number by which it can be ended."""
    _Doing(house).begin(act, number)


def end(house: House, number: int) -> None:
    """Let the act of a number end now; nothing where it is over, or has no end, such as victims."""
    _Doing(house).over(number)


def require_unit(act: Act) -> None:
    """Raise FabricationError for an act on a unit that there is not."""
    inner = act.act if isinstance(act, Later) else act
    unit = getattr(inner, "unit", None)
    if unit is not None and unit not in UNITS:
        raise FabricationError(f"unit must be one of {', '.join(UNITS)}, but is {unit!r}")


class _Doing:
    """What an act does, now and at its end; it is copied with the house."""

    def __init__(self, house: House) -> None:
        self._house = house

    def begin(self, act: Act, number: int) -> None:
        """Now."""
        house = self._house
        match act:
            case Victims():
                self._victims(act)
            case Surge(factor=factor):
                house.inflow.more *= factor
                self._until(act.hours, number, self.calm, factor)
            case Absent() | FewerStaff():
                self._away(act, number)
            case BedsClosed():
                unit = house.wards.units[act.unit or self._largest()]
                closed = house.wards.close(unit, act.beds)
                self._until(act.hours, number, self.reopen, (unit.name, closed))
            case MoreStaff(pool="doctor"):
                self._until(act.hours, number, house.doctors.release, house.doctors.call_in(act.people))
            case MoreStaff():
                house.emergency.reinforce(act.people)
                self._until(act.hours, number, self.nurses_leave, act.people)
            case MoreBeds():
                unit = house.wards.units[act.unit or self._largest()]
                house.wards.add_beds(unit, act.beds)
                self._until(act.hours, number, self.take_down, (unit.name, act.beds))
            case Later():
                house.ends[number] = (self.call_off, None)
                house.timeline.at(house.minute + act.after_min, self.later, (act.act, number))

    # --- what comes later

    def arrive(self, visit_of: tuple[Dice, Acuity]) -> None:
        """A victim comes."""
        self._house.emergency.arrive(self._house.inflow.victim(*visit_of))

    def calm(self, factor: float) -> None:
        """As many come as before."""
        self._house.inflow.more /= factor

    def doctors_back(self, number: int) -> None:
        """Whoever begins a shift comes."""
        self._house.doctors.absent.pop(number, None)

    def nurses_back(self, number: int) -> None:
        """All come again."""
        self._house.emergency.nurses_absent.pop(number, None)
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

    def later(self, told: tuple[Act, int]) -> None:
        """What was to begin later begins, unless it was called off."""
        act, number = told
        if self._house.ends.pop(number, None) is not None:
            self.begin(act, number)

    def call_off(self, _: object) -> None:
        """Nothing has begun."""

    def over(self, number: int) -> None:
        """An act ends, unless it has ended before."""
        what, subject = self._house.ends.pop(number, (self.call_off, None))
        what(subject)

    # --- inside

    def _away(self, act: Absent | FewerStaff, number: int) -> None:
        doctors, emergency = self._house.doctors, self._house.emergency
        if act.pool == "doctor":
            share = act.share if isinstance(act, Absent) else _part(act.people, doctors.count)
            doctors.absent[number] = share
            doctors.send_home(share)
            self._until(act.hours, number, self.doctors_back, number)
            return
        emergency.nurses_absent[number] = act.share if isinstance(act, Absent) else _part(act.people, emergency.nurses)
        emergency.change_shift()
        self._until(act.hours, number, self.nurses_back, number)

    def _victims(self, act: Victims) -> None:
        dice, now = Dice(np.random.SeedSequence([act.seed, 4])), self._house.minute
        for minute in sorted(dice.uniform() * act.over_min for _ in range(act.patients)):
            self._house.timeline.at(now + minute, self.arrive, (dice, dice.choice(act.severity)))

    def _until(self, hours: float, number: int, what: Action, subject: object) -> None:
        """What ends an act, after some hours or before."""
        self._house.ends[number] = (what, subject)
        self._house.timeline.at(self._house.minute + hours * HOUR_MIN, self.over, number)

    def _largest(self) -> UnitId:
        return max(WARDS, key=lambda name: self._house.wards.units[name].beds)


def _part(people: int, there: int) -> float:
    """So many of those who are there, as a share; one stays."""
    return min(people, max(there - 1, 0)) / max(there, 1)


def _known_pool(pool: str) -> None:
    if pool not in get_args(Pool):
        raise FabricationError(f"pool must be one of {', '.join(get_args(Pool))}, but is {pool!r}")


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise FabricationError(f"{name} must be {low:g} to {high:g}, but is {value:g}")
