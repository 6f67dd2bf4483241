"""What is done to the world of an exercise when a manager adopts a proposal.

The world knows doctors, triage nurses, beds and arrivals; of other levers it knows nothing, which is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from math import inf

from forecast.proposals import Proposal
from ingest.events import UnitId
from twin.changes import LARGEST_WARDS, ArrivalsChange, CapacityChange, Windowed
from twin.fabricated_acts import Act, Later, MoreBeds, MoreStaff, Pool, Surge
from twin.hospital import BED

_POOLS: dict[str, Pool] = {"doctor": "doctor", "triage_nurse": "triage_nurse"}
_LEAST_H, _STAFF_H, _MOST_H = 0.25, 24.0, 72.0
_MIN = timedelta(minutes=1)


def acts_of(one: Proposal) -> tuple[list[Act], tuple[str, ...]]:
    """What the world does of an adopted proposal, and the kinds of change that it cannot do; nothing of a declined
    one."""
    decision = one.decision
    if decision is None or decision.what == "declined":
        return [], ()
    until_min = (decision.until - decision.at) / _MIN if decision.until else inf
    acts, lacks = list[Act](), list[str]()
    for change in one.scenario.change.changes:
        done = list(_acts(change, until_min))
        acts += done
        if not done:
            lacks.append(_name(change))
    return acts, tuple(lacks)


def _acts(change: Windowed, until_min: float) -> Iterator[Act]:
    hours = (min(change.end_min, until_min) - change.from_min) / 60.0
    if hours <= 0:
        return
    match change:
        case CapacityChange(pool=pool, add=int(add)) if add > 0 and pool in _POOLS:
            yield from _later(MoreStaff(_POOLS[pool], min(add, 20), _within(hours, _STAFF_H)), change.from_min)
        case CapacityChange(pool=pool, add=int(add)) if add > 0 and pool == LARGEST_WARDS:
            yield from _later(MoreBeds(None, min(add, 200), _within(hours, _MOST_H)), change.from_min)
        case CapacityChange(pool=pool, add=int(add)) if add > 0 and pool.startswith(BED):
            unit = UnitId(pool.removeprefix(BED))
            yield from _later(MoreBeds(unit, min(add, 200), _within(hours, _MOST_H)), change.from_min)
        case ArrivalsChange(planned=False, acuity=(), age=(), factor=factor) if 0.1 <= factor <= 5:
            yield from _later(Surge(factor, _within(hours, _MOST_H)), change.from_min)
        case _:
            return


def _later(act: MoreStaff | MoreBeds | Surge, from_min: float) -> Iterator[Act]:
    yield Later(act, from_min) if from_min > 0 else act


def _within(hours: float, most: float) -> float:
    return min(max(hours, _LEAST_H), most)


def _name(change: Windowed) -> str:
    """A kind of change by the name of its pool, or of what it is."""
    pool = getattr(change, "pool", None)
    return str(pool) if pool else type(change).__name__.removesuffix("Change").lower()
