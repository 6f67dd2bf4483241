"""What those who came together tell of a day: slower than usual, or not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from twin.cohort import OF_TODAY_MIN, behind_without_record, came_today, came_together, over_by_now
from twin.story import Array, Index

Flags = npt.NDArray[np.bool_]

N = 60
AGES = np.linspace(200.0, 260.0, N)
ONE_KIND: Index = np.zeros(N, dtype=np.int64)


def over(
    recorded: int,
    usual: float,
    told: float = 0.95,
    kind: Index = ONE_KIND,
    together: Callable[[Array, Index], Flags] = came_together,
) -> Array:
    """Of sixty who came four hours ago, `recorded` have it on record."""
    on_record = np.arange(N) < recorded
    return over_by_now(together(AGES, kind), on_record, np.full(N, usual), np.full(N, told))


def test_on_a_day_like_others_it_is_as_usual() -> None:
    assert over(int(0.9 * 0.95 * N), usual=0.9) == pytest.approx(0.9, abs=0.03)


def test_on_a_slow_day_those_without_a_record_still_wait() -> None:
    """By the past alone, the mutant, nearly all of them would be taken for seen without a record."""
    told = np.full(N, 0.95)
    assert behind_without_record(over(3, usual=0.995), told)[-1] < 0.05
    alone = over(3, usual=0.995, together=lambda age, kind: np.zeros((N, N), dtype=bool))
    assert behind_without_record(alone, told)[-1] > 0.9


def test_on_a_quick_day_those_without_a_record_are_likelier_to_have_it_behind_them() -> None:
    assert over(57, usual=0.5)[-1] > 0.9


def test_those_of_another_kind_or_time_tell_nothing() -> None:
    kind = (np.arange(N) == N - 1).astype(np.int64)
    assert over(3, usual=0.995, kind=kind)[-1] == pytest.approx(0.995)
    alone = over_by_now(
        came_together(np.array([10.0, 600.0]), ONE_KIND[:2]), np.array([True, False]), np.full(2, 0.3), np.full(2, 0.9)
    )
    assert alone == pytest.approx([0.3, 0.3])


def test_nobody_speaks_for_themselves() -> None:
    for together in (came_today, lambda age: came_together(age, ONE_KIND[:1])):
        alike = [over_by_now(together(np.full(1, 60.0)), np.array([told]), np.full(1, 0.3), np.full(1, 0.9))[0]
             for told in (True, False)]  # fmt: skip
        assert alike == pytest.approx([0.3, 0.3])


def test_few_move_it_little_and_many_far() -> None:
    few = over_by_now(
        came_together(AGES[:4], ONE_KIND[:4]), np.zeros(4, dtype=bool), np.full(4, 0.9), np.full(4, 0.95)
    )[0]
    many = over(0, usual=0.9)[0]
    assert many < 0.1 < few < 0.85


def test_what_is_certain_and_recorded_stays_within_0_and_1() -> None:
    for usual in (0.0, 1.0):
        for recorded in (0, N):
            found = over(recorded, usual, told=1.0)
            assert ((found >= 0) & (found <= 1)).all()
    behind = behind_without_record(np.array([0.0, 1.0, 1.0]), np.array([1.0, 0.9, 1.0]))
    assert behind == pytest.approx([0.0, 1.0, 0.0])


def test_only_those_of_the_last_hours_tell_how_busy_it_is() -> None:
    speaks = came_today(np.array([10.0, OF_TODAY_MIN, 400.0]))
    assert speaks.tolist() == [[False, False, True], [True, False, True], [True, False, False]]
