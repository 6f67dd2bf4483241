"""All that a forecast is made from: the calibrated twin, and the hospital as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from forecast.values import Array
from ingest.clock import local
from twin.announced import Coming, coming
from twin.arrivals import unheard_today
from twin.calibrate import Calibration
from twin.capacities_told import told_ahead, with_beds_now
from twin.hospital import Profile
from twin.known import Known, known_at
from twin.measures import HOUR_MIN
from twin.minutes import Minutes
from twin.state import State
from twin.visit import Visit

CAME_MIN = 120.0
"""For so long it is kept when patients came."""
SILENT_MIN = 60.0
"""When nothing at all has been heard for so long, what came meanwhile is not known."""


@dataclass(frozen=True, eq=False)
class Gone:
    """Marks of the last hour of visits that are no longer here, minutes before the instant (negative)."""

    arrived_min: Array
    departed_min: Array
    to_ward_min: Array


@dataclass(frozen=True, eq=False)
class Situation:
    """The hospital as of an instant, from what was known then; a value that can be sent to another process."""

    as_of: datetime
    known: Known
    gone: Gone
    came_min: Array
    """When patients came to the department in the last two hours, rising, minutes before the instant (negative)."""
    seen_today: Mapping[str, int]
    """Arrivals since local midnight, by stream."""
    unheard_today: Mapping[str, float]
    """Arrivals since local midnight that are to be expected and not heard of yet, by stream."""
    announced: tuple[Coming, ...]
    """Those who are announced and have not come."""
    told_ahead: Mapping[str, Profile]
    """Capacities that the log tells already for times to come, by pool: minutes from the instant, and how many."""
    calibration: Calibration
    state_hash: str


def situation_of(state: State, calibration: Calibration, as_of: datetime) -> Situation:
    """The situation at an instant from the state as known then; beds are those counted by now."""
    hospital = with_beds_now(calibration.hospital, calibration.beds_known, state, as_of)
    if hospital is not calibration.hospital:
        calibration = replace(calibration, hospital=hospital)
    return Situation(
        as_of=as_of,
        known=known_at(state, calibration, as_of),
        gone=_gone(state, as_of),
        came_min=_came(state, as_of),
        seen_today={"emergency": _arrived_today(state, calibration.hospital.zone, as_of)},
        unheard_today={"emergency": _unheard(state, calibration, as_of)},
        told_ahead=told_ahead(state, calibration.hospital, calibration.beds_known, as_of),
        announced=_announced(state, calibration, as_of),
        calibration=calibration,
        state_hash=state.hash,
    )


def midnight_before(as_of: datetime, zone: str) -> datetime:
    """The last local midnight."""
    here = local(as_of, zone)
    return here.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(as_of.tzinfo)


def _arrived_today(state: State, zone: str, as_of: datetime) -> int:
    midnight = midnight_before(as_of, zone)
    came = (v.arrived_at for v in state.touching(midnight) if v.arrived_at is not None)
    return sum(midnight <= at <= as_of for at in came)


def _unheard(state: State, c: Calibration, as_of: datetime) -> float:
    last = state.latest_at or as_of
    silent_min = (as_of - last) / timedelta(minutes=1)
    silent_min = silent_min if silent_min > SILENT_MIN else 0.0
    return unheard_today(c.parameters.streams[0], as_of, c.hospital.zone, c.arrivals_told_after_min, silent_min)


def _announced(state: State, calibration: Calibration, as_of: datetime) -> tuple[Coming, ...]:
    streams = enumerate(calibration.parameters.streams)
    name_of = {stream.unit: code for code, stream in streams if not stream.name.startswith("request:")}
    units = enumerate(calibration.hospital.units)
    wards = {unit.name: name_of[code] for code, unit in units if code in name_of}
    fits = _Fits(calibration)
    return tuple(coming(state, calibration.announced, wards, as_of, calibration.hospital.zone, fits))


class _Fits:
    """Of which classes a patient may be of whom an acuity, an age, or neither is told, `(class,)`."""

    def __init__(self, calibration: Calibration) -> None:
        classes = calibration.parameters.classes
        self._code = {name: code for code, name in enumerate(calibration.hospital.acuities)}
        self._acuity = np.array([one.acuity for one in classes])
        self._band = np.array([one.age_band or "" for one in classes])

    def __call__(self, visit: Visit) -> npt.NDArray[np.bool_]:
        out = np.ones(self._acuity.size, dtype=bool)
        if visit.acuity in self._code:
            out &= self._acuity == self._code[visit.acuity]
        if visit.age_band is not None:
            out &= self._band == (visit.age_band if visit.age_band in self._band else "")
        return out


def _came(state: State, as_of: datetime) -> Array:
    first_at = as_of - timedelta(minutes=CAME_MIN)
    came = [v.arrived_at for v in state.touching(first_at) if v.arrived_at and first_at < v.arrived_at <= as_of]
    return np.sort(Minutes(as_of).of_many(came))


def _gone(state: State, as_of: datetime) -> Gone:
    hour_ago = as_of - timedelta(minutes=HOUR_MIN)
    minutes = Minutes(as_of)
    recent = [
        v for v in state.touching(hour_ago) if v.arrived_at and v.departed_at and hour_ago < v.departed_at <= as_of
    ]
    return Gone(
        arrived_min=np.sort(
            minutes.of_many([v.arrived_at for v in recent if v.arrived_at and v.arrived_at > hour_ago])
        ),
        departed_min=np.sort(minutes.of_many([v.departed_at for v in recent])),
        to_ward_min=np.sort(minutes.of_many([v.departed_at for v in recent if v.to == "ward"])),
    )
