"""What was: measures on a grid of 15 minutes, as known at an instant.

`truth` is for judging, from what was known long enough after; `Past` is for forecasting and follows the state along.
Both complete visits by the one rule of `twin/history.py`. Where exits are still to be told, as many visits are taken to
have left as are expected to by how exits are told, the least likely to be here first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from forecast.baselines import STEP_MIN, WINDOW_DAYS, History
from forecast.ensemble import MILESTONES
from forecast.values import Array
from twin.calibrate import Calibration
from twin.history import History as VisitHistory
from twin.history import completed, history_of
from twin.measures import measure
from twin.minutes import Minutes
from twin.present_draw import SITUATIONS, Known
from twin.present_draw import known_at as known_at_instant
from twin.reporting import Reporting, taken_as_gone
from twin.state import State
from twin.story import Visits

RENEWED_DAYS = 3
"""Days back over which exits are still told; what is older is settled and not counted again."""
VINTAGE = timedelta(days=7)
"""How long after an instant the truth about it is taken."""
_STEP = timedelta(minutes=STEP_MIN)
_WARD, _BED = SITUATIONS.index("ward"), SITUATIONS.index("bed")


def truth(
    state: State, calibration: Calibration, first_at: datetime, last_at: datetime, known_at: datetime
) -> dict[str, Array]:
    """Every measure on the grid from `first_at` to `last_at`, `(time,)`, from what was known at `known_at`."""
    minutes = Minutes(first_at)
    known = known_at_instant(state, calibration, known_at)
    history = _history(_touching(state, first_at), calibration, minutes, minutes.of(known_at))
    visits = _without_the_gone(history, known, calibration, minutes.of(known_at))
    return _measured(visits, _grid(first_at, last_at), calibration)


class Past:
    """Measures up to a moving present, as they were known on the way; the latest days are counted anew each time."""

    def __init__(self, first_at: datetime) -> None:
        self._first_at = first_at
        self._measures: dict[str, Array] = {}

    def at(self, state: State, known: Known, calibration: Calibration, as_of: datetime) -> History:
        """The history up to the present for the baselines, NaN where nothing was counted."""
        size = int((as_of - self._first_at) / _STEP) + 1
        counted = min((values.size for values in self._measures.values()), default=0)
        settled = max(0, min(counted, size) - RENEWED_DAYS * 24 * 60 // STEP_MIN)
        recent = _presumed(state, known, calibration, self._first_at + settled * _STEP, as_of)
        unknown = np.full(settled, np.nan)
        self._measures = {
            name: np.concatenate([self._measures.get(name, unknown)[:settled], values])
            for name, values in recent.items()
        }
        return History(self._first_at, self._measures, calibration.hospital.zone, size - 1)


def grid_start(as_of: datetime, days: float = WINDOW_DAYS) -> datetime:
    """A whole quarter of an hour so many days before an instant, in step with it."""
    return as_of - timedelta(minutes=STEP_MIN * int(days * 24 * 60 / STEP_MIN))


def _presumed(
    state: State, known: Known, calibration: Calibration, since: datetime, as_of: datetime
) -> dict[str, Array]:
    minutes = Minutes(as_of)
    history = _history(_touching(state, since), calibration, minutes, 0.0)
    return _measured(
        _without_the_gone(history, known, calibration, 0.0), _grid(since, as_of, origin=as_of), calibration
    )


def _touching(state: State, since: datetime) -> State:
    """The state with the visits only that may have been here from an instant on."""
    ghosts = since - timedelta(days=3)
    kept = {
        key: v
        for key, v in state.visits.items()
        if (v.departed_at or v.arrived_at or since) >= ghosts or (v.stays and (v.stays[-1].until_at or since) >= since)
    }
    return replace(state, visits=kept)


def _without_the_gone(history: VisitHistory, known: Known, calibration: Calibration, as_of_min: float) -> Visits:
    """Completed visits, those taken as gone closed; `known` counts its minutes from `as_of_min`."""
    visits = completed(history)
    row = {visit: i for i, visit in enumerate(history.ids)}
    departed, stay_until = visits.departed_min.copy(), visits.stay_until_min.copy()
    last_stay = {int(v): i for i, v in enumerate(visits.stay_visit)}
    in_ward = known.situation == _WARD
    for here in (in_ward, ~in_ward):
        for i in np.flatnonzero(here)[taken_as_gone(known.p_here[here])]:
            at, place = as_of_min + _left_at(known, calibration, int(i)), row.get(known.ids[i])
            if place is not None and in_ward[i]:
                stay_until[last_stay[place]] = at
            elif place is not None:
                departed[place] = at
    return replace(visits, departed_min=departed, stay_until_min=stay_until)


def _left_at(known: Known, calibration: Calibration, row: int) -> float:
    """When others like it had left, in the middle of them."""
    reporting, began, group = _told_by(known, calibration, row, int(known.situation[row]))
    return began + reporting.left_after(-began, group, 0.5)


def _told_by(known: Known, c: Calibration, row: int, situation: int) -> tuple[Reporting, float, int]:
    if situation == _WARD:
        return c.wards, float(known.since_min[row]), int(known.unit[row])
    if situation == _BED:
        return c.decided, float(known.since_min[row]), int(known.acuity[row]) + 1
    return c.undecided, float(known.arrived_min[row]), int(known.acuity[row]) + 1


def _history(state: State, calibration: Calibration, minutes: Minutes, as_of_min: float) -> VisitHistory:
    hospital = calibration.hospital
    codes = {unit.name: code for code, unit in enumerate(hospital.units)}
    return history_of(state, minutes, as_of_min, hospital.acuities, codes, hospital.zone)


def _grid(first_at: datetime, last_at: datetime, *, origin: datetime | None = None) -> Array:
    steps = int((last_at - first_at) / _STEP) + 1
    return np.asarray(np.arange(steps) * float(STEP_MIN) + Minutes(origin or first_at).of(first_at), dtype=np.float64)


def _measured(visits: Visits, grid_min: Array, calibration: Calibration) -> dict[str, Array]:
    hospital = calibration.hospital
    beds: Mapping[str, Array] = {
        u.name: np.full(grid_min.size, float(u.places)) for u in hospital.wards if u.name in calibration.beds_known
    }
    units = {unit.name: hospital.unit_code(unit.name) for unit in hospital.wards}
    return measure(
        visits,
        grid_min,
        acuities=hospital.acuities,
        units=units,
        beds=beds,
        milestones=MILESTONES[calibration.path.name],
    )
