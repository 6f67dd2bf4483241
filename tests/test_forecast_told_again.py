"""Forecasts met by a truth that is told again are as those that it met at first."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecast.simulated import Lesson
from forecast.told_again import met_anew, told_again
from forecast.values import Array, Forecast, Series, series
from forecast.verify import Pairs, joined, score

START = datetime(2025, 3, 3, tzinfo=UTC)
LEADS = (60.0, 120.0, 240.0)
MEASURES = ("ed_census", "ed_waiting")


def drawn(seed: int, around: float) -> Series:
    return series(np.random.default_rng(seed).normal(around, 4.0, (len(LEADS), 50)).round())


def met(came: dict[str, Array], issue: int) -> Pairs:
    """One forecast whose simulation, rival and published quantiles all differ."""
    at, seeds = START + timedelta(hours=issue), (issue * 10 + k for k in range(6))
    published, raw, rival = ({m: drawn(next(seeds), 40.0 + k) for m in MEASURES} for k in range(3))
    told = Forecast(at, at, at, np.array(LEADS), {"as usual": published}, {}, {}, raw={"as usual": raw})
    return score(told, came, {"rival": rival}, lead_min=LEADS, raw=raw)


def truth(seed: int) -> dict[str, Array]:
    values = np.random.default_rng(seed).normal(40.0, 6.0, (2, len(LEADS))).round()
    return dict(zip(MEASURES, values, strict=True))


def rows(pairs: Pairs) -> dict[str, Array]:
    """Every number of the pairs, in an order of their own."""
    order = np.lexsort((pairs.lead_min, pairs.measure.astype(str), pairs.issued_at))
    alone = [f.name for f in fields(pairs) if f.name not in ("inside", "rivals", "levels", "measure")]
    numbers = {name: getattr(pairs, name) for name in alone}
    numbers |= {f"inside {percent}": hit for percent, hit in pairs.inside.items()}
    rival = pairs.rivals["rival"]
    numbers |= {"rival": rival.crps, "rival error": rival.absolute_error, "rival quantiles": rival.quantiles}
    return {name: np.asarray(values)[order] for name, values in numbers.items()}


def same(one: Pairs, other: Pairs) -> bool:
    mine, theirs = rows(one), rows(other)
    return all(
        np.allclose(values, theirs[name], atol=1e-9, equal_nan=True)
        if values.dtype.kind == "f"
        else np.array_equal(values, theirs[name])
        for name, values in mine.items()
    )


@pytest.mark.parametrize("unknown", [False, True])
def test_what_is_met_anew_is_what_is_met_at_first(unknown: bool) -> None:
    early, late = truth(1), truth(2)
    late["ed_census"][1] = early["ed_census"][1]
    if unknown:
        early["ed_waiting"][0] = late["ed_census"][2] = np.nan
    before, at_once = met(early, 0), met(late, 0)
    assert not same(before, at_once)
    if unknown:  # an error that was never known cannot be moved
        known = ~np.isnan(before.observed)
        before, at_once = before.taken(np.flatnonzero(known)), at_once.taken(np.flatnonzero(known))
    after = met_anew(before, at_once.observed)
    assert same(after, at_once)
    assert not same(replace(after, crps=before.crps), at_once), "the mutant: scored once and for all"


def test_a_lesson_meets_the_pairs_that_it_speaks_of_and_no_others() -> None:
    early, late = truth(1), truth(2)
    pairs = joined([met(early, issue) for issue in range(4)])
    times = [START + timedelta(hours=1) + timedelta(minutes=lead) for lead in LEADS]  # 2, 3 and 5 o'clock
    after = told_again(pairs, Lesson(START + timedelta(days=7), times, {"ed_census": late["ed_census"]}))
    clock = (after.issued_at.astype(np.int64) / 3.6e9 + after.lead_min / 60) % 24
    spoken_of = np.isin(clock, (2, 3, 5)) & (after.measure == "ed_census")
    wanted = late["ed_census"][np.searchsorted((2, 3, 5), clock[spoken_of])]
    np.testing.assert_array_equal(after.observed[spoken_of], wanted)
    left = after.taken(np.flatnonzero(~spoken_of))
    assert len(left) == len(pairs) - spoken_of.sum() > 0
    place = np.searchsorted(LEADS, left.lead_min)
    np.testing.assert_array_equal(left.observed, [early[m][k] for m, k in zip(left.measure, place, strict=True)])
