"""The Board from a cycle: fans that agree, a peak within them, effects, and counts that cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from forecast.baselines import fit
from forecast.board import Board, Cycle, Feed, FeedState, Now
from forecast.ensemble import Run
from forecast.helping import helps_most
from forecast.issue import Times, issue
from forecast.past import Past, grid_start
from forecast.situation import situation_of
from forecast.wall import (
    FANS,
    FREE,
    House,
    Made,
    checks,
    empty_board,
    make_board,
)
from tests.histories import LOOKS, NOON, calibration, scenarios, situation, state, told
from tests.test_twin_calibrate import short

HOW = Run(members=20, horizon_min=480.0, seed=2)
NOTHING = Feed("off", None, None, timedelta(minutes=30))
CYCLE = Cycle(NOON, timedelta(0), 1.0, 1, 0, 0, None, timedelta(minutes=10), 20, 18.0, "milestones")
HOUSE = House("fabricated", 50, NOTHING, CYCLE)
MINUTE = timedelta(minutes=1)


@cache
def made(path: str = "milestones") -> Made:
    learned = calibration() if path == "milestones" else short()
    here = situation() if path == "milestones" else situation_of(state(), learned, NOON)
    chosen = tuple(scenarios("as_usual", "arrivals_up_20", "one_more_doctor"))
    said = issue(here, chosen, HOW, Times(NOON, NOON, NOON))
    history, now = Past(grid_start(NOON, days=15)).at(state(), here.known, learned, NOON)
    usual = fit(history, lead_min=HOW.lead_min[1:]).ahead(NOON, now)["climatology"]
    return Made(said, here, history, usual, None, chosen, ())


@cache
def board(path: str = "milestones") -> Board:
    return make_board(made(path), HOUSE, NOON + MINUTE)


def test_free_beds_of_all_wards_are_added_up_member_by_member_and_told_by_their_fewest() -> None:
    """The sum of the wards' quantiles, the mutant, is wider: not all wards are full in the same run."""
    fan, members = board().fans[FREE], made().forecast.members["as_usual"]
    each = [values for name, values in members.measures.items() if name.startswith("beds_free:")]
    assert len(each) > 1
    total = np.sum(each, axis=0)
    assert fan.quantiles[0.1] == pytest.approx(np.quantile(total, 0.1, axis=1))
    assert np.sum([np.quantile(one, 0.1, axis=1) for one in each], axis=0)[-1] < fan.quantiles[0.1][-1]
    assert fan.lowest == pytest.approx(np.quantile(total[1:].min(axis=0), (0.1, 0.5, 0.9)))
    assert (fan.peak, fan.peak_at, set(fan.usual)) == (None, None, {None})
    assert board("stay").fans.keys() <= {*FANS, FREE}


def test_every_fan_has_a_value_for_each_instant() -> None:
    assert tuple(board().fans) == (*FANS, FREE)
    for fan in (board().fans[measure] for measure in FANS):
        assert len(fan.past_at) == len(fan.past) == 97
        assert fan.past_at[-1] == NOON
        assert fan.valid_at[0] == NOON
        assert {len(values) for values in fan.quantiles.values()} == {len(fan.valid_at)} == {len(fan.usual)} == {33}
        assert fan.usual[0] is None
        assert all(value is not None for value in fan.usual[1:])


def test_the_fan_begins_where_the_past_ends() -> None:
    fan = board().fans["ed_census"]
    assert fan.quantiles[0.05][0] - 3 <= (fan.past[-1] or 0) <= fan.quantiles[0.95][0] + 3
    true = told().truth[LOOKS.index(NOON)]
    assert fan.quantiles[0.05][0] - 3 <= true["ed_census"] <= fan.quantiles[0.95][0] + 3


def test_the_peak_is_the_members_own() -> None:
    for measure, fan in board().fans.items():
        if measure == FREE:  # of what is scarce the least counts, not the most
            assert (fan.peak, fan.lowest is None) == (None, False)
            continue
        assert fan.peak is not None
        assert fan.peak_at in fan.valid_at[1:]
        low, middle, high = fan.peak
        highest = made().forecast.members["as_usual"].measures[measure][1:].max(axis=0)
        assert highest.min() <= low <= middle <= high <= highest.max()
        assert middle >= max(fan.quantiles[0.5][1:])


def test_spaces_bound_the_census_alone() -> None:
    assert {m: fan.capacity for m, fan in board().fans.items()} == {
        "ed_census": 50.0, "ed_boarders": None, "ed_waiting": None, "ed_arrivals": None, "beds_free": None,
    }  # fmt: skip


def test_now_is_the_present_as_drawn() -> None:
    now, members = board().now, made().forecast.members["as_usual"].measures
    assert now.present == round(float(members["ed_census"][0].mean()))
    assert now.waiting == round(float(members["ed_waiting"][0].mean()))
    assert now.boarders == round(float(members["ed_boarders"][0].mean()))
    assert now.arrivals_today == situation().seen_today["emergency"]
    assert now.longest_wait_min is not None
    assert 0 < now.longest_wait_min < 72 * 60
    assert now.expected_today == pytest.approx(now.arrivals_today, rel=0.6)
    assert now.capacity_spaces == 50


def test_units_have_their_beds_census_and_what_is_free() -> None:
    assert {u.unit for u in board().units} == {u.name for u in calibration().hospital.wards}
    for unit in board().units:
        assert unit.beds is not None
        assert unit.census is not None
        assert unit.free is not None
        assert abs(unit.beds - unit.census - unit.free) <= 1
        assert set(unit.free_ahead) == {60, 120, 240, 480}
        assert all(low <= middle <= high for low, middle, high in unit.free_ahead.values())


def test_scenarios_have_their_paired_effects() -> None:
    more = board().scenarios[0]
    assert (more.name, more.inapplicable_fr, more.inapplicable_en) == ("arrivals_up_20", None, None)
    assert {(e.measure, e.lead_min) for e in more.effects} == {
        (m, lead) for m in ("ed_census", "ed_waiting", "ed_boarders") for lead in (240, 480)
    }
    census = {e.lead_min: e for e in more.effects if e.measure == "ed_census"}
    assert census[480].mean > 0
    assert all(e.low <= e.high for e in more.effects)
    assert (more.short_fr, more.short_en) == ("20 % d'arrivées en plus.", "20 % more arrivals.")
    assert more.sentence_en == "20 % more arrivals in the department, from now on."
    assert [view.can_be_decided for view in board().scenarios] == [False, True]
    assert board().helps == helps_most(board().scenarios)
    told = made().forecast.scenarios
    at = list(HOW.lead_min).index(480)
    assert census[480].usual == told["as_usual"]["ed_census"].mean[at]
    beside = told["arrivals_up_20"]["ed_census"].mean[at]
    assert beside == pytest.approx((census[480].usual or 0.0) + census[480].mean)


def test_on_the_short_path_what_the_log_cannot_tell_is_absent() -> None:
    wall = board("stay")
    assert set(wall.fans) == {"ed_census", "ed_arrivals"}
    assert (wall.now.waiting, wall.now.longest_wait_min, wall.now.boarders) == (None, None, None)
    doctor = wall.scenarios[1]
    assert doctor.effects == ()
    assert doctor.inapplicable_en == "The data do not tell enough to count the waiting for: Emergency doctors."
    assert doctor.inapplicable_fr == (
        "Ce que disent les données ne permet pas de compter l'attente pour : Médecins urgentistes."
    )


def test_an_earlier_forecast_is_shown_from_its_issue_on() -> None:
    before = replace(made().forecast, issued_at=NOON - timedelta(hours=6), as_of=NOON - timedelta(hours=6))
    fan = make_board(replace(made(), earlier=before), HOUSE, NOON).fans["ed_census"]
    assert fan.earlier is not None
    assert fan.earlier.valid_at[0] == NOON - timedelta(hours=6)
    assert len(fan.earlier.valid_at) == len(fan.earlier.low) == len(fan.earlier.median) == len(fan.earlier.high) == 33
    assert board().fans["ed_census"].earlier is None


def test_before_the_first_forecast_nothing_is_known_and_nothing_is_zero() -> None:
    wall = empty_board(HOUSE, "CHU", "Europe/Paris", NOON)
    assert (wall.fans, wall.units, wall.scenarios, wall.skills) == ({}, (), (), ())
    assert set(vars(wall.now).values()) == {None, 50}


# --- counts that cannot be


NOBODY = Now(None, None, None, None, None, None, None, None, None)


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (NOBODY, []),
        (replace(NOBODY, present=15, waiting=12, boarders=7), [("present", "parts_over_whole")]),
        (replace(NOBODY, present=18, waiting=12, boarders=7), []),
        (replace(NOBODY, longest_boarding_min=8 * 24 * 60.0), [("boarders", "stay_too_long")]),
    ],
)
def test_counts_that_contradict_each_other_mark_their_tile(now: Now, found: list[tuple[str, str]]) -> None:
    assert [(check.tile, check.code) for check in checks(now, ())] == found


def test_a_ward_with_twice_as_many_people_as_beds_is_to_be_checked() -> None:
    unit = replace(board().units[0], beds=10, census=21)
    assert [c.tile for c in checks(NOBODY, (unit, replace(unit, census=20), replace(unit, beds=None)))] == [
        f"unit:{unit.unit}"
    ]


@pytest.mark.parametrize(("state", "shown"), [("live", "inconsistent"), ("stale", "stale"), ("off", "off")])
def test_a_count_that_cannot_be_makes_a_feed_inconsistent_unless_it_is_worse(state: FeedState, shown: str) -> None:
    made_with = replace(made(), situation=situation())
    house = replace(HOUSE, feed=replace(NOTHING, state=state))
    units = [replace(unit, places=1) for unit in calibration().hospital.wards]
    others = [unit for unit in calibration().hospital.units if not unit.ward]
    tight = replace(calibration(), hospital=replace(calibration().hospital, units=(*others, *units)))
    crowded = replace(made_with, situation=replace(made_with.situation, calibration=tight))
    wall = make_board(crowded, house, NOON)
    assert wall.checks
    assert wall.feed.state == shown
    assert make_board(made_with, house, NOON).feed.state == state
