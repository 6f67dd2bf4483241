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

from twin.story import DESTINATIONS, Visits

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
    out = _flows(visits, grid_min)
    out["ed_census"] = inside(visits.arrived_min, visits.departed_min, grid_min)
    if "SeenByProvider" in milestones:
        out |= _waits(visits, grid_min, acuities)
    if "DecidedToAdmit" in milestones:
        out["ed_boarders"] = inside(visits.decided_min, visits.departed_min, grid_min)
    for name, code in (units or {}).items():
        out |= _ward(visits, name, code, grid_min, (beds or {}).get(name))
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


def mean_elapsed(start: Array, end: Array, grid_min: Array) -> Array:
    """Mean of t - start over the intervals that hold t; NaN where none does."""
    begun = ~np.isnan(start)
    finish = np.where(np.isnan(end), np.inf, np.maximum(end, start))
    count = inside(start, end, grid_min)
    total = _sum_up_to(start[begun], start[begun], grid_min) - _sum_up_to(finish[begun], start[begun], grid_min)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, grid_min - total / count, np.nan)


def _flows(visits: Visits, grid_min: Array) -> dict[str, Array]:
    to_ward = np.where(visits.to == _TO_WARD, visits.departed_min, np.nan)
    return {
        "ed_arrivals": in_the_hour_before(visits.arrived_min, grid_min),
        "ed_departures": in_the_hour_before(visits.departed_min, grid_min),
        "admissions": in_the_hour_before(to_ward, grid_min),
    }


def _waits(visits: Visits, grid_min: Array, acuities: Sequence[str]) -> dict[str, Array]:
    until = waiting_until(visits)
    out = {"ed_waiting": inside(visits.arrived_min, until, grid_min)}
    for code, acuity in enumerate(acuities):
        of_acuity = np.where(visits.acuity == code, visits.arrived_min, np.nan)
        out[f"wait_min:{acuity}"] = mean_elapsed(of_acuity, until, grid_min)
    return out


def _ward(visits: Visits, name: str, code: int, grid_min: Array, beds: Array | None) -> dict[str, Array]:
    mine = visits.stay_unit == code
    census = inside(visits.stay_from_min[mine], visits.stay_until_min[mine], grid_min)
    out = {f"census:{name}": census}
    if beds is not None:
        out[f"beds_free:{name}"] = beds - census
    return out


def _up_to(at: Array, grid_min: Array) -> Array:
    return np.searchsorted(np.sort(at), grid_min, side="right").astype(np.float64)


def _sum_up_to(at: Array, weight: Array, grid_min: Array) -> Array:
    order = np.argsort(at)
    running = np.concatenate([[0.0], np.cumsum(weight[order])])
    return running[np.searchsorted(at[order], grid_min, side="right")]
