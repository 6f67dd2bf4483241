"""What is done to the world of an exercise, in the words of the scenario language: by an inject, by a decision.

A world whose law is the twin's takes a change as it is. The fabricated one knows doctors, triage nurses, beds, victims
and arrivals; of other levers it knows nothing, which is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import Any

from dashboard.drill_script import AnyInject
from dashboard.drill_world import DrillWorld
from forecast.proposals import Proposal
from ingest.errors import EdtwinError
from ingest.events import UnitId
from twin.arrivals import HEADROOM
from twin.changes import LARGEST_WARDS, AbsenceChange, ArrivalsChange, CapacityChange, CrisisChange, Windowed
from twin.fabricated_acts import Absent, Act, BedsClosed, FewerStaff, Later, MoreBeds, MoreStaff, Pool, Surge, Victims
from twin.hospital import BED

_POOLS: dict[str, Pool] = {"doctor": "doctor", "triage_nurse": "triage_nurse"}
_LEAST_H, _STAFF_H, _MOST_H, _MOST_PEOPLE, _MOST_BEDS = 0.25, 24.0, 72.0, 20, 200
_MOST_SURGE = 5.0
_MIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Begun:
    """What was begun: its numbers in the world; and what the world knows nothing of, or why it cannot be."""

    numbers: tuple[int, ...] = ()
    lacks: tuple[str, ...] = ()


def decided(one: Proposal) -> list[Windowed]:
    """The changes of an adopted proposal, in minutes from the decision, up to its end; none of a declined one."""
    decision = one.decision
    if decision is None or decision.what == "declined":
        return []
    return cut(one.scenario.change.changes, (decision.until - decision.at) / _MIN if decision.until else inf)


def cut(changes: Sequence[Windowed], until_min: float) -> list[Windowed]:
    """Changes up to a minute; what would begin later is left out."""
    there = (one for one in changes if one.from_min < min(until_min, one.end_min))
    return [one.model_copy(update={"until_min": until_min}) if one.end_min > until_min else one for one in there]


def begin(world: DrillWorld, changes: Sequence[Windowed], *, seed: int = 0) -> Begun:
    """Do to a world, now, what it can do of some changes."""
    numbers, lacks = list[int](), list[str]()
    for change in changes:
        acts = acts_of(world, change, seed)
        if not acts:
            lacks.append(kind_of(change))
        for act in acts:
            try:
                numbers.append(world.act(act))
            except EdtwinError as fault:
                lacks.append(str(fault))
    return Begun(tuple(numbers), tuple(lacks))


def put_into(world: DrillWorld, inject: AnyInject, seed: int) -> tuple[int, ...]:
    """Do an inject to a world, now: all of it or, where EdtwinError is raised, nothing."""
    numbers = list[int]()
    try:
        for act in _checked(world, inject, seed):
            numbers.append(world.act(act))
    except EdtwinError:
        world.end(numbers)
        raise
    return tuple(numbers)


def require_possible(world: DrillWorld, inject: AnyInject) -> None:
    """Raise EdtwinError, with the rule and the value, for an inject that this world cannot know."""
    for act in _checked(world, inject, 0):
        world.check(act)


def _checked(world: DrillWorld, inject: AnyInject, seed: int) -> list[Any]:
    for name, known in (("unit", world.units), ("pool", world.pools)):
        value = getattr(inject, name, None)
        if value is not None and value not in known:
            raise EdtwinError(f"{name} must be one of {', '.join(known) or 'none'}, but is {value!r}")
    factor, most = getattr(inject, "factor", 1.0), HEADROOM if world.law == "twin" else _MOST_SURGE
    if factor > most:
        raise EdtwinError(f"factor must be {most:g} or less in this world, but is {factor:g}")
    return [act for change in inject.changes() for act in acts_of(world, change, seed)]


def acts_of(world: DrillWorld, change: Windowed, seed: int) -> list[Any]:
    """What a world takes a change for; nothing where it knows nothing of it."""
    return [change] if world.law == "twin" else [_when(act, change.from_min) for act in _fabricated(change, seed)]


Simple = Victims | Surge | Absent | BedsClosed | MoreStaff | FewerStaff | MoreBeds


def _fabricated(change: Windowed, seed: int) -> Iterator[Simple]:
    hours = (change.end_min - change.from_min) / 60.0
    match change:
        case CapacityChange(pool=pool, add=int(add)) if pool in _POOLS and add > 0:
            yield MoreStaff(_POOLS[pool], min(add, _MOST_PEOPLE), _within(hours, _STAFF_H))
        case CapacityChange(pool=pool, add=int(add)) if pool in _POOLS and add < 0:
            yield FewerStaff(_POOLS[pool], min(-add, _MOST_PEOPLE), _within(hours, _MOST_H))
        case CapacityChange(pool=pool, add=int(add)) if add and (pool == LARGEST_WARDS or pool.startswith(BED)):
            unit = None if pool == LARGEST_WARDS else UnitId(pool.removeprefix(BED))
            kind = MoreBeds if add > 0 else BedsClosed
            yield kind(unit, min(abs(add), _MOST_BEDS), _within(hours, _MOST_H))
        case ArrivalsChange(planned=False, acuity=(), age=(), factor=factor) if 0.1 <= factor <= _MOST_SURGE:
            yield Surge(factor, _within(hours, _MOST_H))
        case AbsenceChange(pool=pool, share=share) if pool in _POOLS and share >= 0.01:
            yield Absent(_POOLS[pool], share, _within(hours, _MOST_H))
        case CrisisChange(over_min=float(over_min), clusters=1, patients=patients) if patients <= 300:
            yield Victims(patients, min(over_min, 1440.0), change.severity, seed)
        case _:
            return


def _when(act: Simple, from_min: float) -> Act:
    return Later(act, from_min) if from_min > 0 else act


def _within(hours: float, most: float) -> float:
    return min(max(hours, _LEAST_H), most)


def kind_of(change: Windowed) -> str:
    """A kind of change by the name of its pool, or of what it is."""
    pool = getattr(change, "pool", None)
    return str(pool) if pool else type(change).__name__.removesuffix("Change").lower()
