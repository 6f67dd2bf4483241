"""Luck: the same for the same seed and member, apart by purpose, uniform, and kept under every demand."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from scipy import stats

from twin import luck as module
from twin.demand import Demand, comes
from twin.durations import fixed
from twin.keys import children, keys_of, number
from twin.luck import CRISIS, HERE, RESERVE, Luck, Purpose, draw, draw_members
from twin.luck_loop import CLASS, MARK
from twin.small_hospitals import DELAY, START, WHOLE, Array, parameters, small_path

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


def some(seed: int = 1, member: int = 0, here: int = 3, text: str = WHOLE, hours: float = 48, cv: float = 0.1) -> Luck:
    path = small_path(text)
    names = {name: fixed(1) for name in path.durations}
    believed = parameters(path, names, per_hour=5.0, shares={"p_admit": 0.2}, wanted={"medicine": 1.0}, day_cv=cv)
    return draw(path, believed, here, seed=seed, member=member, start=START, horizon_min=hours * 60, zone="UTC")


def numbers(luck: Luck) -> Array:
    """Every number of everybody, `(patient, place)`."""
    taken = 1 + max(int(places.max()) for places in luck.places.values())
    return np.asarray(number(luck.key[:, None], np.arange(taken)))


def arrays(luck: Luck) -> dict[str, Array]:
    found: dict[str, Array] = {"mark": luck.mark, "cls": luck.cls, "at_min": luck.at_min}
    return found | {purpose: luck.table(purpose) for purpose in PURPOSES}


def test_the_same_seed_and_member_have_the_same_luck_and_others_another() -> None:
    one, again = arrays(some()), arrays(some())
    assert all(np.array_equal(one[name], again[name], equal_nan=True) for name in one)
    for other in (some(seed=2), some(member=1)):
        assert not np.array_equal(one["mark"][:50], other.mark[:50])


def test_rows_are_those_here_the_reserve_and_candidates() -> None:
    luck = some(here=3)
    assert luck.group[:3].tolist() == [HERE] * 3
    assert (luck.group[3 : 3 + RESERVE] == CRISIS).all()
    assert (luck.group[3 + RESERVE :] == 0).all()
    assert luck.here.tolist() == [3]
    assert luck.table("stage").shape == (luck.group.size, small_path(WHOLE).slots)


def test_a_slot_has_numbers_for_what_its_stage_asks_for_and_no_others() -> None:
    path, luck = small_path(WHOLE), some()
    asked = {purpose: [path.names[k] for k in np.flatnonzero(luck.places[purpose] >= 0)] for purpose in PURPOSES}
    assert asked == {
        "stage": ["arrival", "contact", "boarding", "ward"], "then": ["contact"], "wanted": ["admit"],
        "patience": ["contact"], "freed": ["contact"],
    }  # fmt: skip
    assert sorted(np.concatenate([luck.places[purpose][luck.places[purpose] >= 0] for purpose in PURPOSES])) == [
        *range(2, 10)
    ]
    assert {MARK, CLASS} == {0, 1}
    assert np.isnan(luck.table("then")[:, path.index("arrival")]).all()


def columns_apart(uniform: Array) -> bool:
    """Is every column uniform, apart from the others, and apart from the same column of the patient before?"""
    n = uniform.shape[0]
    both = np.concatenate([uniform[1:], uniform[:-1]], axis=1)
    correlation = np.corrcoef(both, rowvar=False)[np.triu_indices(both.shape[1], 1)]
    flat = all(stats.kstest(column, "uniform").pvalue > 1e-4 for column in uniform.T)
    return flat and bool(np.abs(correlation).max() < 4.5 / n**0.5)


def test_every_number_of_a_patient_is_uniform_and_apart_from_the_others_and_from_the_next_patients() -> None:
    uniform = numbers(some(hours=60 * 24))
    assert columns_apart(uniform)
    twice = uniform.copy()
    twice[:, 3] = twice[:, 2]
    assert not columns_apart(twice), "the mutant: one number for two purposes"
    late = uniform.copy()
    late[1:, 3] = uniform[:-1, 2]
    assert not columns_apart(late), "the mutant: the next patient has what this one had"


def groups_apart() -> bool:
    """Do those here, the reserve and the candidates have numbers of their own?"""
    luck = some(here=RESERVE)
    groups = [numbers(luck)[luck.group == code][:RESERVE].ravel() for code in (HERE, CRISIS, 0)]
    return bool(np.abs(np.corrcoef(groups)[np.triu_indices(3, 1)]).max() < 4.5 / groups[0].size ** 0.5)


def test_groups_have_keys_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert groups_apart()
    monkeypatch.setattr(module, "_OF_CRISIS", module._OF_HERE)
    assert not groups_apart(), "the mutant: one key for two groups"


def test_gaps_companions_and_patients_of_a_stream_have_keys_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one key for both, the mutant, a stream's gaps would tell the keys of its patients."""

    def taken() -> list[int]:
        mine = keys_of(1, [0], module._LUCK)
        whats = (module._GAPS, module._TOGETHER, module._ROWS)
        places = [module._of_stream(code, what) for code in range(3) for what in whats]
        return [int(key) for [key] in children(mine, module._DAYS, module._OF_HERE, module._OF_CRISIS, *places)]

    assert len(set(taken())) == len(taken()) == 12
    monkeypatch.setattr(module, "_EACH", 2)
    assert len(set(taken())) < 12


def test_nobody_shares_a_key_whatever_seed_member_and_purpose() -> None:
    lucks = [some(seed=seed, member=member).key for seed in (1, 2) for member in range(30)]
    others = [keys_of(seed, range(30), purpose) for seed in (1, 2) for purpose in (module._LUCK, module._ANNOUNCED)]
    keys = np.concatenate([*lucks, *others])
    assert np.unique(keys).size == keys.size


def test_members_drawn_together_have_the_luck_that_each_has_alone() -> None:
    path = small_path(WHOLE)
    believed = parameters(
        path, {name: fixed(1) for name in path.durations}, per_hour=5.0, shares={"p_admit": 0.2},
        wanted={"medicine": 1.0}, day_cv=0.1,
    )  # fmt: skip
    given = {"seed": 1, "start": START, "horizon_min": 2880.0, "zone": "UTC"}
    counts = {4: 3, 0: 0, 9: 12}
    together = draw_members(path, believed, counts, **given)  # type: ignore[arg-type]
    for i, (one, here) in enumerate(counts.items()):
        alone = draw(path, believed, here, member=one, **given)  # type: ignore[arg-type]
        mine = slice(together.first[i], together.first[i + 1])
        for name in ("group", "at_min", "mark", "cls", "key"):
            assert np.array_equal(getattr(alone, name), getattr(together, name)[mine]), name


def test_who_is_here_does_not_move_the_luck_of_those_who_come() -> None:
    few, many = some(here=2), some(here=40)
    assert np.array_equal(few.at_min[2:], many.at_min[40:])
    assert np.array_equal(few.key[2:], many.key[40:])
    assert np.array_equal(few.key[:2], many.key[:2])


def test_a_longer_horizon_keeps_the_luck_of_who_comes_first() -> None:
    short, long = some(hours=24), some(hours=96)
    n = short.mark.size
    assert np.allclose(long.at_min[:n], short.at_min)
    assert np.array_equal(long.key[:n], short.key)


def test_another_path_moves_what_happens_and_not_who_comes_when() -> None:
    one, other = some(cv=0.0), some(text=DELAY, cv=0.0)
    assert np.array_equal(one.at_min, other.at_min)
    assert np.array_equal(one.mark, other.mark)
    assert not np.array_equal(one.places["stage"], other.places["stage"])


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


def test_of_a_stream_that_no_scenario_changes_nobody_is_drawn_who_does_not_come() -> None:
    """The mutant draws three times as many for it, as for the stream whose level a scenario may raise."""
    path = small_path(WHOLE)
    names = {name: fixed(1) for name in path.durations}
    believed = parameters(path, names, per_hour=5.0, shares={"p_admit": 0.2}, wanted={"medicine": 1.0})
    planned = replace(believed.streams[0], name="planned")
    believed = replace(believed, streams=(*believed.streams, planned))
    luck = draw_members(
        path, believed, dict.fromkeys(range(40), 0), seed=1, start=START, horizon_min=1440.0, zone="UTC"
    )
    per_day = [float((luck.group == stream).sum()) / 40 for stream in (0, 1)]
    assert per_day == pytest.approx([3 * 120.0, 120.0], rel=0.05)
    for level in (0.0, 1.0, 2.0):
        assert comes(luck, Demand(level=((0.0, level),)), path, believed)[luck.group == 1].all()
