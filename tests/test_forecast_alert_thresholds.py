"""What a rule's bound is in this hospital: whole numbers that people can say."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from forecast.alert_rules import Rule
from forecast.alert_thresholds import LEAST_INSTANTS, threshold_of
from forecast.baselines import History
from forecast.values import Array


def history(free: Array) -> History:
    """A past in which one ward had so many beds free."""
    at = datetime(2026, 9, 7, tzinfo=UTC)
    return History(at, {"beds_free:uhcd": free}, "Europe/Paris", free.size - 1)


def bound(low: int, high: int) -> float | None:
    rule = Rule(fr="Pleins", en="Full", measure="beds_free", under="p5")
    past = np.linspace(low, high, 2 * LEAST_INSTANTS).round()
    return threshold_of(rule, history(past), None)


@pytest.mark.parametrize(("low", "high", "found"), [(10, 30, 11.0), (2, 3, 2.0), (0, 9, 1.0), (-6, 4, 1.0)])
def test_fewer_than_none_is_never_a_bound(low: int, high: int, found: float) -> None:
    """In a house with more patients than beds the lowest twentieth is below none: "fewer than -6" is nothing to say."""
    assert bound(low, high) == found


def test_a_past_that_is_too_short_says_nothing() -> None:
    rule = Rule(fr="Pleins", en="Full", measure="beds_free", under="p5")
    assert threshold_of(rule, history(np.ones(10)), None) is None
