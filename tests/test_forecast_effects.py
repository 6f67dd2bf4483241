"""Known effects of changes (field guide 2.4) come out of the catalogue with the right sign and in the right order."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from forecast.compare import effect, outcomes_by_stage
from forecast.ensemble import Run
from forecast.outcome_runs import Outcomes, Wanted
from forecast.points_of_view import Criterion
from tests.histories import situation
from twin import kernel
from twin.scenarios import catalogue, pick

NAMES = (
    "as_usual", "earlier_discharges[hours=1]", "earlier_discharges[hours=4]", "targets_met", "ten_beds_closed",
    "electives_postponed[percent=20]", "electives_postponed[percent=100]", "escalation_beds[beds=15,delay=0]",
    "escalation_beds[beds=4,delay=0]", "smoothed_discharges",
)  # fmt: skip
BOARDING = Criterion("boarding_h", "a", "a", "h", "less")


@cache
def found() -> dict[str, Outcomes]:
    """Of a congested hospital from a Sunday noon on, over two days."""
    kernel.warm()
    how = Run(members=80, horizon_min=2880.0, seed=11)
    *_, last = outcomes_by_stage(situation(), pick(catalogue(), NAMES), how, Wanted())
    return last


def boarding(name: str, against: str = "as_usual") -> tuple[float, float]:
    """The interval of the paired difference in hours spent waiting for a bed."""
    return effect(found()[against]["boarding_h"], found()[name]["boarding_h"], BOARDING).ci95


FEWER = [name for name in NAMES if name not in ("as_usual", "ten_beds_closed")]


@pytest.mark.parametrize("name", FEWER)
def test_what_frees_beds_lessens_boarding(name: str) -> None:
    assert boarding(name)[1] < 0


def test_beds_closed_lengthen_it() -> None:
    assert boarding("ten_beds_closed")[0] > 0


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("earlier_discharges[hours=4]", "earlier_discharges[hours=1]"),
        ("electives_postponed[percent=100]", "electives_postponed[percent=20]"),
        ("escalation_beds[beds=15,delay=0]", "escalation_beds[beds=4,delay=0]"),
        ("targets_met", "escalation_beds[beds=15,delay=0]"),
    ],
)
def test_more_of_it_does_more(more: str, less: str) -> None:
    assert boarding(more, less)[1] < 0


def test_a_bed_always_free_all_but_ends_boarding() -> None:
    """PMC2935970 releases boarders at once: what is left is the search for a bed."""
    assert np.mean(found()["targets_met"]["boarding_h"]) < 0.5 * np.mean(found()["as_usual"]["boarding_h"])


def test_who_waits_less_for_a_bed_is_fewer_in_the_department_at_eight() -> None:
    usual, met = found()["as_usual"], found()["targets_met"]
    for criterion in ("boarders_at_8h", "nights", "ed_peak"):
        assert np.mean(met[criterion]) < np.mean(usual[criterion]), criterion


def test_postponed_patients_are_told_as_not_admitted() -> None:
    usual, none = (found()[n]["planned_not_admitted"] for n in ("as_usual", "electives_postponed[percent=100]"))
    assert effect(usual, none, BOARDING).ci95[0] > 0
