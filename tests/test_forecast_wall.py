"""The Board from a cycle: fans that agree, a peak within them, effects, and a feed that is judged by the hour."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from forecast.baselines import fit
from forecast.board import Board, Cycle, Feed
from forecast.ensemble import Run
from forecast.issue import Times, issue
from forecast.past import Past, grid_start
from forecast.situation import situation_of
from forecast.wall import (
    EVENTS_A_VISIT,
    FANS,
    House,
    Made,
    arrivals_now,
    empty_board,
    feed_of,
    make_board,
    silence_limit,
)
from tests.histories import LOOKS, NOON, calibration, scenarios, situation, state, told
from tests.test_twin_calibrate import short

HOW = Run(members=20, horizon_min=480.0, seed=2)
NOTHING = Feed(None, None, None, True)
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


def test_every_fan_has_a_value_for_each_instant() -> None:
    assert tuple(board().fans) == FANS
    for fan in board().fans.values():
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
        assert fan.peak is not None
        assert fan.peak_at in fan.valid_at[1:]
        low, middle, high = fan.peak
        highest = made().forecast.members["as_usual"].measures[measure][1:].max(axis=0)
        assert highest.min() <= low <= middle <= high <= highest.max()
        assert middle >= max(fan.quantiles[0.5][1:])


def test_spaces_bound_the_census_alone() -> None:
    assert {m: fan.capacity for m, fan in board().fans.items()} == {
        "ed_census": 50.0, "ed_boarders": None, "ed_waiting": None, "ed_arrivals": None,
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
    assert more.sentence_en == "20 % more arrivals in the department, from now on."


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


# --- the feed


@pytest.mark.parametrize(("messages_an_hour", "minutes"), [(5, 30.0), (20, 27.6), (60, 9.2), (100, 5.5), (300, 2.0)])
def test_a_silence_is_too_long_when_its_chance_is_1_in_10_000(messages_an_hour: float, minutes: float) -> None:
    assert silence_limit(messages_an_hour / EVENTS_A_VISIT) / MINUTE == pytest.approx(minutes, abs=0.05)


def test_the_chance_of_a_longer_silence_is_1_in_10_000() -> None:
    limit_h = silence_limit(60 / EVENTS_A_VISIT) / timedelta(hours=1)
    assert math.exp(-60 * limit_h) == pytest.approx(1e-4)


def test_a_feed_of_which_nothing_is_usual_may_be_silent_for_two_days() -> None:
    assert silence_limit(0.0) == timedelta(days=2)


@pytest.mark.parametrize(("age_min", "late"), [(1, False), (10, False), (11, True)])
def test_a_feed_is_late_when_silent_for_longer(age_min: float, late: bool) -> None:
    feed = feed_of(NOON, NOON, {"row": 2}, NOON + age_min * MINUTE, 10 * MINUTE)
    assert (feed.age, feed.late, feed.rejected) == (age_min * MINUTE, late, {"row": 2})


def test_a_feed_never_heard_is_late_and_one_from_the_future_has_no_negative_age() -> None:
    assert feed_of(None, None, {}, NOON, MINUTE).late
    assert feed_of(NOON, NOON + MINUTE, {}, NOON, MINUTE).age == timedelta(0)


def test_arrivals_now_are_those_usual_at_this_hour() -> None:
    rate = calibration().parameters.streams[0].per_hour
    assert arrivals_now(situation()) == float(rate[6 * 24 + 13])  # Sunday, 13 h in Paris
    assert np.isfinite(rate).all()
