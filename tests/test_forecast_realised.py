"""What a change did: an interval that holds the true effect as often as it says, narrower for arrivals."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.promises import arrivals_of, foreseen_of
from forecast.realised import Effect, Promise, as_plain, distance, effect_of, habit, realised, together
from forecast.values import Members

MEMBERS = 400


def world(dice: np.random.Generator) -> tuple[Promise, np.ndarray, float, float, float]:
    """Members of a law, and a truth of the same law: what happened with the change, arrivals, and without it."""
    came = dice.poisson(60, MEMBERS + 1).astype(float)
    without = 0.4 * came + dice.normal(0, 3, MEMBERS + 1)
    with_it = without - 2.0 + dice.normal(0, 1, MEMBERS + 1)
    promise = Promise(without[:-1], with_it[:-1])
    return promise, came[:-1], float(with_it[-1]), float(came[-1]), float(with_it[-1] - without[-1])


def coverage(*, arrivals: bool, wrong: float = 0.0, times: int = 500) -> tuple[float, float]:
    dice = np.random.default_rng(3)
    held, width = [], []
    for _ in range(times):
        promise, came, happened, then, true = world(dice)
        effect = realised("m", promise, happened + wrong, came=came if arrivals else None, came_then=then)
        low, _, high = effect.effect
        held.append(low <= true <= high)
        width.append(high - low)
    return float(np.mean(held)), float(np.mean(width))


def test_the_interval_holds_the_true_effect_8_times_in_10_and_arrivals_make_it_narrower() -> None:
    plain, with_arrivals = coverage(arrivals=False), coverage(arrivals=True)
    assert plain[0] == pytest.approx(0.8, abs=0.05)
    assert with_arrivals[0] == pytest.approx(0.8, abs=0.05)
    assert with_arrivals[1] < 0.8 * plain[1]


def test_a_truth_that_is_taken_wrong_is_seen() -> None:
    assert coverage(arrivals=True, wrong=4.0)[0] < 0.6


def test_an_effect_tells_where_its_interval_leaves_0_out_and_stands_beside_what_was_foreseen() -> None:
    effect = Effect("ed_waiting", 10.0, (12.0, 14.0, 16.0), (-5.0, -4.0, -3.0))
    assert effect.effect == (-6.0, -4.0, -2.0)
    assert effect.tells
    assert effect.as_foreseen
    assert not Effect("m", 10.0, (8.0, 10.0, 12.0), (-1.0, 0.0, 1.0)).tells
    assert not Effect("m", 10.0, (12.0, 14.0, 16.0), (1.0, 2.0, 3.0)).as_foreseen
    assert effect_of(as_plain(effect)) == effect


def test_several_times_the_same_tell_more_than_one() -> None:
    one = Effect("m", 10.0, (8.0, 12.0, 16.0), (-1.0, 0.0, 1.0))
    low, middle, high = together([one] * 4)
    assert (low, middle, high) == pytest.approx((-4.0, -2.0, 0.0))


def test_what_is_foreseen_is_a_mean_over_the_leads_after_now_and_arrivals_are_counted_once() -> None:
    lead = np.arange(0.0, 121.0, 15.0)
    came = np.zeros((9, 2))
    came[4], came[8] = (5, 6), (7, 1)
    census = np.arange(18.0).reshape(9, 2)
    usual = Members(lead, {"ed_census": census, "ed_arrivals": came})
    [(measure, promise, arrived)] = list(
        foreseen_of(usual, Members(lead, {"ed_census": census - 1, "ed_arrivals": came}))
    )
    assert measure == "ed_census"
    assert promise.without.tolist() == census[1:].mean(axis=0).tolist()
    assert (promise.with_it - promise.without).tolist() == [-1.0, -1.0]
    assert arrived is not None
    assert arrived.tolist() == arrivals_of(usual).tolist() == [12.0, 7.0]
    [(_, _, none)] = list(foreseen_of(usual, Members(lead, {"ed_census": census, "ed_arrivals": came * 2})))
    assert none is None, "a change that moves arrivals cannot be told apart from them"


def test_placebos_widen_and_move_what_is_too_sure_of_itself() -> None:
    """Members whose spread is half of what it should be, and who say one patient too little."""
    dice = np.random.default_rng(5)
    held, believed = [], []
    far: list[float] = []
    for _ in range(300):
        without = dice.normal(20.0, 1.5, MEMBERS)
        observed = float(dice.normal(21.0, 3.0))
        promise = Promise(without, without)
        told = realised("m", promise, observed, came=None, came_then=0.0, by_habit=habit(far))
        bare = realised("m", promise, observed, came=None, came_then=0.0)
        held.append(told.effect[0] <= 0 <= told.effect[2])
        believed.append(bare.effect[0] <= 0 <= bare.effect[2])
        far.append(distance(promise, observed, came=None, came_then=0.0))
    assert np.mean(held[50:]) == pytest.approx(0.8, abs=0.07)
    assert np.mean(believed[50:]) < 0.6, "the mutant knows of no placebo"
    assert habit([]).of(np.array([1.0, 2.0, 3.0])).tolist() == [1.0, 2.0, 3.0]
