"""Measures counted by hand on a tiny world, and against a slow count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds import DAY, day_of_visits
from twin.history import history_of
from twin.measures import in_the_hour_before, inside, measure
from twin.minutes import Minutes
from twin.state import State, fold
from twin.story import DESTINATIONS, Array, Visits

ACUITIES = ("1", "2", "3A", "3B", "4", "5")
UNITS = {"medicine": 0}


def counted(hours: list[float]) -> dict[str, list[float]]:
    history = history_of(fold(State(), day_of_visits()), Minutes(DAY), 24 * 60.0, ACUITIES, UNITS)
    grid = np.array(hours) * 60.0
    beds = {"medicine": np.full(grid.size, 10.0)}
    out = measure(history.visits, grid, acuities=ACUITIES, units=UNITS, beds=beds)
    return {name: values.tolist() for name, values in out.items()}


def test_a_day_counted_by_hand() -> None:
    at_8_15, at_9_40, at_10_45, at_12 = 8.25, 9 + 2 / 3, 10.75, 12.0
    out = counted([at_8_15, at_9_40, at_10_45, at_12])
    assert out["ed_census"] == [1, 3, 4, 1]
    assert out["ed_waiting"] == [1, 2, 2, 1]
    assert out["ed_boarders"] == [0, 0, 1, 0]
    assert out["ed_arrivals"] == [1, 2, 1, 0]
    assert out["ed_departures"] == [0, 0, 0, 2]
    assert out["admissions"] == [0, 0, 0, 1]
    assert out["census:medicine"] == [0, 0, 0, 1]
    assert out["beds_free:medicine"] == [10, 10, 10, 9]
    np.testing.assert_allclose(out["wait_min:4"], [np.nan, 40, 5, 80])
    np.testing.assert_allclose(out["wait_min:2"], [15, np.nan, np.nan, np.nan])


def test_a_measure_whose_milestone_the_log_lacks_is_absent_not_zero() -> None:
    history = history_of(fold(State(), day_of_visits()), Minutes(DAY), 1440.0, ACUITIES, UNITS)
    out = measure(history.visits, np.array([600.0]), milestones=frozenset())
    assert {"ed_waiting", "ed_boarders"}.isdisjoint(out)


def test_an_interval_holds_its_start_and_not_its_end() -> None:
    assert inside(np.array([10.0]), np.array([20.0]), np.array([9.9, 10.0, 19.9, 20.0])).tolist() == [0, 1, 1, 0]


def test_who_is_in_a_unit_without_a_code_is_in_no_ward() -> None:
    """Taken by the table's last place, the mutant, they would lie in the ward with the highest code."""
    history = history_of(fold(State(), day_of_visits()), Minutes(DAY), 1440.0, ACUITIES, UNITS)
    nowhere = replace(history.visits, stay_unit=np.full(history.visits.stay_unit.size, -1))
    out = measure(nowhere, np.arange(0.0, 1440.0, 60.0), acuities=ACUITIES, units={"surgery": 1, "medicine": 3})
    assert not out["census:medicine"].any()
    assert not out["census:surgery"].any()


minute = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 1))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(minute, st.one_of(minute, st.just(float("nan")))), max_size=12),
    st.lists(minute, min_size=1, max_size=5),
)
def test_counts_equal_a_slow_count(intervals: list[tuple[float, float]], grid: list[float]) -> None:
    start = np.array([s for s, _ in intervals])
    end = np.array([np.nan if np.isnan(e) else max(s, e) for s, e in intervals])
    at = np.array(grid)
    holds = [[s <= t and (np.isnan(e) or t < e) for s, e in zip(start, end, strict=True)] for t in grid]
    assert inside(start, end, at).tolist() == [sum(row) for row in holds]


GRID = np.array([0.0, 55.0, 10.0, -5.0, 90.0])


def random_visits(seed: int, n: int = 40) -> Visits:
    """Any milestones, some of them missing; acuities and units, some of them not known or not counted."""
    dice = np.random.default_rng(seed)

    def some(share: float) -> Array:
        return np.where(dice.random(n) < share, np.round(dice.uniform(-60, 100, n)), np.nan)

    arrived = some(0.8)
    return Visits(
        arrived_min=arrived, triaged_min=some(0.5), seen_min=some(0.5), decided_min=some(0.4), departed_min=some(0.5),
        to=dice.integers(-1, 3, n), acuity=dice.integers(-1, 4, n), stay_visit=np.arange(n),
        stay_unit=dice.integers(0, 4, n), stay_from_min=some(0.9), stay_until_min=some(0.5),
    )  # fmt: skip


def one_by_one(v: Visits, acuities: tuple[str, ...], units: dict[str, int]) -> dict[str, Array]:
    """The same measures, each counted on its own."""
    until = np.fmin(v.seen_min, v.departed_min)
    out = {
        "ed_census": inside(v.arrived_min, v.departed_min, GRID),
        "ed_boarders": inside(v.decided_min, v.departed_min, GRID),
        "ed_waiting": inside(v.arrived_min, until, GRID),
        "ed_arrivals": in_the_hour_before(v.arrived_min, GRID),
        "ed_departures": in_the_hour_before(v.departed_min, GRID),
        "admissions": in_the_hour_before(v.departed_min[v.to == DESTINATIONS.index("ward")], GRID),
    }
    for code, name in enumerate(acuities):
        waits = (v.acuity == code)[:, None] & (v.arrived_min[:, None] <= GRID) & ~(until[:, None] <= GRID)
        elapsed = np.where(waits, GRID - v.arrived_min[:, None], 0.0).sum(axis=0)
        some = waits.any(axis=0)
        out[f"wait_min:{name}"] = np.where(some, elapsed / np.maximum(waits.sum(axis=0), 1), np.nan)
    for name, unit in units.items():
        mine = v.stay_unit == unit
        out[f"census:{name}"] = inside(v.stay_from_min[mine], v.stay_until_min[mine], GRID)
    return out


def as_counted(seed: int, *, spoil: float = 0.0) -> bool:
    visits, acuities, units = random_visits(seed), ("1", "2", "3"), {"b": 2, "a": 0}
    slow = one_by_one(visits, acuities, units)
    spoilt = replace(visits, acuity=np.where(visits.acuity == 1, visits.acuity + int(spoil), visits.acuity))
    fast = measure(spoilt, GRID, acuities=acuities, units=units)
    assert set(fast) == set(slow)
    return all(np.allclose(fast[name], slow[name], atol=1e-9, rtol=0, equal_nan=True) for name in slow)


def test_what_is_counted_at_once_is_what_is_counted_one_by_one() -> None:
    assert all(as_counted(seed) for seed in range(40))
    assert not all(as_counted(seed, spoil=1) for seed in range(40)), "a wait of another acuity is seen"
