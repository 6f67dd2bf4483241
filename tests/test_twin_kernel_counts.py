"""Marks are counted by the compiled loop as by the definition, to the last bit."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path as FilePath
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ingest.events import EVENT_CLASSES, RANK
from tests.random_hospitals import random_case
from twin import kernel, kernel_counts
from twin.counting import Counting
from twin.fate import Lot
from twin.kernel import Runs, compiled_counter
from twin.kernel_tables import Room
from twin.small_hospitals import Array
from twin.story import DESTINATIONS, Index, Story

CASES, LOOKED_AT = 300, 60
COMPILES = pytest.mark.timeout(400)
"""Compiling takes some seconds of a processor, and more on a busy machine."""
GRID = np.arange(0.0, 720.0, 15.0)
WHAT = Counting(
    acuities=("1", "2", "3"), units=("boxes", "medicine", "surgery", "attic"), wards=("surgery", "medicine"),
    milestones=frozenset({"SeenByProvider", "DecidedToAdmit"}), at_once_min=1 / 60,
)  # fmt: skip


@cache
def marks(number: int) -> tuple[Story, Story, Index]:
    """Marks before a run and in it, of any kind in any order, many at the same minute; and acuities by visit."""
    dice = np.random.default_rng([7, number])
    n, visits = int(dice.integers(0, 300)), int(dice.integers(1, 40))
    at_min = np.round(dice.uniform(-60.0, 800.0, n) / 5.0) * 5.0 if number % 2 else dice.uniform(-60.0, 800.0, n)
    codes = (dice.integers(low, high, n) for low, high in ((0, visits), (-1, 4), (-1, len(DESTINATIONS))))
    visit, unit, to = codes
    told = Story(at_min, dice.integers(0, len(EVENT_CLASSES), n), visit, unit, to)
    acuity = dice.integers(-1, 5, visits)
    early, late = np.flatnonzero(at_min < 0), np.flatnonzero(at_min >= 0)
    return at(told, early), at(told, late[np.argsort(at_min[late], kind="stable")]), acuity


def at(told: Story, places: Any) -> Story:
    return Story(*(getattr(told, name)[places] for name in ("at_min", "kind", "visit", "unit", "to")))


def columns(told: Story) -> tuple[Array, Any]:
    return told.at_min, np.stack([told.kind, told.visit, told.unit, told.to], axis=1)


def counted(counter: Callable[..., None], number: int, what: Counting = WHAT, grid: Array = GRID) -> Array:
    before, told, acuity = marks(number)
    out = np.empty((len(what.names), grid.size))
    counter(
        *columns(before), *columns(told), acuity, what.ward_of, grid, what.at_once_min, out,
    )  # fmt: skip
    return out


def defined(number: int, what: Counting = WHAT, grid: Array = GRID) -> Array:
    before, told, acuity = marks(number)
    both = Story(*(np.concatenate(pair) for pair in zip(vars(before).values(), vars(told).values(), strict=True)))
    return what.of_story(both, acuity, grid, at_once_min=what.at_once_min)


def same(one: Array, other: Array) -> bool:
    return np.array_equal(one, other, equal_nan=True)


@COMPILES
def test_marks_of_any_kind_are_counted_as_by_the_definition() -> None:
    assert [i for i in range(CASES) if not same(counted(compiled_counter(), i), defined(i))] == []


@COMPILES
@pytest.mark.parametrize("grid", [np.zeros(1), np.array([0.0, 1.0, 500.0, 500.5]), np.array([3.0, 3.0, 8.0])])
def test_on_any_rising_grid(grid: Array) -> None:
    assert [i for i in range(60) if not same(counted(compiled_counter(), i, grid=grid), defined(i, grid=grid))] == []


@COMPILES
def test_without_acuities_or_wards() -> None:
    for what in (replace(WHAT, acuities=()), replace(WHAT, wards=())):
        assert all(same(counted(compiled_counter(), i, what), defined(i, what)) for i in range(20))


@COMPILES
def test_a_run_is_counted_as_its_story() -> None:
    kernel.warm()
    for case in map(random_case, range(60)):
        what = replace(WHAT, acuities=("1", "2", "3", "4", "5"), units=case.path.units, wards=case.path.wards)
        given = (case.path, Lot.of(case.fate), case.present, case.horizon_min)
        engine, law = Runs(*given), Runs(*given, by_law=True)
        grid = np.arange(15.0, case.horizon_min, 15.0)
        assert same(engine.counted_now(what), law.counted_now(what))
        assert same(engine.counted(case.capacity, what, grid), law.counted(case.capacity, what, grid))


@COMPILES
def test_capacities_at_hand_in_a_room_are_not_taken_for_others() -> None:
    kernel.warm()
    for case in map(random_case, range(20)):
        what = replace(WHAT, acuities=("1", "2", "3", "4", "5"), units=case.path.units, wards=case.path.wards)
        given = (case.path, Lot.of(case.fate), case.present, case.horizon_min)
        grid = np.arange(15.0, case.horizon_min, 15.0)
        more = {pool: tuple((minute, count + 1) for minute, count in told) for pool, told in case.capacity.items()}
        asked, shared = [case.capacity, more, more, case.capacity], Runs(*given, room=Room())
        assert all(same(shared.counted(one, what, grid), Runs(*given).counted(one, what, grid)) for one in asked)


def test_measures_that_need_another_milestone_do_not_exist() -> None:
    short = replace(WHAT, milestones=frozenset())
    rows = np.zeros((len(WHAT.names), 1))
    assert list(short.by_name(rows)) == [
        "ed_arrivals", "ed_departures", "admissions", "ed_census", "census:surgery", "census:medicine",
    ]  # fmt: skip
    assert tuple(WHAT.by_name(rows)) == WHAT.names


# --- small errors, each of which the same check sees

MUTANTS: dict[str, tuple[str, str]] = {
    "the last arrival counts": ("if isnan(since[visit, column]):", "if True:"),
    "the first exit counts": (
        "    elif kind in (_DEPARTED, _LWBS, _LEFT):\n",
        "    elif kind in (_DEPARTED, _LWBS, _LEFT) and isnan(since[visit, EXIT]):\n",
    ),
    "marks of one minute stand as they were told": (
        "if told_min[other] < now or (told_min[other] == now and told[other, KIND] <= kind):",
        "if told_min[other] <= now:",
    ),
    "who leaves as it begins to wait waits": (
        "out[row, max(start, end)] -= 1.0", "out[row, max(start, end - 1)] -= 1.0",
    ),
    "an instant does not hold what begins at it": (
        "    while i > 0 and grid_min[i - 1] - later >= at:\n        i -= 1\n",
        "    while i < grid_min.size and grid_min[i] - later <= at:\n        i += 1\n",
    ),
    "flows are of half an hour": ("_HOUR_MIN = 60.0", "_HOUR_MIN = 30.0"),
    "who is seen waits on": ("seen = min(", "seen = max("),
    "transfers count as admissions": ("if to_ward:", "if True:"),
    "boarding begins with the arrival": ("_place(grid_min, a_minute, since[visit, DECISION], 0.0), left", "came, left"),
    "an unknown acuity is that of the first": ("else -1\n            _department", "else 0\n            _department"),
    "a move within the house does not end a stay": ("kind in (_MOVED, _ENTERED) or", "kind == _ENTERED or"),
    "a stay that has not ended does not count": (
        "(acuity.size):\n        if unit[visit] >= 0", "(acuity.size):\n        if unit[visit] >= 99",
    ),
    "who leaves at the first instant has left before": ("since[visit, EXIT] = at_once_min", "pass"),
    "waits are of those who have come, whoever was seen": ("ended[acuity, max(came, seen)] += arrived", "pass"),
}  # fmt: skip


def mutant(old: str, new: str) -> Callable[..., None]:
    text = FilePath(str(kernel_counts.__file__)).read_text(encoding="utf-8")
    assert old in text, "the text has changed: plant this error elsewhere"
    text = re.sub(r"@part\n|from __future__.*\n", "", text.replace(old, new, 1))
    module = ModuleType("mutant")
    exec(compile(text, "mutant", "exec"), module.__dict__)
    return module.count  # type: ignore[no-any-return]


def test_the_text_as_it_stands_counts_as_the_definition() -> None:
    assert all(same(counted(kernel_counts.count, i), defined(i)) for i in range(LOOKED_AT))


@pytest.mark.parametrize("error", MUTANTS)
def test_a_small_error_is_seen(error: str) -> None:
    form = mutant(*MUTANTS[error])
    assert any(not same(counted(form, i), defined(i)) for i in range(LOOKED_AT))


def test_the_marks_hold_whatever_counts() -> None:
    kinds = np.concatenate([marks(i)[1].kind for i in range(LOOKED_AT)])
    for kind in ("Arrived", "SeenByProvider", "DecidedToAdmit", "Departed", "Moved", "EnteredWard", "LeftWard"):
        assert (kinds == RANK[kind]).sum() > 50, kind
