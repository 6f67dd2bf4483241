"""Exits that wards plan: they come as such plans are kept, and the others leave so much less."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from forecast.ensemble import Run, drawn, law_and_engine
from forecast.situation import situation_of
from tests.histories import NOON, fingerprint, scenarios
from tests.test_twin_fabricated_announced import START, TALKS, period
from twin.announced import Kept
from twin.calibrate import Calibration, calibrate
from twin.durations import Duration, exponential
from twin.hospital import load_hospital
from twin.known import known_at
from twin.minutes import Minutes
from twin.planned_exits import Lying, Plans, plans_of
from twin.present_draw import draw_present, draw_presents
from twin.small_hospitals import same
from twin.state import State, fold
from twin.story import Array

N, DAY = 100, 1440.0
KEPT = Kept(
    late_min=np.zeros(40), notice_min=np.repeat([-1.0, 4 * DAY], 50), hour=np.full(100, 12.0), told=50, a_day=5.0
)
"""Half of the exits are planned four days before, and come when they were to."""
STAY = {0: exponential(DAY)}


def lying(planned: int) -> Lying:
    """A hundred in one ward, some with an exit planned within the day."""
    due = np.where(np.arange(N) < planned, np.linspace(10.0, DAY - 10.0, N), np.nan)
    return Lying(np.arange(N), np.zeros(N, dtype=np.int64), np.full(N, 300.0), due, np.ones(N))


def plans(planned: int, kept: Kept = KEPT, stays: dict[int, Duration] | None = None) -> Plans:
    return plans_of(lying(planned), kept, stays or STAY, None, Minutes(NOON), "UTC")


def left(of: Plans, row: int, n: int = 4000) -> Array:
    """What is left of one stay, minutes; nothing of it depends on how long it has lasted."""
    uniform = (np.arange(n) + 0.5) / n
    if row in of.left:
        return of.drawn(row, uniform)
    return -DAY * np.log1p(-(of.unplanned(row, uniform) if row in of.lowered else uniform))


def within_a_day(of: Plans) -> float:
    """How many of the hundred leave."""
    return sum(float((left(of, row) < DAY).mean()) for row in range(N))


USUAL = N * (1 - np.exp(-1.0))


def test_as_many_leave_as_usual_where_half_of_the_exits_are_planned() -> None:
    """Counted beside all that leave anyway, the mutant, planned exits come twice."""
    expected = round(USUAL / 2)
    found = plans(expected)
    assert set(found.left) == set(range(expected))
    assert within_a_day(found) == pytest.approx(USUAL, abs=1.0)
    assert within_a_day(replace(found, lowered={})) > USUAL + 8


def test_where_fewer_are_planned_than_usual_less_is_taken_from_the_others() -> None:
    """A ward whose plans are not heard of lets as many go as ever: taking half all the same, the mutant, keeps them."""
    assert within_a_day(plans(0)) == pytest.approx(USUAL, abs=0.5)
    assert within_a_day(plans(10)) == pytest.approx(USUAL - 10, abs=1.5), "a day on which fewer leave"


def test_a_planned_exit_comes_when_such_exits_come() -> None:
    late = replace(KEPT, late_min=np.sort(np.array([-30.0, 0.0, 60.0, 120.0])))
    of = plans(32, late)
    due = lying(32).due_min[5]
    assert np.unique(left(of, 5)).tolist() == pytest.approx([due - 30, due, due + 60, due + 120])


def test_one_that_is_overdue_beyond_all_that_were_kept_is_as_if_unplanned() -> None:
    never = replace(KEPT, late_min=np.array([-30.0, 0.0, np.inf]))
    here = lying(32)
    overdue = replace(here, due_min=np.where(np.arange(N) == 3, -500.0, here.due_min))
    of = plans_of(overdue, never, STAY, None, Minutes(NOON), "UTC")
    assert np.isnan(left(of, 3)).all()
    nothing = plans_of(overdue, KEPT, STAY, None, Minutes(NOON), "UTC")
    assert 3 not in nothing.left


def test_without_plans_in_the_log_nothing_changes() -> None:
    assert plans(0, replace(KEPT, told=0)) == Plans() or not plans(0, replace(KEPT, told=0)).lowered
    nobody = Lying(*(np.empty(0, dtype=np.int64),) * 2, *(np.empty(0),) * 3)
    assert not plans_of(nobody, KEPT, STAY, None, Minutes(NOON), "UTC").left


def test_on_a_clock_that_stands_at_night_a_planned_exit_keeps_its_hour() -> None:
    """Read in minutes of the wall, the mutant, it would come hours off."""
    speed = np.where((np.arange(168) % 24 >= 8) & (np.arange(168) % 24 < 18), 2.0, 0.286)[None, :]
    of = plans_of(lying(32), KEPT, STAY, speed, Minutes(NOON), "UTC")
    clock = float(left(of, 20)[0])
    due = float(lying(32).due_min[20])
    assert clock == pytest.approx(2.0 * due)  # noon and the afternoon: the clock runs at double speed
    assert clock != pytest.approx(due, rel=0.2)


# --- in a hospital that plans

NOW = START + timedelta(days=11, hours=9, minutes=30)


@cache
def planning() -> tuple[State, Calibration]:
    """A fabricated hospital at half past nine, some hours after which most of its planned patients leave."""
    state = fold(State(), [e for e in period(TALKS).events if e.known_at is not None and e.known_at <= NOW])
    return state, calibrate(state, load_hospital(), NOW)


def test_members_of_a_hospital_that_plans_do_not_depend_on_each_other() -> None:
    state, c = planning()
    known = known_at(state, c, NOW)
    assert known.plans.left
    assert known.plans.lowered
    alone = [draw_present(known, c, seed=4, member=m) for m in range(6)]
    assert fingerprint(alone) == fingerprint(draw_presents(known, c, seed=4, members=range(6)))


def test_those_who_are_planned_to_leave_today_leave_sooner_than_the_others_and_these_later_than_usual() -> None:
    state, c = planning()
    known = known_at(state, c, NOW)
    silent = replace(c, announced={kind: replace(kept, told=0) for kind, kept in c.announced.items()})
    blind = known_at(state, silent, NOW)
    assert not blind.plans.left
    rows = [row for row, left in known.plans.left.items() if np.median(left) < 900]
    told, usual = (
        np.mean([p.residual_min[:, 0] for p in draw_presents(k, c, seed=4, members=range(100))], axis=0)
        for k in (known, blind)
    )
    others = list(known.plans.lowered)
    assert told[rows].mean() < 0.7 * usual[rows].mean()
    assert told[others].mean() > usual[others].mean()


def test_what_is_announced_is_in_the_situation_and_in_the_run() -> None:
    state, c = planning()
    here = situation_of(state, c, NOW)
    assert {one.stream for one in here.announced} >= {0}
    assert fingerprint(pickle.loads(pickle.dumps(here))) == fingerprint(here)
    how = Run(members=3, horizon_min=120.0)
    _, luck = drawn(here, how, range(3))
    _, deaf = drawn(replace(here, announced=()), how, range(3))
    assert fingerprint(luck) != fingerprint(deaf)
    law, engine = law_and_engine(here, scenarios("as_usual", "arrivals_up_20"), how, 1)
    assert same(law, engine)
