"""What simple rules say of peaks: from the value now, along paths that keep their rank."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecast.baselines import History
from forecast.peak_rivals import SAYING, PeakRivals, beside, path_of
from forecast.values import Array, Series, series

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
DAY = 96
LEADS = (60.0, 240.0, 720.0)


def daily(days: int, *, lift: float = 0.0) -> Array:
    """Forty people, ten more at noon and ten fewer at midnight, every day the same but for a little noise."""
    step = np.arange(DAY * days + 1)
    noise = np.random.default_rng(4).normal(0.0, 0.5, step.size)
    return np.asarray(40.0 - 10.0 * np.cos(2 * np.pi * step / DAY) + noise + lift)


def history(days: int = 42, measure: str = "ed_census") -> History:
    values = daily(days)
    return History(MONDAY, {measure: values}, "UTC", values.size - 1)


def told(now: float = 30.0) -> dict[str, dict[str, Series]]:
    past = history()
    return PeakRivals(past, LEADS).ahead(past.as_of, {"ed_census": now})


def test_each_rule_says_height_and_time_at_every_lead() -> None:
    assert set(told()) == set(SAYING)
    for by in told().values():
        assert set(by) == {"peak:ed_census", "peak_min:ed_census"}
        assert all(one.mean.shape == (len(LEADS),) for one in by.values())
        assert all(not np.isnan(q).any() for one in by.values() for q in one.quantiles.values())


def test_nothing_moves_says_the_value_now_and_what_it_was_wrong_by_above_it() -> None:
    """No peak lies below the value now; the mutant, of which now is no part, does."""
    said = told()["persistence"]
    assert said["peak:ed_census"].quantiles[0.1][0] == 30.0
    assert said["peak_min:ed_census"].quantiles[0.1][0] == 0.0
    assert all((q >= 30.0).all() for q in said["peak:ed_census"].quantiles.values())
    without_now = path_of(30.0, series(np.full((2, 9), 20.0)))[1:]
    assert (without_now.max(axis=0) < 30.0).all()


def test_as_usual_says_the_usual_peak_and_its_hour() -> None:
    """From midnight the highest of the next twelve hours comes at their end, at noon."""
    said = told()["climatology"]
    middle = said["peak:ed_census"].quantiles[0.5]
    assert middle[-1] == pytest.approx(50.0, abs=1.0)
    assert (np.diff(middle) > 0).all(), "the longer the stretch, the higher its peak"
    assert said["peak_min:ed_census"].quantiles[0.5][-1] == pytest.approx(720.0, abs=60.0)


def test_what_lasts_of_today_lifts_the_peak() -> None:
    usual, lifted = (told(now)["anomaly_persistence"]["peak:ed_census"].quantiles[0.5] for now in (30.0, 45.0))
    assert lifted[0] > usual[0] + 1.0


def test_it_falls_silent_where_nothing_is_known() -> None:
    other = history(measure="ed_boarders")
    assert PeakRivals(other, LEADS).ahead(other.as_of, {"ed_boarders": 3.0}) == {}
    unknown = told(float("nan"))["persistence"]["peak:ed_census"]
    assert np.isnan(unknown.mean).all()


def test_it_cannot_look_ahead() -> None:
    past = history()
    with pytest.raises(ValueError, match="looks ahead"):
        PeakRivals(past, LEADS).ahead(past.as_of - timedelta(minutes=15), {"ed_census": 30.0})


def test_peaks_stand_beside_what_rivals_say_of_all_else() -> None:
    one = series(np.ones((3, 9)))
    both = beside(
        {"persistence": {"ed_census": one}, "count_model": {"ed_census": one}}, {"persistence": {"peak": one}}
    )
    assert {name: list(by) for name, by in both.items()} == {
        "persistence": ["ed_census", "peak"], "count_model": ["ed_census"],
    }  # fmt: skip
