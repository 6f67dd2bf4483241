"""Designs: whole grids, random ones that spread evenly, pairs, and surveys of a catalogue."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.designs import (
    USUAL,
    Axis,
    Combination,
    Design,
    axes_of,
    from_json,
    made,
    pairs,
    random_grid,
    survey,
    whole_grid,
)
from forecast.errors import ForecastError
from twin.scenarios import catalogue, pick

CATALOGUE = catalogue()
WINTER = pick(CATALOGUE, ["winter_peak"])
THREE = pick(CATALOGUE, ["winter_peak", "ten_beds_closed", "escalation_beds"])


def test_levels_are_whole_steps_within_the_range() -> None:
    axis = Axis("a", "n", 5.0, 60.0, 5.0)
    assert [axis.at(share) for share in (0.0, 0.49, 1.0)] == [5.0, 30.0, 60.0]
    assert axis.levels(3) == [5.0, 35.0, 60.0]
    assert Axis("a", "n", 1.0, 2.0, 1.0).levels(5) == [1.0, 2.0]


def test_a_whole_grid_has_every_combination_of_levels() -> None:
    design = whole_grid(WINTER, steps=2)
    assert design.names[0] == USUAL
    assert len(design.names) == 1 + 2 ** len(axes_of(WINTER))
    assert len({one.name for one in made(design, CATALOGUE)}) == len(design.names)


def test_a_random_grid_spreads_each_number_evenly() -> None:
    design = random_grid(WINTER, 110, seed=3)
    for axis in axes_of(WINTER):
        levels = design.levels(axis.name)[1:]
        steps = np.unique(levels)
        counts = np.bincount(np.searchsorted(steps, levels))
        assert (steps.min(), steps.max()) == (axis.low, axis.high)
        assert counts[1:-1].max() - counts[1:-1].min() <= 2, axis
    assert design == random_grid(WINTER, 110, seed=3)
    assert design != random_grid(WINTER, 110, seed=4)


def test_pairs_are_each_alone_and_each_two_at_once() -> None:
    design = pairs(THREE)
    assert len(design.names) == 1 + 3 + 3
    assert design.levels("winter_peak").tolist() == [0, 1, 0, 0, 1, 1, 0]
    assert "winter_peak+ten_beds_closed" in design.names


def test_a_survey_begins_with_each_alone_and_leaves_out_what_cannot_be_run() -> None:
    design = survey(THREE, 40, seed=2, able=lambda one: "ten_beds_closed" not in one.name)
    assert design.names[:4] == [USUAL, "winter_peak", "ten_beds_closed", "escalation_beds"]
    assert len(design.names) == 40
    assert not [name for name in design.names[4:] if "ten_beds_closed" in name]
    assert all(design.levels(name).sum() > 10 for name in ("winter_peak", "escalation_beds"))
    assert np.isnan(design.levels("winter_peak.percent")[0])


def test_where_nothing_can_be_run_together_a_survey_is_each_alone() -> None:
    assert len(survey(THREE, 40, seed=2, able=lambda _: False).names) == 4


def test_every_combination_of_a_survey_of_the_catalogue_can_be_made() -> None:
    everything = [one for name, one in CATALOGUE.items() if name != USUAL]
    design = survey(everything, 300, seed=1)
    assert len(made(design, CATALOGUE)) == 300
    assert from_json(design.as_json()) == design


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: random_grid(pick(CATALOGUE, ["ten_beds_closed"]), 9, seed=1), "ten_beds_closed have none"),
        (lambda: random_grid(WINTER, 5000, seed=1), "2 to 2000 combinations, but has 5001"),
        (lambda: whole_grid(pick(CATALOGUE, ["winter_peak", "heat_wave"]), steps=9), "2 to 2000 combinations, but has"),
        (lambda: survey(THREE, 1, seed=1), "2 to 2000 combinations, but has 1"),
    ],
)
def test_what_is_no_design_is_said(make: object, said: str) -> None:
    with pytest.raises(ForecastError, match=said):
        make()  # type: ignore[operator]


def test_a_variable_that_does_not_apply_has_no_level() -> None:
    design = Design("pairs", (Combination(USUAL), Combination("a", {"x": 2.0})))
    assert design.variables == ("x",)
    np.testing.assert_array_equal(design.levels("x"), [np.nan, 2.0])
