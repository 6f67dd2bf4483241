"""The settled visits that the parameters are learned from: which period, which class, block and load of each."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from twin.errors import NotEnoughError
from twin.history import SETTLED_MIN, History
from twin.hospital import Hospital
from twin.learned_durations import Cells
from twin.learned_path import Sample
from twin.measures import inside
from twin.parameters import PatientClass
from twin.state import State
from twin.story import Array, Index, Visits

Flags = npt.NDArray[np.bool_]

MINIMUM_DAYS = 7.0
"""Days of settled visits that a calibration needs."""
BLOCK_HOURS = 4
BLOCKS = 24 // BLOCK_HOURS
LOAD_LEVELS = (0.2, 0.4, 0.6, 0.8, 0.93)
"""Levels of the census that visits meet at which the next load class begins; the last sets the fullest days apart."""
LOADS = len(LOAD_LEVELS) + 1
DAY_MIN = 1440.0
ENOUGH_FOR_EDGES = 200
"""Visits that a block must have for edges of its own."""


def learning_window(history: History, window_days: int) -> tuple[float, float]:
    """From when until when visits are learned from: all of it settled, the log's first day, a part of one, left out."""
    arrived = history.visits.arrived_min
    first = float(np.nanmin(arrived)) if (~np.isnan(arrived)).any() else 0.0
    start = max(first + DAY_MIN, -window_days * DAY_MIN)
    if -SETTLED_MIN - start < MINIMUM_DAYS * DAY_MIN:
        have = max(-SETTLED_MIN - start, 0) / DAY_MIN
        raise NotEnoughError(
            f"a calibration needs {MINIMUM_DAYS:g} days of visits that are {SETTLED_MIN / 60:g} hours old or more, "
            f"but the log holds {have:.1f} before {history.minutes.origin:%Y-%m-%d %H:%M}",
            days=have,
            needed=MINIMUM_DAYS,
        )
    return start, -SETTLED_MIN


def learnable_from(state: State) -> datetime | None:
    """When a log had enough for the first time; None where nobody has come."""
    arrived = min((v.arrived_at for v in state.visits.values() if v.arrived_at), default=None)
    minutes = DAY_MIN + MINIMUM_DAYS * DAY_MIN + SETTLED_MIN
    return None if arrived is None else arrived + timedelta(minutes=minutes)


def settled_sample(
    history: History, visits: Visits, window: tuple[float, float], classes: int, recent: tuple[float, float]
) -> Sample:
    """The settled visits of the window, one row each, by class, block and load; raises TwinError without any.

    Those of the `recent` window tell which load is which, and are the ones that weigh where they are many.
    """
    settled = (visits.arrived_min >= window[0]) & (visits.arrived_min < window[1]) & ~np.isnan(visits.departed_min)
    if not settled.any():
        raise NotEnoughError(
            "a calibration needs visits with arrival and departure, but the log holds none that are settled",
            days=0.0,
            needed=MINIMUM_DAYS,
        )
    rows = np.flatnonzero(settled)
    block = history.block_hour[rows] // BLOCK_HOURS
    edges = load_edges(history, visits, recent)
    chosen = _rows(visits, rows)

    def load_at(at_min: Array) -> Index:
        return load_classes(edges, block, inside_at(visits, at_min))

    cls = class_codes(chosen.acuity, history.elderly[rows])
    cells = Cells(cls, block, load_at(chosen.arrived_min), (classes, BLOCKS, LOADS))
    return Sample(chosen, history.discharged_min[rows], history.wanted[rows], history.asked[rows], cells, load_at,
                  chosen.arrived_min >= recent[0], history.visits.departed_min[rows])  # fmt: skip


def inside_at(visits: Visits, at_min: Array) -> Array:
    """Census of the department at given minutes; 0 at NaN."""
    known = np.where(np.isnan(at_min), 0.0, at_min)
    return inside(visits.arrived_min, visits.departed_min, known)


def load_classes(edges: Array, block: Index, census: Array) -> Index:
    """The load class of each census in a block of the day."""
    return np.asarray((census[:, None] >= edges[block]).sum(axis=1), dtype=np.int64)


def _rows(visits: Visits, rows: Index) -> Visits:
    empty = np.empty(0)
    none = np.empty(0, dtype=np.int64)
    return Visits(
        visits.arrived_min[rows], visits.triaged_min[rows], visits.seen_min[rows], visits.decided_min[rows],
        visits.departed_min[rows], visits.to[rows], visits.acuity[rows], none, none, empty, empty,
    )  # fmt: skip


def patient_classes(hospital: Hospital) -> tuple[PatientClass, ...]:
    """Acuity by age, and the two ages of those whose acuity is not known."""
    labels = [(-1, "?"), *enumerate(hospital.acuities)]
    return tuple(
        PatientClass(f"{name} {band}", acuity=code, age_band="75+" if band == "75+" else None)
        for code, name in labels
        for band in ("0-74", "75+")
    )


def class_codes(acuity: Index, elderly: Flags) -> Index:
    """The index among the classes of an acuity's code (-1 where not known) and an age."""
    return 2 * (acuity + 1) + elderly.astype(np.int64)


def load_edges(history: History, visits: Visits, window: tuple[float, float]) -> Array:
    """By block levels of the census that arriving visits met, `(block, load - 1)`."""
    chosen = (visits.arrived_min >= window[0]) & (visits.arrived_min < window[1])
    census, block = inside_at(visits, visits.arrived_min[chosen]), history.block_hour[chosen] // BLOCK_HOURS
    overall = np.quantile(census, LOAD_LEVELS)
    return np.array([
        np.quantile(census[block == b], LOAD_LEVELS) if (block == b).sum() >= ENOUGH_FOR_EDGES else overall
        for b in range(BLOCKS)
    ])  # fmt: skip
