"""What a path expects of a day, against sums by hand and against patients drawn one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twin.durations import exponential, fixed
from twin.flows import Flows, flows_of, per_hour, weighted_median
from twin.parameters import Parameters
from twin.pathway import Path
from twin.site import load_site
from twin.small_hospitals import WHOLE, member, parameters, small_path

REPEAT = """
name = "again"
[stage.contact]
comes = "Arrived"
lasts = "talk"
at_most = 50
then = { contact = 0.5, home = 0.5 }
[stage.home]
starts = "Departed"
to = "home"
"""


def whole() -> tuple[Path, Parameters]:
    path = small_path(WHOLE)
    lasting = {
        "to_triage": fixed(5), "patience": fixed(1e5), "doctor_slot": fixed(10), "care": exponential(60),
        "to_ward": fixed(30), "ward_stay:medicine": fixed(200), "ward_stay:surgery": exponential(100),
    }  # fmt: skip
    shares, wanted = {"p_admit": 0.25}, {"medicine": 0.8, "surgery": 0.2}
    return path, parameters(path, lasting, per_hour=2.0, shares=shares, wanted=wanted)


def visits(flows: Flows) -> dict[str, float]:
    return {name: flows.visits(code) for code, name in enumerate(flows.path.names)}


def test_visits_a_day_are_arrivals_times_shares() -> None:
    flows = flows_of(*whole())
    assert visits(flows) == pytest.approx(
        {"arrival": 48, "contact": 48, "admit": 12, "boarding": 12, "ward": 12, "home": 36}
    )
    ward = flows.path.index("ward")
    assert flows.came[ward].sum(axis=(0, 1)) == pytest.approx([0, 12 * 0.8, 12 * 0.2, 0])
    assert per_hour(flows.parameters) == pytest.approx(np.full(24, 2.0))


def test_a_stage_that_is_come_back_to_is_counted_each_time() -> None:
    path = small_path(REPEAT)
    flows = flows_of(path, parameters(path, {"talk": fixed(5)}, per_hour=1.0))
    assert visits(flows) == pytest.approx({"contact": 48, "home": 24})


def test_means_and_medians_are_of_those_who_come() -> None:
    flows = flows_of(*whole())
    ward, contact = flows.path.index("ward"), flows.path.index("contact")
    mean = (flows.came[ward] * flows.mean_min(ward, "ward_stay:wanted")).sum() / flows.visits(ward)
    assert mean == pytest.approx(0.8 * 200 + 0.2 * 100, rel=0.01)
    assert flows.median_min(ward, "ward_stay:wanted") == pytest.approx(200)
    assert flows.median_min(contact, "care") == pytest.approx(60 * np.log(2), rel=0.02)


def test_a_weighted_median() -> None:
    assert weighted_median(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 5.0])) == 2.0
    assert weighted_median(np.array([3.0, 1.0]), np.array([3.0, 1.0])) == 3.0


def agrees(told: dict[str, float], counted: dict[str, int], days: float) -> bool:
    """Within four standard deviations of a count."""
    return all(abs(counted[name] - told[name] * days) < 4 * np.sqrt(told[name] * days + 1) for name in told)


def test_patients_who_are_drawn_walk_as_many_as_expected() -> None:
    """The shipped hospital, counted on routes of the twin itself; the mutant takes all patients for average ones."""
    site = load_site()
    assert site.path
    assert site.parameters
    calm = replace(site.parameters, streams=tuple(replace(s, day_cv=0.0) for s in site.parameters.streams))
    counted, days = dict.fromkeys(site.path.names, 0), 42
    run = member(site.path, calm, hours=24 * days, hospital=site.hospital, capacity={})
    for code, name in enumerate(site.path.names):
        counted[name] = int((run.fate.stage == code).sum())
    told = visits(flows_of(site.path, calm))
    assert agrees(told, counted, days)
    alike = {name: np.full_like(share, share.mean()) for name, share in calm.shares.items()}
    assert not agrees(visits(flows_of(site.path, replace(calm, shares=alike))), counted, days)
