"""The model against queueing theory: its averages are those that can be computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from twin.check_theory import by_priority, by_the_hour, erlang_c, queue, several_doctors, waits_min, without_queues
from twin.check_values import Check
from twin.durations import exponential, fixed
from twin.fate import Fate
from twin.small_hospitals import QUEUE, member, parameters, same, small_path


def fallen(checks: Sequence[Check]) -> list[str]:
    """The names of those that do not hold."""
    return [check.name for check in checks if not check.holds]


def without_priority(fate: Fate) -> Fate:
    return replace(fate, priority=np.zeros_like(fate.priority))


def longer(fate: Fate) -> Fate:
    return replace(fate, minutes=fate.minutes * 1.1)


def by_the_clock(fate: Fate) -> Fate:
    """Patients come at even intervals."""
    return replace(fate, at_min=np.linspace(fate.at_min[0], fate.at_min[-1], fate.at_min.size))


def test_several_doctors_give_the_waits_of_erlang_c() -> None:
    assert fallen(several_doctors()) == []
    assert fallen(several_doctors(30, doctors=4)) == ["mmc_p_wait", "mmc_wait"], "one doctor more is told from none"


def test_erlang_c_is_the_one_that_is_tabulated() -> None:
    assert round(erlang_c(2.0, 3), 4) == 0.4444
    assert round(erlang_c(0.5, 1), 4) == 0.5


def test_without_queues_the_census_is_poisson_around_rate_times_mean_stay() -> None:
    assert fallen(without_queues()) == []
    assert fallen(without_queues(bend=longer)) == ["infinite_census"]
    assert fallen(without_queues(bend=by_the_clock)) == ["infinite_spread"]


def test_a_rate_that_follows_the_hours_gives_the_mean_census_of_theory() -> None:
    assert fallen(by_the_hour()) == []
    assert fallen(by_the_hour(bend=longer)) == ["hourly_census"]


def test_a_priority_queue_gives_each_class_its_wait() -> None:
    assert fallen(by_priority()) == []
    assert "urgent_wait" in fallen(by_priority(40, bend=without_priority)), "a model without priority is seen"


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
