"""Who comes under a demand."""

from __future__ import annotations

import numpy as np
import pytest

from twin.demand import Crisis, Demand, pick
from twin.durations import fixed
from twin.errors import ScenarioError
from twin.luck import RESERVE
from twin.small_hospitals import DELAY, Member, member, parameters, small_path

MIX = {0: 0.1, 2: 0.3, 4: 0.6}


def coming(demand: Demand, hours: float = 240.0) -> Member:
    path = small_path(DELAY)
    return member(path, parameters(path, {"service": fixed(1)}, per_hour=6.0, classes=MIX), hours=hours, demand=demand)


def test_a_lower_level_thins_and_a_higher_one_adds() -> None:
    base, less, more = (set(coming(Demand(((0.0, f),))).fate.visit.tolist()) for f in (1.0, 0.5, 2.0))
    assert less < base < more
    assert len(less) / len(base) == pytest.approx(0.5, abs=0.06)
    assert len(more) / len(base) == pytest.approx(2.0, abs=0.12)


def test_a_level_holds_from_its_minute_on() -> None:
    at = coming(Demand(((0.0, 1.0), (7200.0, 0.0)))).fate.at_min
    assert at.max() < 7200
    assert at.size > 600


def test_victims_come_in_their_window_with_their_severity() -> None:
    crisis = Crisis(60, 100.0, 50.0, {0: 1.0})
    fate = coming(Demand(crises=(crisis,)), hours=4).fate
    acuity = np.array(list(MIX))[fate.cls]
    victims = fate.visit < RESERVE
    assert victims.sum() == 60
    assert (acuity[victims] == 0).all()
    assert ((fate.at_min[victims] >= 100) & (fate.at_min[victims] <= 150)).all()
    assert set(acuity[~victims]) == {0, 2, 4}


def test_a_severity_that_is_not_told_apart_leaves_the_usual_mix() -> None:
    fate = coming(Demand(crises=(Crisis(100, 0.0, 10.0, {1: 1.0}),)), hours=4).fate
    acuity = np.array(list(MIX))[fate.cls[fate.visit < RESERVE]]
    assert (acuity == 4).mean() == pytest.approx(0.6, abs=0.15)


def test_more_than_luck_was_drawn_for_is_refused() -> None:
    with pytest.raises(ScenarioError, match="factor from 0 to 3, but by 3"):
        coming(Demand(((0.0, 3.5),)))
    with pytest.raises(ScenarioError, match="may bring 100 patients, but brings 101"):
        coming(Demand(crises=(Crisis(101, 0.0, 1.0, {0: 1.0}),)))


def test_pick_takes_the_index_whose_running_sum_passes_the_uniform() -> None:
    share = np.array([[0.2, 0.0, 0.8]] * 4)
    assert pick(share, np.array([0.0, 0.1999, 0.2, 0.9999])).tolist() == [0, 0, 2, 2]
    assert pick(np.array([[0.5, 0.5 - 1e-12]]), np.array([1 - 1e-13])).tolist() == [1]
