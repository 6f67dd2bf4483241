"""Who is here as far as the log tells: those without a recorded exit, and how likely each has not left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from ingest.clock import local
from ingest.events import RANK, VisitId
from twin.calibrate import Calibration
from twin.minutes import Minutes
from twin.reporting import EXITS
from twin.settled import BLOCK_HOURS
from twin.state import State
from twin.story import NOWHERE, Array, Index
from twin.visit import Visit

Flags = npt.NDArray[np.bool_]
Mark = tuple[float, int, int, int, int]

FORGET_AFTER_MIN = 72 * 60.0
"""A visit to the department this old without an exit is a ghost and not looked at."""
SITUATIONS: tuple[str, ...] = ("triage", "provider", "decision", "departure", "bed", "ward")
TRIAGE, PROVIDER, DECISION, DEPARTURE, BED, WARD = range(len(SITUATIONS))
_UNSEEN, _IN_CARE, _DECIDED, _IN_WARD = range(len(EXITS))
_EXIT_SINCE: tuple[Callable[[Visit], datetime | None], ...] = (
    lambda v: v.arrived_at, lambda v: v.seen_at, lambda v: v.decided_at,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Known:
    """Those without a recorded exit at an instant, one row each `(patient,)`, minutes from it (negative: before)."""

    ids: tuple[VisitId, ...]
    situation: Index
    since_min: Array
    """The last milestone on record."""
    arrived_min: Array
    """NaN for those who came straight to a ward."""
    acuity: Index
    elderly: Flags
    block: Index
    unit: Index
    """Ward wanted, or the ward they are in; -1 where not known."""
    exit: Index
    """How its exit is told: a place in `EXITS`, since when it counts there, and the group it belongs to."""
    exit_since_min: Array
    exit_group: Index
    p_here: Array
    marks: tuple[tuple[Mark, ...], ...]
    """What happened to each, as in `Story.of`."""

    @property
    def count(self) -> int:
        """Rows."""
        return int(self.situation.size)


def known_at(state: State, calibration: Calibration, as_of: datetime) -> Known:
    """Who is here as far as the log tells at an instant.

    Patients of a ward that the calibration does not know yet are left out until it does.
    """
    wards = {u.name: code for code, u in enumerate(calibration.hospital.units) if u.ward}
    acuities = {name: code for code, name in enumerate(calibration.hospital.acuities)}
    oldest_at = as_of - timedelta(minutes=FORGET_AFTER_MIN)
    visits = [v for v in state.present(as_of) if (v.arrived_at or as_of) > oldest_at]
    inpatients = [v for v in state.inpatients(as_of) if v.stays[-1].unit in wards]
    rows = [*visits, *inpatients]
    minutes = Minutes(as_of)
    situation = np.array([SITUATIONS.index(v.waits_for) for v in visits] + [WARD] * len(inpatients), dtype=np.int64)
    starts = [v.arrived_at for v in visits] + [v.stays[-1].from_at for v in inpatients]
    came = [v.arrived_at for v in visits] + [_came_at(v) for v in inpatients]
    wanted = [v.unit_wanted for v in visits] + [v.stays[-1].unit for v in inpatients]
    acuity = np.array([acuities.get(v.acuity or "", NOWHERE) for v in rows], dtype=np.int64)
    unit = np.array([wards.get(name or "", NOWHERE) for name in wanted], dtype=np.int64)
    told = np.array([_exit(v) for v in visits] + [_IN_WARD] * len(inpatients), dtype=np.int64)
    told_since = minutes.of_many([_EXIT_SINCE[_exit(v)](v) for v in visits] + starts[len(visits) :])
    group = np.where(situation == WARD, unit, acuity + 1)
    return Known(
        ids=tuple(v.visit for v in rows),
        situation=situation,
        since_min=minutes.of_many([v.since_at for v in visits] + starts[len(visits) :]),
        arrived_min=minutes.of_many(starts[: len(visits)] + [None] * len(inpatients)),
        acuity=acuity,
        elderly=np.array([v.age_band == "75+" for v in rows], dtype=bool),
        block=_blocks([at or as_of for at in came], calibration.hospital.zone),
        unit=unit,
        exit=told,
        exit_since_min=told_since,
        exit_group=group,
        p_here=_within_beds(_p_here(calibration, told, told_since, group), unit, situation == WARD, calibration),
        marks=tuple(map(_marks, range(len(rows)), rows, situation.tolist(), [minutes] * len(rows), unit.tolist())),
    )


def _blocks(instants: Sequence[datetime], zone: str) -> Index:
    return np.array([local(at, zone).hour // BLOCK_HOURS for at in instants], dtype=np.int64)


def _exit(visit: Visit) -> int:
    return _DECIDED if visit.decided_at else _IN_CARE if visit.seen_at else _UNSEEN


def _marks(row: int, visit: Visit, situation: int, minutes: Minutes, unit: int) -> tuple[Mark, ...]:
    if situation == WARD:
        return ((minutes.of(visit.stays[-1].from_at), RANK["EnteredWard"], row, unit, NOWHERE),)
    seen_at = visit.seen_at or visit.decided_at or visit.discharged_at  # who is decided was seen, recorded or not
    told = (
        ("Arrived", visit.arrived_at), ("Triaged", visit.triaged_at),
        ("SeenByProvider", seen_at), ("DecidedToAdmit", visit.decided_at),
    )  # fmt: skip
    return tuple((minutes.of(at), RANK[kind], row, NOWHERE, NOWHERE) for kind, at in told if at is not None)


def _p_here(c: Calibration, told: Index, since: Array, group: Index) -> Array:
    out = np.ones(told.size)
    for code, name in enumerate(EXITS):
        rows = np.flatnonzero(told == code)
        out[rows] = c.exits[name].p_here(-since[rows], group[rows])
    return out


def _came_at(inpatient: Visit) -> datetime:
    """When the block of a stay in a ward is taken: the arrival of those who came from the department."""
    first_ward = sum(stay.ward for stay in inpatient.stays) == 1
    return inpatient.arrived_at if inpatient.arrived_at and first_ward else inpatient.stays[-1].from_at


def _within_beds(p_here: Array, unit: Index, in_ward: Flags, c: Calibration) -> Array:
    """The probabilities with the odds of a ward's patients lowered until no more are expected than it has beds.

    A ward full beyond its beds is more likely a ward whose exits were not told.
    """
    out = p_here.copy()
    for code, ward in enumerate(c.hospital.units):
        mine = in_ward & (unit == code)
        if ward.name in c.beds_known and out[mine].sum() > ward.places:
            out[mine] = _lowered(out[mine], float(ward.places))
    return out


def _lowered(p: Array, total: float) -> Array:
    """The odds times the one factor with which they sum to the total; a certainty is taken as 999 in 1,000."""
    odds = np.minimum(p, 0.999) / (1.0 - np.minimum(p, 0.999))
    low, high = 0.0, 1.0
    for _ in range(40):
        factor = (low + high) / 2
        low, high = (factor, high) if (factor * odds / (1 + factor * odds)).sum() < total else (low, factor)
    return np.asarray(low * odds / (1 + low * odds))
