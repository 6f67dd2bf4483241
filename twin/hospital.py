"""The hospital: its units, the places in them, and the pools of staff and equipment with their rosters.

Read from a TOML file (`hospital.toml` is the default one) into a frozen `Hospital`. Everything that patients queue
for is a pool with a name: `bed:<ward>`, `space:<area>`, a pool of the file (`doctor`, `imaging` ..), or `care:<pool>`,
the patients that all of such a pool look after at once. A pool's capacity over a run is a `Profile`: steps of (minute
from the start, capacity), the first at minute 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from ingest.clock import local
from ingest.configuration import Checked, load
from ingest.events import Acuity
from twin.errors import TwinError
from twin.learned_calendar import public_holidays

Profile = tuple[tuple[float, int], ...]
"""Steps of (minute from the start of a run, capacity); the first stands at minute 0, minutes rise."""

BED, SPACE, CARE = "bed:", "space:", "care:"
NO_LIMIT = 1_000_000
"""More places than anybody ever queues for."""
DEFAULT = Path(__file__).with_name("hospital.toml")
_HOURS_A_DAY = 24
_SATURDAY = 5
_ANY_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)
_LOOK_EVERY = timedelta(minutes=15)
"""How often the roster is looked up: the offsets of all zones are whole quarters of an hour."""


@dataclass(frozen=True)
class Unit:
    """An area of the department or a ward, with its places (spaces or beds) and its names for the wall."""

    name: str
    ward: bool
    places: int
    fr: str
    en: str
    held_back: int = 0
    """Beds that nobody gets though patients queue for them (see `turnover.py`)."""
    overflow: tuple[str, ...] = ()
    """Wards where its patients may lie when they have queued for long, in the order in which they are asked."""
    group: tuple[str, str] | None = None
    """The specialty that its beds are counted with, in French and in English."""

    @property
    def pool(self) -> str:
        """The name of the pool that its places are."""
        return (BED if self.ward else SPACE) + self.name


@dataclass(frozen=True)
class Pool:
    """Staff or equipment: how many there are by local hour of the day, `(24,)` each."""

    name: str
    weekday: tuple[int, ...]
    weekend: tuple[int, ...]
    fr: str
    en: str
    caseload: int = NO_LIMIT
    """How many patients each looks after at once."""
    profession: str | None = None
    """What its staff are; None for equipment."""
    on: tuple[tuple[int, tuple[int, ...]], ...] = ()
    """Rosters of single weekdays, 0 = Monday, where they differ from those of all."""
    supposed: bool = False
    """Whether nobody told how many there are: read off what they do (`supposed.py`)."""

    @property
    def limited(self) -> bool:
        """Whether there may be too few of them."""
        return max(self.weekday + self.weekend, default=0) < NO_LIMIT

    @property
    def told(self) -> bool:
        """Whether somebody says how many there are."""
        return self.limited and not self.supposed

    def at(self, local_time: datetime) -> int:
        """How many there are at a local time."""
        day = local_time.weekday()
        usual = self.weekend if day >= _SATURDAY else self.weekday
        return next((hours for weekday, hours in self.on if weekday == day), usual)[local_time.hour]


@dataclass(frozen=True)
class Hospital:
    """Units and pools; a change makes a new one."""

    name: str
    zone: str
    acuities: tuple[str, ...]
    """Triage levels, the most urgent first; a patient's acuity is an index in them."""
    units: tuple[Unit, ...]
    rosters: tuple[Pool, ...]
    treats_in: tuple[str, ...] = ()
    """Areas whose spaces count as treatment spaces."""
    holidays: str = "FR"
    """Whose public holidays count: a country (`FR`) or a part of one (`FR-57`); "" for none."""
    school_zone: str = ""
    """Whose school holidays count: the French zone A, B or C; "" for none."""
    outside: tuple[str, ...] = ()
    """Files of series from outside (weather, flu), read whenever it is learned anew."""
    floor: tuple[tuple[str, ...], ...] = ()
    """Where the areas lie, row by row from the entrance on; () where the site does not say."""

    @property
    def wards(self) -> tuple[Unit, ...]:
        """Units outside the department."""
        return tuple(unit for unit in self.units if unit.ward)

    @property
    def pools(self) -> tuple[str, ...]:
        """Everything that can be queued for."""
        staff = [pool.name for pool in self.rosters]
        return (*(unit.pool for unit in self.units), *staff, *(CARE + name for name in staff))

    @property
    def caseloads(self) -> dict[str, int]:
        """How many patients one of each pool looks after at once."""
        return {pool.name: pool.caseload for pool in self.rosters}

    @property
    def limited(self) -> frozenset[str]:
        """Pools of staff and equipment of which there may be too few."""
        return frozenset(pool.name for pool in self.rosters if pool.limited)

    @property
    def told(self) -> frozenset[str]:
        """Pools of staff and equipment of which somebody says how many there are."""
        return frozenset(pool.name for pool in self.rosters if pool.told)

    @property
    def professions(self) -> dict[str, tuple[str, ...]]:
        """The pools of each profession."""
        named = dict.fromkeys(pool.profession for pool in self.rosters if pool.profession)
        return {one: tuple(p.name for p in self.rosters if p.profession == one) for one in named}

    @property
    def spaces(self) -> int:
        """Treatment spaces of the department: its boxes and the like, the waiting room and desks left out."""
        return sum(unit.places for unit in self.units if not unit.ward and unit.name in self.treats_in)

    def unit(self, name: str) -> Unit:
        """The unit of this name; raises TwinError if there is none."""
        for unit in self.units:
            if unit.name == name:
                return unit
        raise TwinError(f"unit must be one of {', '.join(u.name for u in self.units)}, but is {name}")

    def unit_code(self, name: str) -> int:
        """A unit's index in `units`; raises TwinError if there is none of this name."""
        return self.units.index(self.unit(name))

    def capacity(self, pool: str, start: datetime, horizon_min: float) -> Profile:
        """A pool's capacity from an aware instant on; raises TwinError if there is no such pool."""
        return self.capacities([pool], start, horizon_min)[pool]

    def capacities(self, pools: Iterable[str], start: datetime, horizon_min: float) -> dict[str, Profile]:
        """The capacity of several pools by name; rosters follow local hours, on the nights when clocks change too."""
        times = list(_local_times(start, horizon_min, self.zone))
        return {name: self._profile(name, times) for name in pools}

    def with_beds(self, beds: Mapping[str, int]) -> Hospital:
        """The same hospital with other numbers of beds or spaces, by unit."""
        for name in beds:
            self.unit(name)
        return replace(self, units=tuple(replace(u, places=beds.get(u.name, u.places)) for u in self.units))

    def with_held_back(self, beds: Mapping[str, int]) -> Hospital:
        """The same hospital, of whose beds so many are held back, by ward."""
        return replace(self, units=tuple(replace(u, held_back=beds.get(u.name, u.held_back)) for u in self.units))

    def with_overflow(self, hosts: Mapping[str, Sequence[str]]) -> Hospital:
        """The same hospital, where the patients of a ward may lie in others; a ward left out overflows into none."""
        return replace(self, units=tuple(replace(u, overflow=tuple(hosts.get(u.name, ()))) for u in self.units))

    def with_roster(
        self, pool: str, weekday: Sequence[int], weekend: Sequence[int] | None = None, *, supposed: bool = False
    ) -> Hospital:
        """The same hospital with another roster of a pool, `(24,)` by local hour; a new pool is added."""
        known = {p.name: p for p in self.rosters}
        base = known.get(pool, Pool(pool, (), (), fr=pool, en=pool, profession=pool))
        weekend = weekday if weekend is None else weekend
        known[pool] = replace(base, weekday=tuple(weekday), weekend=tuple(weekend), on=(), supposed=supposed)
        return replace(self, rosters=tuple(known.values()))

    def with_caseload(self, pool: str, caseload: int) -> Hospital:
        """The same hospital, where each of a pool looks after so many patients at once."""
        return replace(
            self, rosters=tuple(replace(p, caseload=caseload) if p.name == pool else p for p in self.rosters)
        )

    def with_units(self, units: Sequence[Unit]) -> Hospital:
        """The same hospital with other units, such as the wards that a log names; none overflows into what is gone."""
        names = {u.name for u in units}
        kept = tuple(area for area in self.treats_in if area in names)
        left = tuple(replace(u, overflow=tuple(host for host in u.overflow if host in names)) for u in units)
        return replace(self, units=left, treats_in=kept)

    def _profile(self, name: str, times: Sequence[tuple[float, datetime]]) -> Profile:
        for unit in self.units:
            if unit.pool == name:
                return ((0.0, max(unit.places - unit.held_back, 0)),)
        for pool in self.rosters:
            if pool.name == name:
                return steps((minute, pool.at(at)) for minute, at in times)
            if CARE + pool.name == name:
                return steps((minute, pool.at(at) * pool.caseload) for minute, at in times)
        raise TwinError(f"pool must be one of {', '.join(self.pools)}, but is {name}")


def steps(values: Iterable[tuple[float, int]]) -> Profile:
    """A profile without the steps that change nothing."""
    kept: list[tuple[float, int]] = []
    for minute, count in values:
        if not kept or kept[-1][1] != count:
            kept.append((minute, count))
    return tuple(kept)


def load_hospital(path: Path = DEFAULT) -> Hospital:
    """The hospital of a TOML file; raises ConfigurationError with every fault and its line."""
    return load(path, HospitalFile).hospital()


def _local_times(start: datetime, horizon_min: float, zone: str) -> Iterable[tuple[float, datetime]]:
    yield 0.0, local(start, zone)
    past = timedelta(minutes=start.minute % 15, seconds=start.second, microseconds=start.microsecond)
    at = start - past + _LOOK_EVERY
    while (minute := (at - start) / timedelta(minutes=1)) < horizon_min:
        yield minute, local(at, zone)
        at += _LOOK_EVERY


# --- the file -------------------------------------------------------------------------------------------------


def _hours_of(roster: dict[str, int]) -> dict[str, int]:
    """Each hour of the day stands exactly once: `{ "7-14" = 4, "14-21" = 4, "21-7" = 2 }`."""
    seen: list[int] = []
    for span, count in roster.items():
        if count < 0:
            raise ValueError(f"numbers must be 0 or more, but {span} h has {count}")
        seen += hours_in(span)
    if gaps := sorted(set(range(_HOURS_A_DAY)) - set(seen)):
        raise ValueError(f"every hour must be given, but {', '.join(f'{h} h' for h in gaps)} is not")
    if len(seen) > _HOURS_A_DAY:
        twice = sorted({h for h in seen if seen.count(h) > 1})
        raise ValueError(f"an hour must be given once, but {', '.join(f'{h} h' for h in twice)} is given twice")
    return roster


def hours_in(span: str) -> list[int]:
    """The hours of a span such as "8-20" or, past midnight, "21-7"; raises ValueError for anything else."""
    match = re.fullmatch(r"(\d{1,2})-(\d{1,2})", span)
    first, last = (int(match[1]), int(match[2])) if match else (0, 0)
    if first in (last, _HOURS_A_DAY) or max(first, last) > _HOURS_A_DAY:
        raise ValueError(f'hours must be written like "8-20" or "21-7", from 0 to 24, but one is "{span}"')
    return [hour % _HOURS_A_DAY for hour in range(first, last if last > first else last + _HOURS_A_DAY)]


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Roster = Annotated[dict[str, int], AfterValidator(_hours_of)]


def _by_hour(roster: dict[str, int]) -> tuple[int, ...]:
    hours = [0] * _HOURS_A_DAY
    for span, count in roster.items():
        for hour in hours_in(span):
            hours[hour] = count
    return tuple(hours)


class GroupEntry(Checked):
    """A specialty, by its names; wards that name the same are of one group."""

    fr: Annotated[str, Field(min_length=1, max_length=40)]
    en: Annotated[str, Field(min_length=1, max_length=40)]


class UnitEntry(Checked):
    """One `[units.<name>]`: an area has `spaces`, a ward has `beds`."""

    fr: str
    en: str
    spaces: Annotated[int | None, Field(ge=0)] = None
    beds: Annotated[int | None, Field(ge=0)] = None
    treatment: bool = False
    """True for an area whose spaces are treatment spaces."""
    overflow: tuple[str, ...] = ()
    """Wards where this one's patients may lie instead, in the order in which they are asked."""
    group: GroupEntry | None = None
    """The specialty that a ward's beds are counted with on huddle sheets."""

    @model_validator(mode="after")
    def _one_of_both(self) -> UnitEntry:
        if (self.spaces is None) == (self.beds is None):
            raise ValueError("a unit must have either spaces (an area of the department) or beds (a ward)")
        if self.overflow and self.beds is None:
            raise ValueError("overflow must stand beside beds: only a ward overflows")
        if self.group and self.beds is None:
            raise ValueError("group must stand beside beds: only wards are grouped")
        return self


def _overflow_into_wards(units: dict[str, UnitEntry]) -> dict[str, UnitEntry]:
    """Patients may lie in wards of the file, other than their own."""
    for name, unit in units.items():
        others = [other for other, entry in units.items() if entry.beds is not None and other != name]
        if strangers := [host for host in unit.overflow if host not in others]:
            raise ValueError(
                f"overflow of {name} must name other wards ({', '.join(others)}), but names {', '.join(strangers)}"
            )
        if len(set(unit.overflow)) < len(unit.overflow):
            raise ValueError(f"overflow of {name} must name each ward once")
    return units


class PoolEntry(Checked):
    """One `[pools.<name>]`: `always` the same number, or a roster of weekdays and one of weekends."""

    fr: str
    en: str
    always: Annotated[int | None, Field(ge=0)] = None
    weekday: Roster | None = None
    weekend: Roster | None = None
    on: dict[Weekday, Roster] = Field(default_factory=dict)
    """Rosters of single days."""
    profession: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> PoolEntry:
        if (self.always is None) == (self.weekday is None) or ((self.weekend or self.on) and self.always is not None):
            raise ValueError("a pool must have either always, or weekday and perhaps weekend and single days (on)")
        return self


def _known_zone(zone: str) -> str:
    try:
        local(_ANY_INSTANT, zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("zone must be the name of a time zone, such as Europe/Paris") from error
    return zone


def known_holidays(place: str) -> str:
    """The place, if its public holidays are known; raises ValueError for another."""
    try:
        public_holidays(place, _ANY_INSTANT.toordinal(), _ANY_INSTANT.toordinal())
    except TwinError as error:
        raise ValueError(str(error)) from error
    return place


class HospitalFile(Checked):
    """What a hospital's file may say."""

    name: str
    zone: Annotated[str, AfterValidator(_known_zone)]
    acuities: tuple[Acuity, ...] = Field(min_length=1)
    units: Annotated[dict[str, UnitEntry], AfterValidator(_overflow_into_wards)]
    pools: dict[str, PoolEntry] = Field(default_factory=dict)
    holidays: Annotated[str, AfterValidator(known_holidays)] = "FR"
    school_zone: Literal["A", "B", "C", ""] = ""
    floor: tuple[tuple[str, ...], ...] = ()
    """The plan of the department: rows of areas, from the entrance on."""

    @field_validator("floor")
    @classmethod
    def _of_areas(cls, rows: tuple[tuple[str, ...], ...], info: ValidationInfo) -> tuple[tuple[str, ...], ...]:
        """Each names areas of the file, each area once."""
        areas = [name for name, entry in info.data.get("units", {}).items() if entry.beds is None]
        named = [name for row in rows for name in row]
        if areas and (strangers := [name for name in named if name not in areas]):
            raise ValueError(
                f"floor must name areas with spaces ({', '.join(areas)}), but names {', '.join(strangers)}"
            )
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"floor must name each area once, but names {', '.join(twice)} more than once")
        return rows

    def hospital(self) -> Hospital:
        """The value the twin works with."""
        return Hospital(
            name=self.name,
            zone=self.zone,
            acuities=self.acuities,
            units=tuple(_unit(name, entry) for name, entry in self.units.items()),
            rosters=tuple(_pool(name, entry) for name, entry in self.pools.items()),
            treats_in=tuple(name for name, entry in self.units.items() if entry.treatment),
            holidays=self.holidays,
            school_zone=self.school_zone,
            floor=self.floor,
        )


def _unit(name: str, entry: UnitEntry) -> Unit:
    ward = entry.beds is not None
    places = (entry.beds if ward else entry.spaces) or 0
    group = (entry.group.fr, entry.group.en) if entry.group else None
    return Unit(name, ward, places, fr=entry.fr, en=entry.en, overflow=entry.overflow, group=group)


def _pool(name: str, entry: PoolEntry) -> Pool:
    if entry.weekday is None:
        hours = (entry.always or 0,) * _HOURS_A_DAY
        return Pool(name, hours, hours, fr=entry.fr, en=entry.en, profession=entry.profession)
    weekend = entry.weekday if entry.weekend is None else entry.weekend
    return Pool(
        name,
        _by_hour(entry.weekday),
        _by_hour(weekend),
        fr=entry.fr,
        en=entry.en,
        profession=entry.profession,
        on=tuple((get_args(Weekday).index(day), _by_hour(roster)) for day, roster in entry.on.items()),
    )
