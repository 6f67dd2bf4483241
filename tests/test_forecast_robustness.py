"""The robustness map, by hand: what breaks because of a crisis, what first, and what it would have taken."""

from __future__ import annotations

import numpy as np

from forecast.outcomes import BREAKS, MARGIN
from forecast.robustness import as_json, robustness
from forecast.values import Array

NEVER = np.inf


def found() -> dict[str, Array]:
    """Two services, as usual and a crisis, four members."""
    return {
        BREAKS + "beds": np.array([[60.0, NEVER, NEVER, NEVER], [30.0, 90.0, 120.0, NEVER]]),
        BREAKS + "staff": np.array([[NEVER, NEVER, NEVER, NEVER], [NEVER, 30.0, 240.0, 200.0]]),
        MARGIN + "beds": np.array([[-1.0, 2.0, 2.0, 2.0], [-2.0, -1.0, -1.0, 1.0]]),
        MARGIN + "staff": np.array([[1.0, 1.0, 1.0, 1.0], [0.5, -1.0, -1.0, -1.0]]),
        "ed_peak": np.zeros((2, 4)),
    }


def test_a_crisis_breaks_what_would_have_held_in_the_same_member() -> None:
    usual, crisis = robustness(["as_usual", "crisis"], found()).rows
    assert (crisis.cells["beds"].p_breaks, crisis.cells["beds"].p_because) == (0.75, 0.5)
    assert (usual.cells["beds"].p_breaks, usual.cells["beds"].p_because) == (0.25, 0.0)
    assert (crisis.cells["staff"].p_breaks, crisis.cells["staff"].p_because) == (0.75, 0.75)


def test_the_first_to_break_is_told_with_when() -> None:
    usual, crisis = robustness(["as_usual", "crisis"], found()).rows
    assert (crisis.first, crisis.p_first, crisis.p_any) == ("staff", 0.5, 0.75)
    assert crisis.cells["staff"].after_min == 200.0
    assert (usual.first, usual.p_any) == (None, 0.0)


def test_the_margin_is_that_of_half_of_the_members_and_of_one_in_ten() -> None:
    cell = robustness(["as_usual", "crisis"], found()).rows[1].cells["beds"]
    assert cell.margin == -1.0
    assert cell.margin_low is not None
    assert cell.margin_low < -1.0


def test_without_services_there_is_an_empty_map() -> None:
    told = robustness(["as_usual", "crisis"], {"ed_peak": np.zeros((2, 4))})
    assert (told.services, [row.first for row in told.rows]) == ((), [None, None])


def test_a_service_that_is_not_told_of_a_combination_has_no_margin() -> None:
    some = found()
    some[BREAKS + "beds"][1], some[MARGIN + "beds"][1] = NEVER, np.nan
    plain = as_json(robustness(["as_usual", "crisis"], some))["rows"][1]["services"]["beds"]
    assert plain == {"p_breaks": 0.0, "p_because": 0.0, "after_min": None, "margin": None, "margin_low": None}
