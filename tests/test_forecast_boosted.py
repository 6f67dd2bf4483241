"""The boosted rival: better than as usual where now tells something, the same twice, blind to what comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from forecast import boosted as module
from forecast.baselines import History, fit
from forecast.boosted import MEASURE, Boosted
from forecast.scores import crps_quantiles
from forecast.usual import A_DAY
from forecast.values import LEVELS, Array, Series

pytest.importorskip("lightgbm", reason="lightgbm is not installed (pip install edtwin[boosted])")
START = datetime(2026, 1, 5, tzinfo=UTC)
LEADS = np.array([60.0, 240.0])


def history(days: int = 40, now: int | None = None) -> History:
    """A daily wave, with departures that last for some hours."""
    rng, size = np.random.default_rng(1), days * A_DAY
    departure = np.zeros(size)
    for i in range(1, size):
        departure[i] = 0.97 * departure[i - 1] + rng.normal(0.0, 1.2)
    census = 40.0 + 8.0 * np.sin(2 * np.pi * np.arange(size) / A_DAY) + departure
    arrivals = rng.poisson(8.0, size).astype(np.float64)
    return History(START, {MEASURE: census, "ed_arrivals": arrivals}, "UTC", size - 1 if now is None else now)


def numbers(said: Series) -> Array:
    return np.stack([said.quantiles[level] for level in LEVELS], axis=-1)


def test_it_beats_as_usual_says_the_same_twice_and_is_blind_to_what_comes() -> None:
    whole, first = history(), 34 * A_DAY
    past = replace(whole, now_index=first)
    trees, rivals = Boosted(past, LEADS), fit(past, lead_min=LEADS)
    scores = []
    for now in range(first, whole.now_index - 20, 37):
        at = replace(whole, now_index=now)
        usual = rivals.ahead(at.as_of, at.now, at)["climatology"][MEASURE]
        came = whole.measures[MEASURE][now + (LEADS / 15).astype(int)]
        scores.append([crps_quantiles(numbers(s), came, levels=LEVELS) for s in (trees.ahead(at), usual)])
    ours, usual_score = np.mean(scores, axis=(0, 2))
    assert ours < 0.9 * usual_score
    later = {m: np.where(np.arange(v.size) > first, 999.0, v) for m, v in whole.measures.items()}
    again = Boosted(replace(past, measures=later), LEADS).ahead(replace(past, measures=later))
    assert (numbers(again) == numbers(trees.ahead(past))).all()
    peeking = replace(past, measures=later, now_index=first + 1)  # the mutant
    assert (numbers(trees.ahead(peeking)) != numbers(again)).any()


def test_quantiles_rise_and_a_short_history_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TREES", 5)
    said = numbers(Boosted(history(20), LEADS[:1]).ahead(history(20)))
    assert (np.diff(said) >= 0).all()
    assert (said >= 0).all()
    assert np.isnan(numbers(Boosted(history(10), LEADS).ahead(history(10)))).all()
