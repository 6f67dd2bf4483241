"""Whose triage or first contact happened and was not recorded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.histories import NOTHING_MISSING, calibration
from twin.unrecorded import Unrecorded


def world(missing: float = 0.1, n: int = 100_000) -> Unrecorded:
    """Waits of 60 minutes and care of 120, exponential both; `missing` of the contacts are not on record."""
    chance = np.random.default_rng(1)
    after = chance.exponential(60.0, n)
    return Unrecorded(np.zeros(n, dtype=np.int64), after, after + chance.exponential(120.0, n), missing)


def ahead(of: Unrecorded, elapsed: float, group: int = 0) -> float:
    """The probability for one who is here alone."""
    one, nobody = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=bool)
    return float(of.p_ahead_today(np.array([elapsed]), np.array([group]), one, nobody)[0])


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
