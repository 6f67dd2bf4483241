"""The model against queueing theory: its averages are those that can be computed."""

from __future__ import annotations

from dataclasses import replace
from math import exp, factorial

import numpy as np
import pytest

from tests.small_hospitals import DELAY, QUEUE, Array, Here, Member, member, parameters, present, same, small_path
from twin.durations import exponential, fixed, lognormal
from twin.fate import Fate
from twin.measures import inside

DAY_H = 24


def erlang_c(load: float, servers: int) -> float:
    """Probability of waiting in M/M/c, `load` = arrival rate x mean service."""
    blocked = load**servers / factorial(servers) * servers / (servers - load)
    return blocked / (sum(load**k / factorial(k) for k in range(servers)) + blocked)


def waits_min(ran: Member) -> Array:
    visits = ran.visits
    seen = ~np.isnan(visits.seen_min)
    return np.asarray((visits.seen_min - visits.arrived_min)[seen])


def queue(per_hour: float, service_min: float, servers: int, days: int, **options: object) -> Member:
    path = small_path(QUEUE)
    believed = parameters(path, {"service": exponential(service_min)}, per_hour=per_hour, **options)  # type: ignore[arg-type]
    return member(path, believed, hours=days * DAY_H, capacity={"doctor": servers}, seed=11)


def test_several_doctors_give_the_waits_of_erlang_c() -> None:
    per_hour, service_min, servers = 9.0, 15.0, 3
    waits = waits_min(queue(per_hour, service_min, servers, days=90))
    load = per_hour * service_min / 60
    p_wait = erlang_c(load, servers)
    mean_min = p_wait * service_min / (servers - load)
    assert (waits > 0).mean() == pytest.approx(p_wait, rel=0.05)
    assert waits.mean() == pytest.approx(mean_min, rel=0.10)
    wrong = erlang_c(load, servers + 1) * service_min / (servers + 1 - load)
    assert waits.mean() != pytest.approx(wrong, rel=0.10), "the check tells one doctor more from none"


def test_without_queues_the_census_is_poisson_around_rate_times_mean_stay() -> None:
    path, stay = small_path(DELAY), lognormal(90.0, 0.9)
    believed = parameters(path, {"service": stay}, per_hour=8.0)
    visits = member(path, believed, hours=140 * DAY_H, seed=3).visits
    census = inside(visits.arrived_min, visits.departed_min, np.arange(2 * 1440.0, 140 * 1440.0, 360.0))
    expected = 8.0 / 60 * float(stay.mean_min()[0, 0, 0])
    assert census.mean() == pytest.approx(expected, rel=0.04)
    assert census.var() / census.mean() == pytest.approx(1.0, abs=0.15)


def test_a_rate_that_follows_the_hours_gives_the_mean_census_of_theory() -> None:
    hourly = 6 + 5 * np.sin(2 * np.pi * np.arange(168) / 24)
    path, mean_min, days = small_path(DELAY), 120.0, 200
    visits = member(
        path, parameters(path, {"service": exponential(mean_min)}, per_hour=hourly), hours=days * DAY_H
    ).visits
    grid = np.arange(2 * 1440.0, days * 1440.0, 60.0)
    census = inside(visits.arrived_min, visits.departed_min, grid).reshape(-1, 24).mean(axis=0)
    assert census == pytest.approx(_theory(hourly, mean_min), rel=0.07)


def _theory(hourly: Array, mean_min: float) -> Array:
    """Integral of rate(t - s) P(stay > s) ds at each full hour, in steady state; the rate is constant within hours."""
    keep = exp(-60 / mean_min)
    census = 0.0
    out = np.empty(24)
    for hour in range(24 * 10):
        out[hour % 24] = census
        census = census * keep + hourly[hour % 24] / 60 * mean_min * (1 - keep)
    return out


def by_priority(days: int, bend: bool) -> tuple[float, float]:
    """Mean waits of the urgent and of the others, in minutes; `bend` plants a mutant that ignores priority."""
    path = small_path(QUEUE)
    believed = parameters(path, {"service": exponential(12.0)}, per_hour=4.0, classes={0: 0.4, 4: 0.6})

    def ignore(fate: Fate) -> Fate:
        return replace(fate, priority=np.zeros_like(fate.priority)) if bend else fate

    ran = member(path, believed, hours=days * DAY_H, capacity={"doctor": 1}, seed=5, bend=ignore)
    visits = ran.visits
    wait = visits.seen_min - visits.arrived_min
    return float(np.nanmean(wait[visits.acuity == 0])), float(np.nanmean(wait[visits.acuity == 4]))


def test_a_priority_queue_gives_each_class_its_wait() -> None:
    busy, urgent_busy, service_min = 0.8, 0.32, 12.0
    remaining_min = busy * service_min
    urgent_min = remaining_min / (1 - urgent_busy)
    other_min = remaining_min / ((1 - urgent_busy) * (1 - busy))
    urgent, other = by_priority(300, bend=False)
    assert urgent == pytest.approx(urgent_min, rel=0.06)
    assert other == pytest.approx(other_min, rel=0.12)
    assert by_priority(40, bend=True)[0] != pytest.approx(urgent_min, rel=0.5), "a model without priority is seen"


def test_doctors_beyond_need_end_all_waiting_and_none_ends_all_care() -> None:
    assert waits_min(queue(20.0, 30.0, 10_000, days=3)).max() == 0
    closed = queue(20.0, 30.0, 0, days=1).visits
    assert np.isnan(closed.seen_min).all()
    assert (~np.isnan(closed.arrived_min)).sum() > 300


def test_without_arrivals_nothing_happens() -> None:
    path = small_path(QUEUE)
    assert member(path, parameters(path, {"service": fixed(5)}), hours=48).story.at_min.size == 0


def test_the_same_seed_gives_the_same_story_and_another_another() -> None:
    one, again = queue(9.0, 15.0, 3, days=2), queue(9.0, 15.0, 3, days=2)
    assert same(one.story, again.story)
    path = small_path(QUEUE)
    believed = parameters(path, {"service": exponential(15.0)}, per_hour=9.0)
    other = member(path, believed, hours=48, capacity={"doctor": 3}, seed=12)
    assert not same(one.story, other.story)


def stay_on(spoil: bool) -> tuple[float, float, float]:
    """Mean census at 260 min of those here at 200: straight; stopped at 200, residuals drawn anew; error of that."""
    path, stay = small_path(DELAY), lognormal(120.0, 0.35)
    believed = parameters(path, {"service": stay}, per_hour=10.0)
    nobody = parameters(path, {"service": stay})
    straight, again = [], []
    for number in range(150):
        visits = member(path, believed, hours=5, number=number).visits
        here = (visits.arrived_min < 200) & ~(visits.departed_min < 200)
        straight.append(int((here & ~(visits.departed_min < 260)).sum()))
        lasted = 200 - visits.arrived_min[here]
        zero = np.zeros(lasted.size, dtype=np.int64)
        uniform = np.random.default_rng(number).random(lasted.size)
        left = stay.residual(uniform, 0 * lasted if spoil else lasted, zero, zero)[:, 0]
        people = [Here("stay", True, -since, -since, rest) for since, rest in zip(lasted, left, strict=True)]
        gone = member(path, nobody, hours=1, here=present(path, *people)).visits.departed_min
        again.append(lasted.size - int((gone < 60).sum()))
    difference = np.array(straight) - np.array(again)
    return float(np.mean(straight)), float(np.mean(again)), float(difference.std() / difference.size**0.5)


def test_stopping_and_starting_again_with_residuals_drawn_anew_gives_the_same_distribution() -> None:
    straight, again, error = stay_on(spoil=False)
    assert abs(straight - again) < 3 * error
    straight, again, error = stay_on(spoil=True)
    assert abs(straight - again) > 6 * error, "residuals that ignore how long it has lasted are seen"
