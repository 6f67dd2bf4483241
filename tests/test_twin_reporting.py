"""Who of those without an exit is still here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.histories import calibration
from twin import reporting as module
from twin.alike import group_of
from twin.reporting import EXITS, FORGOTTEN_MIN, Reporting, p_here_today, typed_after


def world(n: int = 200_000, missing: float = 0.1, late: float = 0.2, seed: int = 1) -> Reporting:
    chance = np.random.default_rng(seed)
    stay = chance.exponential(180.0, n)
    delay = np.where(chance.random(n) < late, 120.0, 0.0)
    never = np.full(n, np.inf)
    return Reporting(np.zeros(n, dtype=np.int64), stay, np.where(chance.random(n) < missing, np.inf, delay), never)


@pytest.mark.parametrize("elapsed", [30.0, 180.0, 400.0])
def test_the_probability_of_being_here_follows_from_bayes(elapsed: float) -> None:
    here = np.exp(-elapsed / 180)
    gone_unseen = 0.1 * (1 - here) + 0.9 * 0.2 * (np.exp(-max(elapsed - 120, 0) / 180) - here)
    expected = here / (here + gone_unseen)
    assert world().p_here(np.array([elapsed]), np.array([0]))[0] == pytest.approx(expected, abs=0.01)


def test_when_all_exits_are_told_at_once_everyone_without_one_is_here() -> None:
    told = world(n=2000, missing=0.0, late=0.0)
    assert (told.p_here(np.array([10.0, 300.0]), np.array([0, 0])) == 1.0).all()


def test_beyond_every_stay_only_ghosts_are_left() -> None:
    assert world(n=2000).p_here(np.array([1e6]), np.array([0]))[0] == 0.0


def test_one_who_left_unseen_left_before_now() -> None:
    assert 0 <= world(n=2000).left_after(200.0, 0, 0.99) <= 200.0


def test_a_small_group_takes_the_figures_of_all() -> None:
    big = world(n=2000)
    small = Reporting(
        np.append(big.group, 7), np.append(big.stay, 1.0), np.append(big.delay, 0.0), np.append(big.moves_on, np.inf)
    )
    assert small.p_here(np.array([200.0]), np.array([7]))[0] == pytest.approx(
        big.p_here(np.array([200.0]), np.array([0]))[0], abs=0.01
    )


def test_visits_that_moved_on_do_not_count() -> None:
    n = 100
    stay = np.where(np.arange(n) < 50, 60.0, 600.0)
    moves_on = np.where(np.arange(n) < 50, np.inf, 100.0)
    told = Reporting(np.zeros(n, dtype=np.int64), stay, np.full(n, np.inf), moves_on)
    assert told.p_here(np.array([90.0, 200.0]), np.array([0, 0])).tolist() == [0.5, 0.0]


def test_what_is_typed_in_at_once_is_told_apart_from_what_was_forgotten() -> None:
    found = typed_after(calibration().exits)
    assert (np.diff(found) >= 0).all()
    assert 0 <= found[0] <= found[-1] < FORGOTTEN_MIN
    assert 2.0 < np.median(found) < 15.0


def test_after_days_a_ward_of_hours_is_not_like_wards_of_weeks() -> None:
    """Taken together, the mutant, who left a ward of hours untold ten days ago is likely to lie there still."""
    day = 1440.0
    stay = np.concatenate([np.full(300, 0.4 * day), np.linspace(2 * day, 28 * day, 300)])
    told = Reporting(
        group=np.repeat([group_of(np.array([0]), np.array([2]))[0], group_of(np.array([1]), np.array([2]))[0]], 300),
        stay=stay,
        delay=np.where(np.arange(600) % 50 == 0, np.inf, 10.0),
        moves_on=np.full(600, np.inf),
        apart=True,
    )
    at, group = np.array([10 * day]), told.group[:1]
    assert told.p_here(at, group).tolist() == [0.0]
    assert replace(told, apart=False).p_here(at, group)[0] > 0.5
    assert told.p_here(at, told.group[-1:]).tolist() == replace(told, apart=False).p_here(at, told.group[-1:]).tolist()
    assert told.left_after(10 * day, int(group[0]), 0.5) == 0.4 * day


def still_here(kind: str) -> float:
    """Of 21 visits of one kind and seven acuities, most of which have usually left by their age and said so, the
    probability to be here of the 20 that have not."""
    visits = np.arange(21)
    usual = np.full(visits.size, 0.85), np.full(visits.size, 0.9)
    group, code = group_of(visits % 7, np.zeros_like(visits)), np.full(visits.size, EXITS.index(kind))
    p = p_here_today(code, np.full(visits.size, 600.0), group, visits == 0, usual)
    return float(p[1:].mean())


def test_on_a_day_on_which_nobody_gets_a_bed_those_who_board_are_here_whatever_their_acuity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The mutant asks those of one's own acuity alone, three at a time, and takes a tenth of them for gone."""
    here, unseen = still_here("decided"), still_here("unseen")
    assert here > 0.97
    monkeypatch.setattr(module, "WAIT_ALIKE", ())
    assert still_here("decided") == unseen < here - 0.05
