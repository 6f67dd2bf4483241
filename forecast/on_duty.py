"""Who is on duty by the roster, of the staff that the twin of this house knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.clock import local
from twin.calibrate import Calibration


@dataclass(frozen=True)
class OnDuty:
    """A pool of staff: its names, and how many there are by the roster at each of the instants asked for."""

    fr: str
    en: str
    counts: tuple[int, ...]


def on_duty(calibration: Calibration | None, instants: Sequence[datetime]) -> tuple[OnDuty, ...]:
    """Staff whose number counts in this house's path, in its roster's order; none before anything was learned."""
    if calibration is None:
        return ()
    hospital, path = calibration.hospital, calibration.path
    times = [local(at, hospital.zone) for at in instants]
    known = (p for p in hospital.rosters if p.profession is not None and p.told and p.name in path.pools)
    return tuple(OnDuty(pool.fr, pool.en, tuple(pool.at(time) for time in times)) for pool in known)
