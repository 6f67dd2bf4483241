"""What an act of an exercise changes of a run of the twin: a change of the scenario language, from its minute on.

Nothing of it may touch what was before. Clocks of wards are therefore changed at a quarter of an hour, and who is away
is a plain number of the roster: luck that is drawn for one act would move what was drawn for those before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from math import ceil, inf

from forecast.lever import missing
from forecast.situation import Situation
from twin.changes import (
    PROFESSION,
    AbsenceChange,
    CapacityChange,
    CrisisChange,
    DischargeChange,
    SupplyChange,
    Windowed,
)
from twin.errors import ScenarioError
from twin.hospital import BED, Hospital, Profile
from twin.setting import at

GRID_MIN = 15.0
"""Wards hear of another hour of discharge at the next multiple of it: there their clocks have bounds anyway."""
_NEVER_MIN = 1e7
"""Beyond every exercise: victims of a crisis that was not, so that those of the next one are who they are."""


def changes_of(
    change: Windowed, begun_min: float, ended_min: float, usual: Mapping[str, Profile], hospital: Hospital
) -> Iterator[Windowed]:
    """A change that was begun at a minute of the exercise and ended at another, inf where it ends by itself.

    In minutes of the exercise; nothing where it was ended before anything came of it. `usual` are the capacities
    without acts.
    """
    whole = change.delayed(begun_min)
    if isinstance(whole, CrisisChange):
        yield whole if whole.from_min < ended_min else whole.model_copy(update={"from_min": _NEVER_MIN})
        return
    if isinstance(whole, DischargeChange):
        whole, ended_min = _on_the_grid(whole), _up(ended_min)
    until_min = min(whole.end_min, ended_min)
    if until_min <= whole.from_min:
        return
    cut = whole.model_copy(update={"until_min": None if until_min == inf else until_min})
    if isinstance(cut, AbsenceChange):
        yield from _away(cut, usual, hospital)
    else:
        yield cut


def require_there(situation: Situation, change: Windowed, *, units: Collection[str], pools: Collection[str]) -> None:
    """Raise ScenarioError for a change that moves nothing in a run from a situation, with what can be moved."""
    pool = getattr(change, "pool", "")
    if pool.startswith(BED) and pool.removeprefix(BED) not in units:
        raise ScenarioError(f"unit must be one of {', '.join(units) or 'none'}, but is {pool.removeprefix(BED)!r}")
    if isinstance(change, AbsenceChange) and not pool.startswith(PROFESSION) and pool not in pools:
        raise ScenarioError(f"pool must be one of {', '.join(pools) or 'none'}, but is {pool!r}")
    why = "of supplies the world knows nothing" if isinstance(change, SupplyChange) else missing(situation, change)
    if why is not None:
        raise ScenarioError(why)


def _on_the_grid(change: DischargeChange) -> DischargeChange:
    until_min = None if change.until_min is None else _up(change.until_min)
    return change.model_copy(update={"from_min": _up(change.from_min), "until_min": until_min})


def _up(minute: float) -> float:
    return minute if minute == inf else ceil(minute / GRID_MIN) * GRID_MIN


def _away(change: AbsenceChange, usual: Mapping[str, Profile], hospital: Hospital) -> Iterator[CapacityChange]:
    """A share of a pool's, or a profession's, roster away, hour by hour, to the nearest; of each pool one stays."""
    name = change.pool.removeprefix(PROFESSION)
    pools = hospital.professions.get(name, ()) if change.pool.startswith(PROFESSION) else (name,)
    for pool in (pool for pool in pools if pool in usual):
        starts = [change.from_min, *(m for m, _ in usual[pool] if change.from_min < m < change.end_min)]
        for start, end in zip(starts, [*starts[1:], change.end_min], strict=True):
            there = at(usual[pool], start)
            gone = min(round(change.share * there), there - 1)
            if gone > 0:
                until_min = None if end == inf else end
                yield CapacityChange(pool=pool, add=-gone, from_min=start, until_min=until_min)
