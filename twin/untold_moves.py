"""Boarders who went to a ward and of whom nobody has said so yet: where they lie."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from twin.calibrate import Calibration
from twin.drawn_rows import Rows
from twin.futures import by_duration
from twin.known import Known
from twin.present import AT_ONCE_MIN
from twin.story import Array, Index
from twin.waits import BED, WARD
from twin.walks import wards_of

Flags = npt.NDArray[np.bool_]
_WHETHER, _AWAY = 5, 6
"""Numbers that decide of a triage which boarders have behind them."""


def moved_untold(known: Known, c: Calibration, rows: Rows, here: Flags) -> tuple[Rows, Array]:
    """Boarders who left without a word lie in the ward that they went to, but for who left for another hospital.

    Marks them as here, and says when each went there, `(member, patient)`; NaN for the others.
    """
    moved = np.full(here.shape, np.nan)
    if c.path.name == "stay":
        return rows, moved
    situation, since, clock = rows.situation.copy(), rows.since_min.copy(), rows.ward_clock_min.copy()
    boards = rows.within(BED)
    gone = boards[~here.ravel()[boards]]
    away = _away_min(known, c, rows, gone)
    lies = rows.number(gone, _WHETHER) < _in_ward(c, rows, gone, away)
    there, away = gone[lies], away[lies]
    situation[there], since[there], clock[there] = WARD, -away, away
    here.ravel()[there], moved.ravel()[there] = True, -away
    return replace(rows, situation=situation, since_min=since, ward_clock_min=clock), moved


def _away_min(known: Known, c: Calibration, rows: Rows, gone: Index) -> Array:
    """How long ago boarders left of whom nobody said so."""
    patient, out = rows.patient[gone], np.full(gone.size, AT_ONCE_MIN)
    for one in np.unique(patient):
        mine, stays = np.flatnonzero(patient == one), _stays(known, c, int(one))
        if stays.size:
            drawn = stays[(rows.number(gone[mine], _AWAY) * stays.size).astype(np.int64)]
            out[mine] = np.maximum(-float(known.exit_since_min[one]) - drawn, AT_ONCE_MIN)
    return out


@lru_cache(maxsize=64)
def _stays(known: Known, c: Calibration, patient: int) -> Array:
    """How long those like a boarder had boarded who had left without a word: the same in all members."""
    boarded, group = -float(known.exit_since_min[patient]), int(known.exit_group[patient])
    return c.exits["decided"].stays_of_gone(boarded, group)


def _in_ward(c: Calibration, rows: Rows, mine: Index, away_min: Array) -> Array:
    """How likely who left a while ago lies in the ward."""
    out = np.ones(mine.size)
    cls, block = rows.cls[mine], rows.block[mine]
    for name, some in by_duration(c, "ward_stay:wanted", rows.unit[mine]):
        if name in c.parameters.durations:
            out[some] = c.parameters.durations[name].survival(away_min[some], cls[some], block[some])
    lain_in = [c.hospital.unit_code(name) for name in wards_of(c.path)]
    out[~np.isin(rows.unit[mine], lain_in)] = 0.0
    elsewhere = c.parameters.shares.get("p_elsewhere")
    return out if elsewhere is None else out * (1.0 - elsewhere[cls, block])
