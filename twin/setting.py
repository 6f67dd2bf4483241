"""What a run is given besides path, parameters, present and luck, and how changes alter it.

Capacities, who comes, how things work, and who of the staff is away. Who is away is drawn by member, from luck of its
own: who is away when few are is away too when more are, so that differences between scenarios are paired.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import floor, inf
from zlib import crc32

import numpy as np

from twin.changes import (
    EVERY_WARD,
    LARGEST_WARDS,
    PROFESSION,
    AbsenceChange,
    ArrivalsChange,
    CapacityChange,
    CrisisChange,
    DischargeChange,
    DurationChange,
    Of,
    RouteChange,
    SupplyChange,
    Windowed,
)
from twin.demand import Crisis, Demand, Level, Who
from twin.errors import ScenarioError
from twin.hospital import BED, CARE, Hospital, Profile, steps
from twin.law import Discharging, Law, Pace, Way

CARERS = ("doctor", "nurse")
"""Professions of whom a scenario must leave some at work."""
SHIFT_MIN = 480.0
"""For so long the same people are on duty: then others, who may be away or not."""
_ABSENT = 0xAB5E
"""Sets who is away apart from what else is drawn from a member's seed."""


@dataclass(frozen=True)
class Absent:
    """Each of a pool's people is away with a probability, in a window."""

    pool: str
    share: float
    from_min: float = 0.0
    until_min: float = inf


@dataclass(frozen=True)
class Setting:
    """What a run is given besides path, parameters, present and luck."""

    capacity: Mapping[str, Profile]
    """Of each pool, before absences."""
    demand: Demand = field(default_factory=Demand)
    law: Law = field(default_factory=Law)
    absent: tuple[Absent, ...] = ()

    def capacity_of(self, hospital: Hospital, *, seed: int, member: int) -> Mapping[str, Profile]:
        """The capacities of a member: what absences leave of them."""
        if not self.absent:
            return self.capacity
        out = dict(self.capacity)
        for pool in dict.fromkeys(one.pool for one in self.absent):
            mine = [one for one in self.absent if one.pool == pool]
            out[pool] = _present(out[pool], mine, pool, seed, member)
            if CARE + pool in out:
                out[CARE + pool] = tuple((m, n * hospital.caseloads[pool]) for m, n in out[pool])
        return out


def with_change(setting: Setting, change: Windowed, hospital: Hospital) -> Setting:
    """The setting with one more change; what the hospital does not have is left as it is."""
    match change:
        case CapacityChange():
            return replace(setting, capacity={**setting.capacity, **_places(setting.capacity, change, hospital)})
        case AbsenceChange():
            pools = [pool for pool in _pools(change.pool, hospital) if pool in setting.capacity]
            away = (Absent(pool, change.share, change.from_min, change.end_min) for pool in pools)
            return replace(setting, absent=(*setting.absent, *away))
        case ArrivalsChange() | CrisisChange():
            return replace(setting, demand=_demand(setting.demand, change, hospital))
        case DurationChange() | RouteChange() | DischargeChange():
            return replace(setting, law=_law(setting.law, change, hospital))
        case SupplyChange():
            return setting  # no patient waits for it
    raise TypeError(f"{type(change).__name__} is no change that a setting knows")


def check_staff(before: Setting, after: Setting, hospital: Hospital, horizon_min: float) -> None:
    """Raise ScenarioError where no doctor, or no nurse, is at work any more at some time of the run."""
    for profession in CARERS:
        mine = [pool for pool in hospital.professions.get(profession, ()) if pool in before.capacity]
        changes = {minute for pool in mine for minute, _ in after.capacity[pool]}
        changes |= {away.from_min for away in after.absent if away.pool in mine}
        for minute in sorted(minute for minute in changes if minute < horizon_min):
            there = sum(_on_duty(after, pool, minute) for pool in mine)
            if there == 0 and any(at(before.capacity[pool], minute) for pool in mine):
                raise ScenarioError(
                    f"a scenario must leave some staff, but {minute:g} minutes from now it leaves no {profession} at"
                    f" all ({', '.join(mine)})"
                )


def _on_duty(setting: Setting, pool: str, minute: float) -> int:
    """How many can be at work: none where all of them are away for certain."""
    gone = any(a.pool == pool and a.share >= 1 and a.from_min <= minute < a.until_min for a in setting.absent)
    return 0 if gone else at(setting.capacity[pool], minute)


# --- capacities -----------------------------------------------------------------------------------------------------


def _pools(name: str, hospital: Hospital) -> Sequence[str]:
    """The pools that a name stands for."""
    return hospital.professions.get(name.removeprefix(PROFESSION), ()) if name.startswith(PROFESSION) else (name,)


def _places(capacity: Mapping[str, Profile], change: CapacityChange, hospital: Hospital) -> dict[str, Profile]:
    """The profiles that a change touches, changed; a capacity does not fall below 0."""
    if change.pool == LARGEST_WARDS:
        return _changed(capacity, change, _over_wards(capacity, change))
    if change.pool == EVERY_WARD:
        return _changed(capacity, change, dict.fromkeys((p for p in capacity if p.startswith(BED)), change.add))
    pools = [pool for pool in _pools(change.pool, hospital) if pool in capacity]
    whole = _changed(capacity, change, dict.fromkeys(pools, change.add))
    looking = [pool for pool in pools if CARE + pool in capacity]
    care = {CARE + p: tuple((m, n * hospital.caseloads[p]) for m, n in whole[p]) for p in looking}
    return whole | care


def _changed(
    capacity: Mapping[str, Profile], change: CapacityChange, add: Mapping[str, int | None]
) -> dict[str, Profile]:
    return {pool: _within(capacity[pool], change, more) for pool, more in add.items()}


def _over_wards(capacity: Mapping[str, Profile], change: CapacityChange) -> dict[str, int | None]:
    """How many beds each ward gains or loses: the largest first; a ward cannot lose more than it has."""
    beds = {pool: at(profile, change.from_min) for pool, profile in capacity.items() if pool.startswith(BED)}
    rest = change.add if change.add is not None else _times(sum(beds.values()), change.factor) - sum(beds.values())
    out: dict[str, int | None] = {}
    for pool in sorted(beds, key=lambda pool: (-beds[pool], pool)):
        mine = max(rest, -beds[pool])
        rest -= mine
        out |= {pool: mine} if mine else {}
    return out


def at(profile: Profile, minute: float) -> int:
    """A capacity at a minute."""
    return next(capacity for start, capacity in reversed(profile) if start <= minute)


def _within(profile: Profile, change: CapacityChange, add: int | None) -> Profile:
    def changed(minute: float) -> int:
        there = at(profile, minute)
        if not change.from_min <= minute < change.end_min:
            return there
        return max(0, there + add) if add is not None else _times(there, change.factor)

    return steps((minute, changed(minute)) for minute in _minutes(profile, [change]))


def _times(count: int, factor: float | None) -> int:
    """So many times a factor, to the nearest, halves up."""
    return floor(count * (1.0 if factor is None else factor) + 0.5)


def _minutes(profile: Profile, windows: Iterable[Windowed | Absent]) -> list[float]:
    """When a capacity may change."""
    bounds = {m for w in windows for m in (w.from_min, inf if w.until_min is None else w.until_min) if m < inf}
    return sorted({minute for minute, _ in profile} | bounds)


def _present(profile: Profile, away: Sequence[Absent], pool: str, seed: int, member: int) -> Profile:
    """Who is there of a pool, in a member."""
    most = max(count for _, count in profile)
    dice = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, member, _ABSENT, crc32(pool.encode())])))
    last = max([m for m, _ in profile] + [a.from_min for a in away] + [a.until_min for a in away if a.until_min < inf])
    shifts = int(max(last, 10080.0) // SHIFT_MIN) + 1
    luck = dice.random((shifts, len(away), most))

    def there(minute: float) -> int:
        count, shift = at(profile, minute), min(int(minute // SHIFT_MIN), shifts - 1)
        gone = np.zeros(count, dtype=bool)
        for one, numbers in zip(away, luck[shift], strict=True):
            if one.from_min <= minute < one.until_min:
                gone |= numbers[:count] < one.share
        return count - int(gone.sum())

    turns = np.arange(1, shifts) * SHIFT_MIN
    return steps((minute, there(minute)) for minute in sorted({*_minutes(profile, away), *turns.tolist()}))


# --- demand and law ---------------------------------------------------------------------------------------------------


def _demand(demand: Demand, change: ArrivalsChange | CrisisChange, hospital: Hospital) -> Demand:
    if isinstance(change, CrisisChange):
        return replace(demand, crises=(*demand.crises, _crisis(change, hospital.acuities)))
    who = _who(change, hospital.acuities)
    if who.everybody and not change.planned:
        return replace(demand, level=_scaled(demand.level, change))
    units = frozenset(_codes(change.wards, hospital)) if change.wards else None
    level = Level(change.factor, change.from_min, change.end_min, who, change.planned, units)
    return replace(demand, some=(*demand.some, level))


def _law(law: Law, change: DurationChange | RouteChange | DischargeChange, hospital: Hospital) -> Law:
    window = (change.from_min, change.end_min)
    if isinstance(change, DurationChange):
        pace = Pace(change.duration, change.factor, *window, _who(change, hospital.acuities))
        return replace(law, paces=(*law.paces, pace))
    if isinstance(change, RouteChange):
        way = Way(change.share, change.odds, change.value, *window, _who(change, hospital.acuities))
        return replace(law, ways=(*law.ways, way))
    units = frozenset(_codes(change.wards, hospital)) if change.wards else None
    clock = Discharging(units, change.factor, change.earlier_min, change.every_day_alike, *window)
    return replace(law, discharging=(*law.discharging, clock))


def _codes(wards: Iterable[str], hospital: Hospital) -> Iterator[int]:
    """Codes of those wards that the hospital has."""
    return (code for code, unit in enumerate(hospital.units) if unit.name in wards)


def _who(change: Of, acuities: Sequence[str]) -> Who:
    """Whom a change concerns; where a hospital has one level 3, it stands for 3A and 3B."""
    named = {_code(acuity, acuities) for acuity in change.acuity}
    return Who(
        frozenset(code for code in named if code is not None) if change.acuity else None,
        frozenset(change.age) if change.age else None,
    )


def _code(acuity: str, acuities: Sequence[str]) -> int | None:
    found = next((level for level in (acuity, acuity[0]) if level in acuities), None)
    return None if found is None else list(acuities).index(found)


def _scaled(level: tuple[tuple[float, float], ...], change: ArrivalsChange) -> tuple[tuple[float, float], ...]:
    minutes = sorted({minute for minute, _ in level} | {m for m in (change.from_min, change.end_min) if m < inf})

    def factor(minute: float) -> float:
        base = next(value for start, value in reversed(level) if start <= minute)
        return base * change.factor if change.from_min <= minute < change.end_min else base

    return tuple((minute, factor(minute)) for minute in minutes)


def _crisis(change: CrisisChange, acuities: Sequence[str]) -> Crisis:
    """With codes for levels; where a hospital has one level 3, it stands for 3A and 3B."""
    severity: dict[int, float] = {}
    for acuity, share in change.severity.items():
        code = _code(acuity, acuities)
        if code is not None:
            severity[code] = severity.get(code, 0.0) + share
    return Crisis(
        patients=change.patients * change.clusters,
        from_min=change.from_min,
        over_min=change.over_min or 0.0,
        severity=severity,
        median_min=change.median_min,
        dispersion=change.dispersion,
        clusters=change.clusters,
        apart_min=change.apart_min,
        ages=change.age,
        shares=tuple(sorted(change.shares.items())),
    )
