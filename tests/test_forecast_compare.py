"""Comparison: paired effects with their intervals, and the set from which nobody can say what is simply worse."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forecast.compare import (
    Comparison,
    as_json,
    comparison,
    dominates,
    effect,
    non_dominated,
    outcomes_by_stage,
)
from forecast.ensemble import Run
from forecast.outcome_runs import Outcomes, Wanted
from forecast.points_of_view import Criterion, points_of_view
from forecast.values import Array
from tests.histories import scenarios, situation

LESS = Criterion("boarding_h", "a", "a", "h", "less")
MORE = Criterion("beds_free_least", "b", "b", "h", "more")
NAMES = ("as_usual", "one_more_doctor", "ten_beds_closed", "arrivals_up_20")
HOW = Run(members=60, seed=7)


@cache
def by_stage() -> list[dict[str, Outcomes]]:
    return list(outcomes_by_stage(situation(), scenarios(*NAMES), HOW, Wanted(spaces=58), stages=(25, 50)))


@cache
def compared() -> Comparison:
    found = by_stage()[-1]
    names = ("wait_p90_min", "boarding_h", "ed_peak", "staff_over_h", "effort_staff_h")
    return comparison(found, points_of_view().chosen(names, list(found["as_usual"]), {}))


# --- effects


def test_an_effect_by_hand() -> None:
    found = effect(np.array([1.0, 2.0, 3.0, np.nan]), np.array([0.0, 2.0, 1.0, 5.0]), LESS)
    assert (found.value, found.mean, found.n) == (1.0, -1.0, 3)
    assert found.ci95 == pytest.approx((-1 - 1.959964 / 3**0.5, -1 + 1.959964 / 3**0.5))
    assert (found.p_better, found.p_same) == (2 / 3, 1 / 3)
    assert effect(np.array([1.0, 2.0]), np.array([2.0, 4.0]), MORE).p_better == 1.0
    assert not found.sure
    assert effect(np.zeros(4), np.full(4, 2.0), LESS).sure


def test_without_a_member_that_has_both_nothing_is_said() -> None:
    found = effect(np.array([np.nan, 1.0]), np.array([1.0, np.nan]), LESS)
    assert found.n == 0
    assert np.isnan(found.mean)
    assert not found.sure
    assert as_json(comparison({"a": {"boarding_h": np.array([np.nan])}}, [LESS]))["members"] == 1


def test_the_interval_holds_the_true_mean_as_often_as_it_says() -> None:
    dice = np.random.default_rng(4)
    held = [
        found.ci95[0] <= 0.5 <= found.ci95[1]
        for found in (effect(np.zeros(200), dice.normal(0.5, 2.0, 200), LESS) for _ in range(2000))
    ]
    assert 0.935 < np.mean(held) < 0.965


# --- the non-dominated set, against one pair at a time

COSTS = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.integers(0, 4).map(float)
)  # fmt: skip


def by_pairs(costs: Array) -> list[bool]:
    """The definition, written out."""

    def worse(one: Array, than: Array) -> bool:
        return all(b <= a for a, b in zip(one, than, strict=True)) and any(
            b < a for a, b in zip(one, than, strict=True)
        )

    return [not any(worse(one, other) for other in costs) for one in costs]


def _holds(of: Callable[[Array], Any], costs: Array) -> bool:
    """Nobody in the set is dominated, everybody outside is, and by somebody inside."""
    inside, by = np.asarray(of(costs)), dominates(costs)
    whole = bool((by[inside][:, ~inside].any(axis=0)).all())
    return inside.tolist() == by_pairs(costs) and bool(inside.any()) and whole


@given(COSTS)
@settings(max_examples=300, deadline=None)
def test_nobody_in_the_set_is_dominated_and_everybody_outside_is(costs: Array) -> None:
    assert _holds(non_dominated, costs)


MUTANTS: dict[str, Callable[[Array], Any]] = {
    "equal ones dominate one another": lambda c: (
        ~((c[:, None] <= c[None]).all(-1) & ~np.eye(len(c), dtype=bool)).any(0)
    ),
    "better on one is enough": lambda c: np.logical_not((c[:, None] < c[None]).any(-1).any(0)),
    "better on all is asked for": lambda c: np.logical_not((c[:, None] < c[None]).all(-1).any(0)),
    "the best of each criterion": lambda c: (c == c.min(0)).any(1),
    "the least sum": lambda c: c.sum(1) == c.sum(1).min(),
}


@pytest.mark.parametrize("error", MUTANTS)
def test_a_wrong_set_is_seen(error: str) -> None:
    dice = np.random.default_rng(1)
    cases = [dice.integers(0, 4, (8, 3)).astype(float) for _ in range(60)]
    assert all(_holds(non_dominated, costs) for costs in cases)
    assert not all(_holds(MUTANTS[error], costs) for costs in cases)


def test_what_is_not_known_of_one_is_left_out_for_all() -> None:
    costs = np.array([[1.0, np.nan], [2.0, 0.0]])
    assert non_dominated(costs).tolist() == [True, False]


# --- of a hospital


def test_each_scenario_moves_what_its_sentence_says() -> None:
    told = compared().effects
    assert told["one_more_doctor"]["wait_p90_min"].ci95[1] < 0
    assert told["one_more_doctor"]["staff_over_h"].ci95[1] < 0
    assert told["one_more_doctor"]["effort_staff_h"].mean == 24.0
    assert told["ten_beds_closed"]["boarding_h"].ci95[0] > 0
    assert told["arrivals_up_20"]["ed_peak"].ci95[0] > 0


def test_a_null_scenario_moves_nothing_at_all() -> None:
    usual, again = scenarios("as_usual")[0], scenarios("ten_beds_closed")[0]
    null = type(usual)("null", usual.change)
    *_, found = outcomes_by_stage(situation(), [usual, null, again], Run(members=10, seed=7), Wanted())
    for name, values in found["as_usual"].items():
        np.testing.assert_array_equal(found["null"][name], values, err_msg=name)
    assert any(not np.array_equal(found["ten_beds_closed"][n], v, equal_nan=True) for n, v in found["as_usual"].items())


def test_members_are_paired_so_that_differences_spread_less_than_values() -> None:
    found = by_stage()[-1]
    usual, more = found["as_usual"]["boarding_h"], found["arrivals_up_20"]["boarding_h"]
    shuffled = np.random.default_rng(0).permutation(more)
    assert (more - usual).std() < 0.7 * (shuffled - usual).std()


def test_more_members_refine_what_was_told_first() -> None:
    few, some, all_of_them = by_stage()
    assert [next(iter(stage["as_usual"].values())).size for stage in by_stage()] == [25, 50, 60]
    for name, values in all_of_them["ten_beds_closed"].items():
        np.testing.assert_array_equal(values[:25], few["ten_beds_closed"][name])
    assert some.keys() == all_of_them.keys()


def test_what_nobody_should_choose_says_who_is_better() -> None:
    told = compared()
    assert "as_usual" in told.to_choose_from
    assert "as_usual" in told.dominated_by["ten_beds_closed"]
    assert "one_more_doctor" in told.to_choose_from, "it costs a doctor, and waits less"
    plain = as_json(told)
    assert plain["dominated_by"]["ten_beds_closed"][0] == "as_usual"
    assert plain["effects"]["ten_beds_closed"]["boarding_h"]["p_better"] < 0.2
