"""What was: measures on a grid of 15 minutes, as known at an instant.

`truth` is for judging, from what was known long enough after; `Past` is for forecasting and follows the state along.
Both complete visits by the one rule of `twin/history.py`. Where exits are still to be told, as many visits are taken to
have left as are expected to by how exits are told, the least likely to be here first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from operator import attrgetter

import numpy as np

from forecast.baselines import WINDOW_DAYS, History
from forecast.ensemble import milestones_of
from forecast.usual import STEP_MIN
from forecast.values import Array
from twin.calibrate import Calibration
from twin.history import History as VisitHistory
from twin.history import completed, history_of_visits, went_untold
from twin.known import Known
from twin.known import known_at as known_at_instant
from twin.measures import measure
from twin.memory import Memory
from twin.minutes import Minutes
from twin.reporting import EXITS, taken_as_gone
from twin.state import State
from twin.story import DESTINATIONS, Visits
from twin.turnover import BedCounts
from twin.visit import Visit
from twin.waits import SITUATIONS

RENEWED_DAYS = 3
"""Days back over which exits are still told; what is older is settled and not counted again."""
VINTAGE = timedelta(days=7)
"""How long after an instant the truth about it is taken by which forecasts are judged."""
LEARNED_AFTER = timedelta(days=2)
"""How long after an instant it is taken to learn corrections from: exits are nearly all told by then."""
MONTH = timedelta(days=30)
"""What is measured from one state; with `VINTAGE` it is well within what a state holds."""
_STEP = timedelta(minutes=STEP_MIN)
_ARRIVED_AT = attrgetter("arrived_at")
_WARD, _BED = SITUATIONS.index("ward"), SITUATIONS.index("bed")
_TO_WARD = DESTINATIONS.index("ward")


def truth(state: State, calibration: Calibration, times: Sequence[datetime], known_at: datetime) -> dict[str, Array]:
    """Every measure at some instants, `(time,)`, the earliest first, from what was known at `known_at`."""
    first_at = times[0]
    minutes = Minutes(first_at)
    known = known_at_instant(state, calibration, known_at)
    history = _history(_touching(state, first_at), calibration, minutes, minutes.of(known_at))
    visits = _without_the_gone(history, known, calibration, minutes.of(known_at))
    return _measured(visits, minutes.of_many(times), calibration, BedCounts.of(state, minutes))


def truth_of_period(
    memory: Memory, calibration: Calibration, times: Sequence[datetime], known_at: datetime
) -> dict[str, Array]:
    """Every measure at rising instants, `(time,)`, each from what was known `VINTAGE` after its month, or at the end.

    A state holds some months only, so a long period is measured month by month; `known_at` is the end of knowledge.
    """
    month = [(at - times[0]) // MONTH for at in times]
    ends = [bisect_right(month, k) for k in dict.fromkeys(month)]
    parts = []
    for first, end in pairwise([0, *ends]):
        known = known_at if end == len(times) else min(times[end - 1] + VINTAGE, known_at)
        parts.append(truth(memory.at(known), calibration, times[first:end], known))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class Past:
    """Measures up to a moving present, as they were known on the way; the latest days are counted anew each time."""

    def __init__(self, first_at: datetime, counted: Mapping[str, Array] | None = None) -> None:
        """`counted` is what the history of an earlier one held, to go on from there."""
        self._first_at = first_at
        self._measures: dict[str, Array] = dict(counted or {})

    def at(
        self, state: State, known: Known, calibration: Calibration, as_of: datetime
    ) -> tuple[History, dict[str, float]]:
        """The history up to the present for the baselines, NaN where nothing was counted; and each measure now.

        The present may lie off the grid of the history.
        """
        size = (as_of - self._first_at) // _STEP + 1
        counted = min((values.size for values in self._measures.values()), default=0)
        settled = max(0, min(counted, size) - RENEWED_DAYS * 24 * 60 // STEP_MIN)
        recent = _presumed(state, known, calibration, self._first_at + settled * _STEP, as_of)
        unknown = np.full(settled, np.nan)
        heard = np.arange(size) >= (_whole_from(state, as_of) - self._first_at) / _STEP
        self._measures = {
            name: np.where(heard, np.concatenate([self._measures.get(name, unknown)[:settled], values[:-1]]), np.nan)
            for name, values in recent.items()
        }
        history = History(self._first_at, self._measures, calibration.hospital.zone, size - 1)
        return history, {name: float(values[-1]) for name, values in recent.items()}


def _whole_from(state: State, as_of: datetime) -> datetime:
    """From when on everybody who was here is told: a day after the first arrival; before, few is not few."""
    return min(filter(None, map(_ARRIVED_AT, state.visits.values())), default=as_of) + timedelta(days=1)


def grid_start(as_of: datetime, days: float = WINDOW_DAYS) -> datetime:
    """A whole quarter of an hour so many days before an instant, in step with it."""
    return as_of - timedelta(minutes=STEP_MIN * int(days * 24 * 60 / STEP_MIN))


def _presumed(
    state: State, known: Known, calibration: Calibration, since: datetime, as_of: datetime
) -> dict[str, Array]:
    """Every measure on the grid from `since` on, and last at the present."""
    minutes = Minutes(as_of)
    history = _history(_touching(state, since), calibration, minutes, 0.0)
    visits = _without_the_gone(history, known, calibration, 0.0)
    return _measured(visits, np.append(_grid(since, as_of), 0.0), calibration, BedCounts.of(state, minutes))


def _touching(state: State, since: datetime) -> list[Visit]:
    """The visits only that may have been here from an instant on, and all that never came to the department."""
    ghosts = since - timedelta(days=3)
    straight = [v for v in state.visits.values() if v.arrived_at is None and v.departed_at is None]
    return straight + [
        v
        for v in state.touching(ghosts)
        if (came_at := v.departed_at or v.arrived_at)
        and (
            came_at >= ghosts
            or (v.stays and (v.stays[-1].until_at or since) >= since)
            or (went_untold(v, since) and (v.left_ward_at or since) >= since)
        )
    ]


def _without_the_gone(history: VisitHistory, known: Known, calibration: Calibration, as_of_min: float) -> Visits:
    """Completed visits, those taken as gone closed; `known` counts its minutes from `as_of_min`.

    Of whom nobody said that they went to a ward, and who are not there any more, they are taken not to have gone there.
    """
    visits = completed(history)
    row = {visit: i for i, visit in enumerate(history.ids)}
    departed, stay_until = visits.departed_min.copy(), visits.stay_until_min.copy()
    last_stay = {int(v): i for i, v in enumerate(visits.stay_visit)}
    in_ward, boards = known.situation == _WARD, known.situation == _BED
    moved = list[tuple[int, int, float]]()
    for here in (in_ward, ~in_ward):
        for i in np.flatnonzero(here)[taken_as_gone(known.p_here[here])]:
            at, place = as_of_min + _left_at(known, calibration, int(i)), row.get(known.ids[i])
            if place is not None and in_ward[i]:
                stay = last_stay[place]
                stay_until[stay] = visits.stay_from_min[stay] if history.stay_untold[stay] else at
            elif place is not None:
                departed[place] = at
                if boards[i] and known.unit[i] >= 0:
                    moved.append((place, int(known.unit[i]), at))
    return _lying(replace(visits, departed_min=departed, stay_until_min=stay_until), moved)


def _lying(visits: Visits, moved: Sequence[tuple[int, int, float]]) -> Visits:
    """The visits, some boarders among them gone to the ward wanted: row, unit and since when, which nobody said."""
    if not moved:
        return visits
    row, unit, since = (np.array(column) for column in zip(*moved, strict=True))
    to = visits.to.copy()
    to[row] = _TO_WARD
    return replace(
        visits,
        to=to,
        stay_visit=np.append(visits.stay_visit, row),
        stay_unit=np.append(visits.stay_unit, unit),
        stay_from_min=np.append(visits.stay_from_min, since),
        stay_until_min=np.append(visits.stay_until_min, np.full(row.size, np.nan)),
    )


def _left_at(known: Known, calibration: Calibration, row: int) -> float:
    """When others like it had left, in the middle of them."""
    began = float(known.exit_since_min[row])
    reporting = calibration.exits[EXITS[int(known.exit[row])]]
    return began + reporting.left_after(-began, int(known.exit_group[row]), 0.5)


def _history(visits: Sequence[Visit], calibration: Calibration, minutes: Minutes, as_of_min: float) -> VisitHistory:
    hospital = calibration.hospital
    codes = {unit.name: code for code, unit in enumerate(hospital.units)}
    return history_of_visits(visits, minutes, as_of_min, hospital.acuities, codes, hospital.zone)


def _grid(since: datetime, as_of: datetime) -> Array:
    """Minutes before the present of each step from `since` on."""
    steps = (as_of - since) // _STEP + 1
    return np.asarray(np.arange(steps) * float(STEP_MIN) + Minutes(as_of).of(since), dtype=np.float64)


def _measured(visits: Visits, grid_min: Array, calibration: Calibration, counts: BedCounts) -> dict[str, Array]:
    """Every measure; beds are those that were there at each instant."""
    hospital = calibration.hospital
    beds: Mapping[str, Array] = {
        u.name: counts.at(u.name, grid_min, u.places) for u in hospital.wards if u.name in calibration.beds_known
    }
    units = {unit.name: hospital.unit_code(unit.name) for unit in hospital.wards}
    return measure(
        visits,
        grid_min,
        acuities=hospital.acuities,
        units=units,
        beds=beds,
        milestones=milestones_of(calibration),
    )
