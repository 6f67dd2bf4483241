"""All that a forecast is made from: the calibrated twin, and the hospital as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from forecast.values import Array
from ingest.clock import local
from twin.announced import Coming, coming
from twin.calibrate import Calibration
from twin.known import Known, known_at
from twin.measures import HOUR_MIN
from twin.minutes import Minutes
from twin.state import State


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
    seen_today: Mapping[str, int]
    """Arrivals since local midnight, by stream."""
    announced: tuple[Coming, ...]
    """Those who are announced and have not come."""
    calibration: Calibration
    state_hash: str


def situation_of(state: State, calibration: Calibration, as_of: datetime) -> Situation:
    """The situation at an instant from the state as known then."""
    return Situation(
        as_of=as_of,
        known=known_at(state, calibration, as_of),
        gone=_gone(state, as_of),
        seen_today={"emergency": _arrived_today(state, calibration.hospital.zone, as_of)},
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
    return sum(1 for v in state.visits.values() if v.arrived_at is not None and midnight <= v.arrived_at <= as_of)


def _announced(state: State, calibration: Calibration, as_of: datetime) -> tuple[Coming, ...]:
    name_of = {stream.unit: code for code, stream in enumerate(calibration.parameters.streams)}
    units = enumerate(calibration.hospital.units)
    wards = {unit.name: name_of[code] for code, unit in units if code in name_of}
    return tuple(coming(state, calibration.announced, wards, as_of))


def _gone(state: State, as_of: datetime) -> Gone:
    hour_ago = as_of - timedelta(minutes=HOUR_MIN)
    left = [v for v in state.visits.values() if v.arrived_at and v.departed_at and v.departed_at <= as_of]
    minutes = Minutes(as_of)
    recent = [v for v in left if v.departed_at and v.departed_at > hour_ago]
    return Gone(
        arrived_min=minutes.of_many([v.arrived_at for v in recent if v.arrived_at and v.arrived_at > hour_ago]),
        departed_min=minutes.of_many([v.departed_at for v in recent]),
        to_ward_min=np.sort(minutes.of_many([v.departed_at for v in recent if v.to == "ward"])),
    )
