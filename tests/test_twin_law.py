"""What scenarios change of how the hospital works: paces, ways, wards' clocks, outbreaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from math import inf

import numpy as np
import pytest
from scipy import stats

from twin.arrivals import calendar
from twin.defaults import default_parameters
from twin.demand import Crisis, Demand, Level, Who
from twin.durations import exponential
from twin.errors import ScenarioError
from twin.fate import cast
from twin.hospital import load_hospital
from twin.law import Discharging, Law, Pace, Variants, Way, changed_clocks, factors
from twin.leaving import clocks
from twin.luck import CRISIS, draw
from twin.model import run
from twin.parameters import PatientClass
from twin.pathway import load_path
from twin.present import Present
from twin.small_hospitals import DELAY, START, WHOLE, Array, member, parameters, small_hospital, small_path
from twin.story import Story

HOSPITAL = load_hospital()
PATH = load_path("full", HOSPITAL)
BELIEVED = default_parameters(HOSPITAL, PATH)
SPEED = np.tile(np.concatenate([np.full(8, 0.1), np.full(4, 2.0), np.full(12, 1.3)]), (2, 7))


# --- paces ----------------------------------------------------------------------------------------------------------


def test_what_begins_in_the_window_lasts_longer_and_what_has_begun_does_not() -> None:
    path = small_path(DELAY)
    believed = parameters(path, {"service": exponential(30)}, per_hour=20.0)
    law = Law(paces=(Pace("service", 3.0, 60.0, 120.0),))
    usual, slow = (member(path, believed, hours=4, seed=3, law=one) for one in (Law(), law))
    assert slow.fate.phases == 3
    before, after = (_stays(one.story) for one in (usual, slow))
    for visit, (start_min, lasted_min) in before.items():
        if visit in after:
            times = 3.0 if 60.0 <= start_min < 120.0 else 1.0
            assert after[visit][1] == pytest.approx(times * lasted_min)
    assert sum(60 <= start < 120 for start, _ in after.values()) > 5


def _stays(story: Story) -> dict[int, tuple[float, float]]:
    out: dict[int, tuple[float, float]] = {}
    start: dict[int, float] = {}
    for at_min, visit in zip(story.at_min.tolist(), story.visit.tolist(), strict=True):
        if visit in start:
            out[visit] = (start[visit], at_min - start[visit])
        else:
            start[visit] = at_min
    return out


def test_a_name_that_wards_end_means_all_of_these_and_some_patients_only_where_that_is_said() -> None:
    classes = (PatientClass("a", 0, "0-17"), PatientClass("b", 1, "75+"), PatientClass("c", -1, None))
    old = Who(ages=frozenset({"75+"}))
    law = Law(paces=(Pace("ward_stay", 2.0, 0.0, inf, old), Pace("triage", 0.5, 30.0, 60.0)))
    names = ["ward_stay:medicine", "ward_stay:surgery", "triage", "ward_stays"]
    found = factors(law, names, classes)
    assert law.phase_edge_min.tolist() == [30.0, 60.0]
    assert found[0].tolist() == [[1, 2, 1], [1, 2, 1], [1, 1, 1], [1, 1, 1]]
    assert found[1].tolist() == [[1, 2, 1], [1, 2, 1], [0.5, 0.5, 0.5], [1, 1, 1]]
    assert found[2].tolist() == found[0].tolist()


# --- ways -----------------------------------------------------------------------------------------------------------


def test_odds_are_multiplied_and_a_value_takes_their_place() -> None:
    usual = np.array([0.0, 0.2, 0.5, 1.0])
    assert Way("x", odds=3.0).of(usual).tolist() == pytest.approx([0.0, 0.6 / 1.4, 0.75, 1.0])
    assert Way("x", value=0.3).of(usual).tolist() == [0.3] * 4


def test_ways_hold_for_those_who_come_in_their_window_and_now_for_those_who_are_here() -> None:
    now, later = Way("p_uhcd", odds=0.5, until_min=60.0), Way("p_uhcd", value=0.0, from_min=120.0)
    variants = Variants(BELIEVED, Law(ways=(now, later)), ())
    variant = variants.of(np.array([np.nan, 30.0, 90.0, 500.0]), np.full(4, -1))
    shares = [variants.parameters[code].shares["p_uhcd"][0, 0] for code in variant]
    usual = BELIEVED.shares["p_uhcd"][0, 0]
    half = 0.5 * usual / (1 - usual + 0.5 * usual)
    assert shares == pytest.approx([half, half, usual, 0.0])


def test_shares_that_would_send_on_more_than_everybody_are_refused_and_the_stage_is_named() -> None:
    law = Law(ways=(Way("p_laboratory", value=0.9), Way("p_imaging_only", value=0.3)))
    luck = draw(PATH, BELIEVED, 0, seed=1, member=0, start=START, horizon_min=600.0, zone="UTC")
    with pytest.raises(ScenarioError, match=r"stage.contact: the shares"):
        cast(PATH, BELIEVED, luck, Present.of_nobody(), law=law)


# --- wards' clocks ----------------------------------------------------------------------------------------------------


def clock_of(*changes: Discharging, hours: int = 48, unit: int = 0) -> Array:
    """What a clock shows each hour under changes."""
    of_run = calendar(datetime(2026, 3, 2, tzinfo=UTC), hours * 60.0, "UTC")
    edge, shown = changed_clocks(of_run, SPEED, changes, hours * 60.0)
    return np.asarray(np.interp(60.0 * np.arange(hours + 1), edge, shown[unit]))


def usual_clock(hours: int = 48) -> Array:
    of_run = calendar(datetime(2026, 3, 2, tzinfo=UTC), hours * 60.0, "UTC")
    return np.asarray(clocks(of_run.edge_min, of_run.hour_of_week, SPEED)[0])


def test_a_clock_with_no_change_of_its_ward_is_the_usual_one() -> None:
    assert np.allclose(clock_of(Discharging(frozenset({1}), 3.0)), usual_clock())
    assert not np.allclose(clock_of(Discharging(frozenset({0}), 3.0)), usual_clock())


def test_earlier_by_two_hours_shows_what_was_shown_two_hours_later_and_comes_back_after_the_window() -> None:
    usual = usual_clock(72)
    early = clock_of(Discharging(None, earlier_min=120.0, from_min=360.0, until_min=1800.0), hours=72)
    assert np.allclose(early[:7], usual[:7])
    assert np.allclose(early[7:31], usual[9:33])
    assert np.allclose(early[34:], usual[34:]), "nobody leaves twice: in the end as many have left"
    assert (np.diff(early) >= 0).all()


def test_a_factor_and_days_alike() -> None:
    assert np.allclose(clock_of(Discharging(factor=2.0, until_min=600.0))[10], 2.0 * usual_clock()[10])
    week = np.tile(np.arange(7.0).repeat(24), (1, 1))
    of_run = calendar(datetime(2026, 3, 2, tzinfo=UTC), 48 * 60.0, "UTC")
    edge, shown = changed_clocks(of_run, week, [Discharging(every_day_alike=True)], 48 * 60.0)
    assert np.allclose(np.interp([1440.0, 2880.0], edge, shown[0]), [3 * 1440.0, 6 * 1440.0])


# --- who comes -----------------------------------------------------------------------------------------------------


def test_an_outbreak_has_its_median_and_its_dispersion_and_groups_begin_one_after_the_other() -> None:
    crisis = Crisis(3000, 60.0, 0.0, {0: 1.0}, median_min=300.0, dispersion=1.6, clusters=3, apart_min=1000.0)
    at_min = crisis.at_min(np.random.default_rng(1).random(3000)).reshape(3, 1000)
    for group, mine in enumerate(at_min):
        after = mine - 60.0 - 1000.0 * group
        assert stats.kstest(after, stats.lognorm(np.log(1.6), scale=300.0).cdf).pvalue > 0.001


def test_victims_go_where_the_crisis_says_and_others_where_they_usually_do() -> None:
    shares = (("p_admit", 0.5), ("p_icu", 0.5), ("p_surgical", 0.0), ("p_uhcd", 0.0))
    crisis = Crisis(90, 0.0, 30.0, {3: 1.0}, ages={"75+": 1.0}, shares=shares)
    luck = draw(PATH, BELIEVED, 0, seed=1, member=0, start=START, horizon_min=2880.0, zone="UTC")
    fate = cast(PATH, BELIEVED, luck, Present.of_nobody(), Demand(crises=(crisis,)))
    victim = luck.group[fate.visit] == CRISIS
    assert {BELIEVED.classes[c].age_band for c in fate.cls[victim]} == {"75+"}
    names = [{PATH.names[k] for k in row if k >= 0} for row in fate.stage[victim]]
    in_box = [row for row in names if "decision" in row]
    assert len(in_box) > 60
    assert all(row & {"admit", "icu_admit"} for row in in_box)
    usual = cast(PATH, BELIEVED, luck, Present.of_nobody())
    kept = fate.stage[~victim][:, : usual.stage.shape[1]]
    assert np.array_equal(kept, usual.stage[:, : kept.shape[1]])


def test_fewer_by_appointment_come_and_as_many_to_the_department() -> None:
    half = Demand(some=(Level(0.5, planned=True, units=frozenset({HOSPITAL.unit_code("surgery")})),))
    luck = draw(PATH, BELIEVED, 0, seed=1, member=0, start=START, horizon_min=40 * 1440.0, zone="UTC")
    usual, fewer = (cast(PATH, BELIEVED, luck, Present.of_nobody(), demand) for demand in (Demand(), half))
    names = [stream.name for stream in BELIEVED.streams]
    count = [{n: int((luck.group[one.visit] == k).sum()) for k, n in enumerate(names)} for one in (usual, fewer)]
    assert count[1].pop("planned:surgery") / count[0].pop("planned:surgery") == pytest.approx(0.5, abs=0.12)
    assert count[0] == count[1]


def test_more_of_an_age_come_and_as_many_of_the_others() -> None:
    more = Demand(some=(Level(1.5, 600.0, 20000.0, Who(ages=frozenset({"75+"}))),))
    luck = draw(PATH, BELIEVED, 0, seed=1, member=0, start=START, horizon_min=20 * 1440.0, zone="UTC")
    usual, old = (cast(PATH, BELIEVED, luck, Present.of_nobody(), demand) for demand in (Demand(), more))
    added = np.setdiff1d(old.visit, usual.visit)
    rows = np.flatnonzero(np.isin(old.visit, added))
    assert np.setdiff1d(usual.visit, old.visit).size == 0
    assert {BELIEVED.classes[c].age_band for c in old.cls[rows]} == {"75+"}
    assert old.at_min[rows].min() >= 600.0
    assert old.at_min[rows].max() < 20000.0
    mine = np.array([BELIEVED.classes[c].age_band == "75+" for c in usual.cls]) & (luck.group[usual.visit] == 0)
    assert added.size / mine.sum() == pytest.approx(0.5 * 19400 / 28800, rel=0.2)


def test_many_victims_move_nobody_elses_luck() -> None:
    """The reserve is as large as is asked for; patients keep what is in store for them."""
    path = small_path(WHOLE)
    names = {name: exponential(30) for name in path.durations}
    believed = parameters(path, names, per_hour=4.0, shares={"p_admit": 0.3}, wanted={"medicine": 1.0})
    hospital, nobody = small_hospital(), Present.of_nobody()
    capacity = hospital.capacities(path.pools, START, 1440.0)
    stories = []
    for reserve in (0, 100, 700):
        luck = draw(path, believed, 0, seed=1, member=0, start=START, horizon_min=1440.0, zone="UTC", reserve=reserve)
        told = run(capacity, path, cast(path, believed, luck, nobody), nobody, 1440.0)
        stories.append(replace(told, visit=told.visit - reserve))
    for name in ("at_min", "kind", "visit", "unit", "to"):
        assert np.array_equal(getattr(stories[0], name), getattr(stories[1], name))
        assert np.array_equal(getattr(stories[0], name), getattr(stories[2], name))
