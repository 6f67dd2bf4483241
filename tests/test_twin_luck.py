"""Luck: the same for the same seed and member, apart by purpose, uniform, and kept under every demand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.small_hospitals import DELAY, START, WHOLE, Array, parameters, small_path
from twin.durations import fixed
from twin.luck import CRISIS, HERE, RESERVE, Luck, draw

FIELDS = ("mark", "cls", "stage", "then", "wanted", "patience", "freed")


def some(seed: int = 1, member: int = 0, here: int = 3, text: str = WHOLE, hours: float = 48, cv: float = 0.1) -> Luck:
    path = small_path(text)
    names = {name: fixed(1) for name in path.durations}
    believed = parameters(path, names, per_hour=5.0, shares={"p_admit": 0.2}, wanted={"medicine": 1.0}, day_cv=cv)
    return draw(path, believed, here, seed=seed, member=member, start=START, horizon_min=hours * 60, zone="UTC")


def arrays(luck: Luck) -> dict[str, Array]:
    return {name: getattr(luck, name) for name in (*FIELDS, "at_min")}


def test_the_same_seed_and_member_have_the_same_luck_and_others_another() -> None:
    one, again = arrays(some()), arrays(some())
    assert all(np.array_equal(one[name], again[name]) for name in one)
    for other in (some(seed=2), some(member=1)):
        assert not np.array_equal(one["mark"][:50], other.mark[:50])


def test_rows_are_those_here_the_reserve_and_candidates() -> None:
    luck = some(here=3)
    assert luck.group[:3].tolist() == [HERE] * 3
    assert (luck.group[3 : 3 + RESERVE] == CRISIS).all()
    assert (luck.group[3 + RESERVE :] == 0).all()
    assert luck.here == 3
    assert luck.stage.shape == (luck.group.size, small_path(WHOLE).slots)


def test_every_purpose_is_uniform_and_apart_from_the_others() -> None:
    luck = some(hours=30 * 24)
    flat = {name: getattr(luck, name).ravel() for name in FIELDS}
    for name, values in flat.items():
        assert stats.kstest(values, "uniform").pvalue > 0.001, name
    n = flat["stage"].size
    slotted = [flat[name][:n] for name in ("stage", "then", "wanted", "patience", "freed")]
    correlation = np.corrcoef(slotted)[np.triu_indices(5, 1)]
    assert np.abs(correlation).max() < 4.5 / n**0.5


def test_a_planted_stream_used_twice_would_be_seen() -> None:
    luck = some(hours=30 * 24)
    mutant = replace(luck, then=luck.stage)
    assert abs(np.corrcoef(mutant.stage.ravel(), mutant.then.ravel())[0, 1]) > 4.5 / luck.stage.size**0.5


def test_who_is_here_does_not_move_the_luck_of_those_who_come() -> None:
    few, many = some(here=2), some(here=40)
    assert np.array_equal(few.at_min[2:], many.at_min[40:])
    assert np.array_equal(few.stage[2:], many.stage[40:])
    assert np.array_equal(few.stage[:2], many.stage[:2])


def test_a_longer_horizon_keeps_the_luck_of_who_comes_first() -> None:
    short, long = some(hours=24), some(hours=96)
    n = short.mark.size
    assert np.allclose(long.at_min[:n], short.at_min)
    assert np.array_equal(long.stage[:n], short.stage)


def test_members_differ_in_the_level_of_the_day() -> None:
    counts = [int((some(member=m, text=DELAY, hours=24, cv=0.3).group == 0).sum()) for m in range(120)]
    assert np.var(counts) / np.mean(counts) > 5, "without levels of days it would be about 1"
    plain = [int((some(member=m, text=DELAY, hours=24, cv=0.0).group == 0).sum()) for m in range(120)]
    assert np.var(plain) / np.mean(plain) == pytest.approx(1.0, abs=0.5)


def test_who_comes_together_comes_or_stays_away_together() -> None:
    """With a mark each, the mutant, thinning would part them and half of the groups with it."""
    path = small_path(WHOLE)
    believed = parameters(
        path,
        {name: fixed(1) for name in path.durations},
        per_hour=5.0,
        shares={"p_admit": 0.2},
        wanted={"medicine": 1.0},
    )
    [stream] = believed.streams
    believed = replace(believed, streams=(replace(stream, together=0.3),))
    luck = draw(path, believed, 0, seed=1, member=0, start=START, horizon_min=30 * 1440.0, zone="UTC")
    brought = np.flatnonzero(np.diff(luck.at_min[RESERVE:]) == 0) + RESERVE + 1
    assert brought.size > 0.15 * (luck.at_min.size - RESERVE)
    assert (luck.mark[brought] == luck.mark[brought - 1]).all()
    assert (luck.cls[brought] != luck.cls[brought - 1]).all()
    assert np.unique(luck.mark[:RESERVE]).size == RESERVE
