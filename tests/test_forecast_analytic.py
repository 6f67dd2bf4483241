"""The analytic count model: who is here stays as others have stayed, and who comes is Poisson."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from forecast.analytic import ENOUGH, RIVAL, census, stays_beyond, still_here, with_count_model
from forecast.situation import Situation
from forecast.values import Array
from tests.histories import NOON as NOW
from tests.histories import NOTHING_MISSING, situation, state
from twin.reporting import EXITS, Reporting
from twin.settled import BLOCKS
from twin.waits import WARD

LEADS = np.array([60.0, 240.0, 480.0])


@cache
def here() -> Situation:
    return situation(NOW, NOTHING_MISSING)


def nobody_comes(of: Situation) -> Situation:
    c = of.calibration
    streams = tuple(replace(s, per_hour=0.0 * s.per_hour) for s in c.parameters.streams)
    return replace(of, calibration=replace(c, parameters=replace(c.parameters, streams=streams)))


def means(of: Situation) -> Array:
    return np.asarray(census(of, LEADS, members=4000, seed=1).mean(axis=1))


def test_who_is_here_leaves_as_those_who_stayed_as_long_did() -> None:
    known, p = here().known, still_here(here(), LEADS)
    rows = np.flatnonzero(known.situation != WARD)
    assert p.shape == (LEADS.size, rows.size)
    assert (np.diff(p, axis=0) <= 0).all()
    elapsed = -known.exit_since_min[rows[0]]
    left = stays_beyond(here().calibration.exits[EXITS[known.exit[rows[0]]]], int(known.acuity[rows[0]]), elapsed)
    assert left.min() > elapsed
    assert p[0, 0] == pytest.approx(known.p_here[rows[0]] * (left > elapsed + 60).mean())


def test_who_has_waited_and_is_not_seen_stays_as_those_who_were_not_seen_by_then() -> None:
    """Two of each kind: those seen within the hour leave at once, the others stay for long. The mutant asks all."""
    stay, moves_on = np.repeat([90.0, 400.0], ENOUGH), np.repeat([30.0, 350.0], ENOUGH)
    told = Reporting(np.full(stay.size, 3 * BLOCKS), stay, np.zeros(stay.size), moves_on)
    assert stays_beyond(told, 2, 60.0).tolist() == [400.0] * ENOUGH
    assert set(stays_beyond(replace(told, moves_on=np.full(stay.size, np.inf)), 2, 60.0)) == {90.0, 400.0}


def test_the_mean_is_the_sum_of_those_still_here_and_of_those_who_will_have_come() -> None:
    alone = nobody_comes(here())
    assert means(alone) == pytest.approx(still_here(here(), LEADS).sum(axis=1), abs=0.1)
    stream = here().calibration.parameters.streams[0]
    flat = replace(stream, per_hour=np.full(168, 4.0), day_cv=0.0, on_days=())
    c = here().calibration
    steady = replace(here(), calibration=replace(c, parameters=replace(c.parameters, streams=(flat,))))
    stays = c.exits["unseen"].stay
    come = [4.0 / 60 * np.minimum(stays, lead).mean() for lead in LEADS]
    assert means(steady) - means(alone) == pytest.approx(np.array(come), rel=0.04)


def test_with_a_level_that_differs_from_day_to_day_it_spreads_more() -> None:
    stream, c = here().calibration.parameters.streams[0], here().calibration

    def spread(day_cv: float) -> float:
        of = replace(c, parameters=replace(c.parameters, streams=(replace(stream, day_cv=day_cv),)))
        return float(census(replace(here(), calibration=of), LEADS, members=4000, seed=1)[2].std())

    assert spread(0.5) > 1.1 * spread(0.0)


def test_the_same_seed_gives_the_same_and_the_state_is_left_alone() -> None:
    before = state(NOW, NOTHING_MISSING).hash
    assert np.array_equal(census(here(), LEADS, members=5, seed=1), census(here(), LEADS, members=5, seed=1))
    assert not np.array_equal(census(here(), LEADS, members=5, seed=1), census(here(), LEADS, members=5, seed=2))
    assert state(NOW, NOTHING_MISSING).hash == before


def test_it_stands_beside_the_other_baselines_for_the_census() -> None:
    beside = with_count_model({"persistence": {}}, here(), NOW, LEADS)
    assert list(beside) == ["persistence", RIVAL]
    assert beside[RIVAL]["ed_census"].mean == pytest.approx(means(here()), rel=0.06)
    late = with_count_model({}, here(), NOW + timedelta(hours=3), LEADS[:1])
    assert late[RIVAL]["ed_census"].mean[0] == pytest.approx(means(here())[1], rel=0.06), (
        "one hour on is four from then"
    )
