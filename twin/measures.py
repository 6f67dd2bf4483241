"""What we count, from real or simulated visits alike.

A census is the number of visits inside an interval [from, until) at each instant; a flow is the number of marks in
the hour before it; a wait is the mean elapsed wait, in minutes, of those who wait at that instant (NaN where nobody
does: a wait that is over would be censored by its own length). Definitions after the ED benchmarking marks
(Ann Emerg Med 2011, "Operational Metrics, Measures and Definitions"): waiting is from arrival to first contact,
boarding from the decision to admit to the departure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from twin.story import DESTINATIONS, Index, Visits

Array = npt.NDArray[np.float64]

HOUR_MIN = 60.0
_TO_WARD = DESTINATIONS.index("ward")


def measure(
    visits: Visits,
    grid_min: Array,
    *,
    acuities: Sequence[str] = (),
    units: Mapping[str, int] | None = None,
    beds: Mapping[str, Array] | None = None,
    milestones: frozenset[str] = frozenset({"SeenByProvider", "DecidedToAdmit"}),
) -> dict[str, Array]:
    """Every measure at each instant of the grid, `(grid,)`, by its stable name.

    `units` are the wards to count, by name and code; `beds` gives their beds at each instant. Measures that need a
    milestone outside `milestones` are left out, not set to zero.
    """
    counts = _Counts(grid_min)
    out = _flows(visits, counts)
    out |= _department(visits, counts, acuities, milestones)
    out |= _wards(visits, counts, units or {}, beds or {})
    return out


def inside(start: Array, end: Array, grid_min: Array) -> Array:
    """How many of the intervals [start, end) hold each instant; a NaN start never began, a NaN end is open."""
    begun = ~np.isnan(start)
    finish = np.where(np.isnan(end), np.inf, np.maximum(end, start))[begun]
    return _up_to(start[begun], grid_min) - _up_to(finish, grid_min)


def in_the_hour_before(at: Array, grid_min: Array) -> Array:
    """How many instants lie in (t - 60 min, t], for each t of the grid; NaN ones never came."""
    came = at[~np.isnan(at)]
    return _up_to(came, grid_min) - _up_to(came, grid_min - HOUR_MIN)


def waiting_until(visits: Visits) -> Array:
    """When each visit stopped waiting for a practitioner: first contact or departure; NaN while it waits."""
    return np.fmin(visits.seen_min, visits.departed_min)


class _Counts:
    """Counts at each instant of a grid, of several groups at once: `(group, grid)`."""

    def __init__(self, grid_min: Array) -> None:
        self.grid_min = grid_min
        self._order = np.argsort(grid_min, kind="stable")
        self._sorted = grid_min[self._order]

    def up_to(self, at: Array, group: Index, groups: int, *, later: float = 0.0, weight: Array | None = None) -> Array:
        """How many of a group, or the sum of their weights, lie at or before each instant less `later`; NaN never."""
        width, ever = self._sorted.size + 1, np.flatnonzero(at < np.inf)
        place = np.searchsorted(self._sorted - later if later else self._sorted, at[ever], side="left")
        weights = None if weight is None else weight[ever]
        cells = np.bincount(group[ever] * width + place, weights, groups * width).reshape(groups, width)
        out = np.empty((groups, width - 1))
        out[:, self._order] = np.cumsum(cells[:, :-1], axis=1)
        return out

    def inside(self, start: Array, end: Array, group: Index, groups: int) -> Array:
        """How many intervals [start, end) of a group hold each instant; as `inside` for one."""
        return self.up_to(start, group, groups) - self.up_to(_finish(start, end), group, groups)


def _finish(start: Array, end: Array) -> Array:
    """An interval never ends before it begins; NaN where it is open or never began."""
    return np.maximum(start, end)


def _flows(visits: Visits, counts: _Counts) -> dict[str, Array]:
    to_ward = np.where(visits.to == _TO_WARD, visits.departed_min, np.nan)
    at = np.concatenate([visits.arrived_min, visits.departed_min, to_ward])
    group = np.repeat(np.arange(3), visits.to.size)
    hour = counts.up_to(at, group, 3) - counts.up_to(at, group, 3, later=HOUR_MIN)
    return dict(zip(("ed_arrivals", "ed_departures", "admissions"), hour, strict=True))


def _department(
    visits: Visits, counts: _Counts, acuities: Sequence[str], milestones: frozenset[str]
) -> dict[str, Array]:
    """Those present, those who board, and those who wait, by acuity; groups in this order."""
    n, until = visits.to.size, waiting_until(visits)
    waits = np.where(visits.acuity < len(acuities), visits.acuity, -1) + 3
    group, groups = np.concatenate([np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.int64), waits]), 3 + len(acuities)
    start = np.concatenate([visits.arrived_min, visits.decided_min, visits.arrived_min])
    end = np.concatenate([visits.departed_min, visits.departed_min, until])
    held = counts.inside(start, end, group, groups)
    out = {"ed_census": held[0]}
    if "SeenByProvider" in milestones:
        out["ed_waiting"] = held[2:].sum(axis=0)
        out |= _elapsed(visits.arrived_min, until, waits - 2, held[2:], counts, acuities)
    if "DecidedToAdmit" in milestones:
        out["ed_boarders"] = held[1]
    return out


def _elapsed(
    start: Array, until: Array, group: Index, waiting: Array, counts: _Counts, acuities: Sequence[str]
) -> dict[str, Array]:
    """Mean of t - start over the intervals that hold t, by acuity; NaN where none does."""
    begun = counts.up_to(start, group, len(waiting), weight=start)
    total = begun - counts.up_to(_finish(start, until), group, len(waiting), weight=start)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(waiting > 0, counts.grid_min - total / waiting, np.nan)
    return {f"wait_min:{acuity}": mean[code + 1] for code, acuity in enumerate(acuities)}


def _wards(visits: Visits, counts: _Counts, units: Mapping[str, int], beds: Mapping[str, Array]) -> dict[str, Array]:
    """People in each ward, and its free beds where it is known how many it has.

    Stays elsewhere are counted apart: those in units without a code, NOWHERE, have the last place of the table.
    """
    if not units:
        return {}
    codes = np.array(list(units.values()))
    group_of = np.full(max(codes.max(), visits.stay_unit.max(initial=0)) + 2, len(codes), dtype=np.int64)
    group_of[codes] = np.arange(len(codes))
    inside_by = counts.inside(visits.stay_from_min, visits.stay_until_min, group_of[visits.stay_unit], len(codes) + 1)
    out = {}
    for name, census in zip(units, inside_by, strict=False):
        out[f"census:{name}"] = census
        if name in beds:
            out[f"beds_free:{name}"] = beds[name] - census
    return out


def _up_to(at: Array, grid_min: Array) -> Array:
    return np.searchsorted(np.sort(at), grid_min, side="right").astype(np.float64)
