"""The work asked of pools: by hand, as the sum of what each patient asks for alone, and compiled to the last bit."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path as FilePath
from types import ModuleType

import numpy as np
import pytest

from tests.random_hospitals import EVERYTHING, Case, random_case
from twin import kernel_asked
from twin.asked import _table, asked, staffed
from twin.fate import Lot
from twin.fates import Share
from twin.kernel import compiled_asker
from twin.small_hospitals import QUEUE, Array, small_path

COMPILES = pytest.mark.timeout(400)
CASES = 60
GRID = np.arange(0.0, 720.0, 15.0)


@cache
def case(number: int) -> Case:
    return random_case(number)


def everybody(number: int) -> Share:
    fate = case(number).fate
    dice = np.random.default_rng(number)
    return Share(Lot.of(fate), dice.random(fate.visit.size) < 0.8)


def by_patient(number: int) -> Array:
    """Interval by interval, one patient after the other."""
    path, share = case(number).path, everybody(number)
    out = np.zeros((len(staffed(path)), GRID.size))
    for row in np.flatnonzero(share.rows):
        for pool, begin, end in _intervals(number, int(row)):
            out[pool] += (begin <= GRID) & (end > GRID)
    return out


def _intervals(number: int, row: int) -> list[tuple[int, float, float]]:
    path, fate = case(number).path, case(number).fate
    now, kept, told = float(np.nan_to_num(fate.at_min[row])), dict[int, float](), list[tuple[int, float, float]]()
    for stop, code in enumerate(fate.stage[row].tolist()):
        stage = path.stages[code] if code >= 0 else None
        if stage is None or (stage.lasts or "").startswith("ward_stay:"):
            break
        lasts = float(fate.minutes[row, stop, 0])
        held = fate.freed_at[row, stop]
        freed = float(fate.freed_min[held, 0]) if held >= 0 else np.nan
        for pool, name in enumerate(staffed(path)):
            if name in stage.takes:
                kept.setdefault(pool, now)
            elif name in stage.needs:
                told.append((pool, now, now + (freed if freed < lasts else lasts)))
            if name in stage.gives and pool in kept:
                told.append((pool, kept.pop(pool), now + lasts))
        now += lasts
    return told + [(pool, since, now) for pool, since in kept.items()]


def of(form: Callable[..., None], number: int) -> Array:
    path, share = case(number).path, everybody(number)
    out, fate = np.empty((len(staffed(path)), GRID.size)), share.fate
    form(fate.stage, fate.minutes, fate.freed_at, fate.freed_min, fate.at_min, share.rows, *_table(path), GRID, out)
    return out


def test_places_beds_and_caseloads_are_no_staff() -> None:
    assert staffed(small_path(EVERYTHING)) == ("nurse", "doctor")
    assert staffed(small_path(QUEUE)) == ("doctor",)


def test_it_is_the_sum_of_what_each_patient_asks_for_alone() -> None:
    cases = [i for i in range(CASES) if staffed(case(i).path)]
    assert len(cases) > CASES / 2
    assert [i for i in cases if not np.array_equal(of(kernel_asked.ask, i), by_patient(i))] == []


@COMPILES
def test_compiled_it_is_the_same() -> None:
    for i in range(CASES):
        if staffed(case(i).path):
            np.testing.assert_array_equal(of(compiled_asker(), i), of(kernel_asked.ask, i))


def test_nobody_asks_before_coming_and_who_does_not_take_part_asks_for_nothing() -> None:
    one = case(0)
    nobody = Share(Lot.of(one.fate), np.zeros(one.fate.visit.size, dtype=bool))
    assert not asked(one.path, nobody, GRID).any()
    assert asked(one.path, everybody(0), GRID).any()


MUTANTS: dict[str, tuple[str, str]] = {
    "everybody takes part": ("if not rows[row]:", "if False:"),
    "all come at once": ("0.0 if np.isnan(at_min[row]) else at_min[row]", "0.0"),
    "what is free again is held on": ("free = now + freed_min[held, 0]", "pass"),
    "wards ask for staff": ("if at < 0 or away[at]:", "if at < 0:"),
    "stages begin when the next does": ("            now = end\n", ""),
    "it is held a step longer": ("last = np.searchsorted(grid_min, end)", "last = np.searchsorted(grid_min, end) + 1"),
}


@pytest.mark.parametrize("error", MUTANTS)
def test_a_small_error_is_seen(error: str) -> None:
    text = FilePath(str(kernel_asked.__file__)).read_text(encoding="utf-8")
    old, new = MUTANTS[error]
    assert old in text, "the text has changed: plant this error elsewhere"
    module = ModuleType("mutant")
    text = re.sub(r"@part\n|from __future__.*\n", "", text.replace(old, new, 1))
    exec(compile(text, "mutant", "exec"), module.__dict__)
    assert any(not np.array_equal(of(module.ask, i), by_patient(i)) for i in range(CASES) if staffed(case(i).path))
