"""Whose triage or first contact happened and was not recorded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.histories import NOTHING_MISSING, calibration
from twin.unrecorded import Unrecorded


def world(missing: float = 0.1, n: int = 100_000, typing: float = 0.0) -> Unrecorded:
    """Waits of 60 minutes and care of 120, exponential both; `missing` of the contacts are not on record, and the
    others `typing` minutes later."""
    chance = np.random.default_rng(1)
    after = chance.exponential(60.0, n)
    return Unrecorded(np.zeros(n, dtype=np.int64), after, after + typing, after + chance.exponential(120.0, n), missing)


def ahead(of: Unrecorded, elapsed: float, group: int = 0) -> float:
    """The probability for one who is here alone."""
    return float(of.p_ahead_today(np.array([elapsed]), np.array([group]), np.zeros(1, dtype=bool))[0])


@pytest.mark.parametrize("elapsed", [10.0, 60.0, 240.0])
def test_whether_it_is_ahead_follows_from_bayes(elapsed: float) -> None:
    before = np.exp(-elapsed / 60)
    behind = 2 * (np.exp(-elapsed / 120) - np.exp(-elapsed / 60))  # here, and the contact has been
    assert ahead(world(), elapsed) == pytest.approx(before / (before + 0.1 * behind), abs=0.01)


def test_where_nothing_is_missing_it_is_ahead() -> None:
    assert [ahead(world(0.0), elapsed) for elapsed in (1.0, 500.0)] == [1.0, 1.0]


def test_the_longer_without_it_the_likelier_that_it_was_not_recorded() -> None:
    assert (np.diff([ahead(world(), elapsed) for elapsed in (5.0, 60.0, 200.0, 400.0)]) < 0).all()


def test_when_it_came_is_drawn_from_those_like_it_and_lies_before_now() -> None:
    drawn = world().came_after(100.0, 0, np.array([0.0, 0.5, 0.999]))
    assert 0 <= drawn[0] < drawn[1] < drawn[2] <= 100.0


def behind_lately(elapsed: float, within: float) -> float:
    """Of all who came, the share that is here at an age and had its contact within the last minutes."""
    after = np.linspace(elapsed - within, elapsed, 2001)
    return float(np.trapezoid(np.exp(-after / 60) / 60 * np.exp(-(elapsed - after) / 120), after))


@pytest.mark.parametrize("elapsed", [20.0, 60.0, 180.0])
def test_a_contact_may_have_been_that_is_not_typed_in_yet(elapsed: float) -> None:
    """Looked at as if all were typed in at once, the mutant, one in twenty more is taken to wait."""
    before = np.exp(-elapsed / 60)
    behind = 2 * (np.exp(-elapsed / 120) - np.exp(-elapsed / 60))
    late = behind_lately(elapsed, 10.0)
    found, blind = ahead(world(typing=10.0), elapsed), ahead(world(), elapsed)
    assert found == pytest.approx(before / (before + 0.1 * behind + 0.9 * late), abs=0.01)
    assert 1 - found > 1 - blind + 0.04


def test_one_not_typed_in_yet_came_lately() -> None:
    drawn = 100.0 - world(typing=10.0).came_after(100.0, 0, np.random.default_rng(1).random(4000))
    late, behind = behind_lately(100.0, 10.0), 2 * (np.exp(-100 / 120) - np.exp(-100 / 60))
    assert (drawn < 10.0).mean() == pytest.approx(late / (0.1 * behind + 0.9 * late), abs=0.03)
    assert (100.0 - world().came_after(100.0, 0, np.random.default_rng(1).random(4000)) < 10.0).mean() < 0.3


def test_with_nobody_like_it_it_came_just_now() -> None:
    assert world(n=50).came_after(1e6, 0, np.array([0.5])).tolist() == [1e6]


def test_a_small_group_takes_the_figures_of_all() -> None:
    big = world(n=2000)
    odd = replace(big, group=np.append(big.group[:-1], 7))
    assert ahead(odd, 60.0, group=7) == pytest.approx(ahead(big, 60.0))


def test_the_share_is_that_of_the_clerks() -> None:
    found = calibration().unrecorded
    assert found["triage"].missing_share == pytest.approx(0.05, abs=0.015)
    assert found["contact"].missing_share == pytest.approx(0.05, abs=0.015)
    assert calibration(NOTHING_MISSING).unrecorded["contact"].missing_share == 0.0
