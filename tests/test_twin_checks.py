"""What must hold of the model whatever the numbers, and what is known of hospitals; each with a mutant that falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from ingest.events import RANK
from twin import check_effects, kernel
from twin.check_bounds import conservation, extremes, restart
from twin.check_effects import Change, effects
from twin.check_values import Check
from twin.story import Story

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """Years of the default hospital are run: by the compiled loop."""
    kernel.warm()


def fallen(checks: Sequence[Check]) -> list[str]:
    return [check.name for check in checks if not check.holds]


def without_some_exits(story: Story) -> Story:
    """A mutant: some leave and nobody notes it."""
    kept = ~((story.kind == RANK["Departed"]) & (story.visit % 50 == 0))
    return replace(story, **{n: getattr(story, n)[kept] for n in ("at_min", "kind", "visit", "unit", "to")})


def told_twice(story: Story) -> Story:
    """A mutant: some exits are told twice."""
    rows = np.flatnonzero(story.kind == RANK["Departed"])[:3]
    names = ("at_min", "kind", "visit", "unit", "to")
    return replace(story, **{n: np.concatenate([getattr(story, n), getattr(story, n)[rows]]) for n in names})


def all_in_one_ward(story: Story) -> Story:
    """A mutant: whoever enters a ward is put into the first of them."""
    entered = (story.kind == RANK["Departed"]) & (story.unit >= 0)
    return replace(story, unit=np.where(entered, story.unit[entered].min(), story.unit))


def test_nobody_is_lost_and_no_bed_is_given_twice() -> None:
    assert fallen(conservation()) == []
    assert fallen(conservation(told_twice)) == ["nobody_lost", "one_exit"]
    assert fallen(conservation(all_in_one_ward)) == ["beds_given_twice"]


def test_an_exit_that_nobody_noted_leaves_the_patient_inside() -> None:
    """Conserved all the same: the census says so, and counts the patient in."""
    assert fallen(conservation(without_some_exits)) == []


def test_extremes_do_what_they_must() -> None:
    assert fallen(extremes()) == []
    assert fallen(extremes(none_mean=1.0)) == ["no_arrivals", "no_doctors"]
    assert fallen(extremes(beds=30)) == ["beds_for_all"]
    assert fallen(extremes(spoil=without_some_exits)) == ["all_to_sauv"]


def test_stopping_and_starting_again_with_residuals_drawn_anew_gives_the_same_distribution() -> None:
    assert fallen(restart()) == []
    assert fallen(restart(spoil=True)) == ["run_on"], "residuals that ignore how long it has lasted are seen"


def test_what_is_published_of_discharges_weekends_and_boarders_is_found_again() -> None:
    assert fallen(effects()) == []


def test_discharges_that_are_not_earlier_remove_nothing() -> None:
    assert fallen(effects(Change(earlier_min=-30.0))) == ["earlier_discharges"]


def test_boarders_who_are_not_released_leave_the_department_as_crowded_as_it_was() -> None:
    hardly = Change(earlier_min=5.0)
    assert {"released_crowding", "released_lwbs"} <= set(fallen(effects(released=hardly)))


def test_weekends_that_put_nothing_off_have_nothing_to_smooth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_effects, "PUT_OFF_SHARE", 0.0)
    assert fallen(effects()) == ["smoothed_weekends"]


def test_a_figure_that_is_none_never_holds() -> None:
    for comparison in ("near", "at_most", "at_least"):
        check = Check("x", "theory", "min", float("nan"), 1.0, 1.0, comparison)
        assert not check.holds


def test_bounds_are_bounds() -> None:
    def holds(measured: float, comparison: str) -> bool:
        return Check("x", "theory", "min", measured, 1.0, 0.5, comparison).holds  # type: ignore[arg-type]

    assert [holds(m, "near") for m in (0.4, 0.5, 1.5, 1.6)] == [False, True, True, False]
    assert [holds(m, "at_most") for m in (0.4, 1.5, 1.6)] == [True, True, False]
    assert [holds(m, "at_least") for m in (0.4, 0.5, 1.6)] == [False, True, True]
