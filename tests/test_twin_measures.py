"""Measures counted by hand on a tiny world, and against a slow count."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds import DAY, day_of_visits
from twin.history import history_of
from twin.measures import inside, mean_elapsed, measure
from twin.minutes import Minutes
from twin.state import State, fold

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
    slow = [
        np.mean([t - s for s, h in zip(start, row, strict=True) if h]) if any(row) else np.nan
        for t, row in zip(grid, holds, strict=True)
    ]
    np.testing.assert_allclose(mean_elapsed(start, end, at), slow, atol=1e-9)
