"""What a window brought: by the definition, and compiled to the last bit."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path as FilePath
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ingest.events import RANK
from tests.random_hospitals import random_case
from tests.test_twin_kernel_counts import columns, marks, same
from twin import kernel, kernel_tallies
from twin.counting import Counting
from twin.fate import Lot
from twin.kernel import Runs, compiled_tallier
from twin.kernel_tallies import AGED, PLANNED
from twin.small_hospitals import Array
from twin.story import Index, Story
from twin.tallies import Tallying

CASES, LOOKED_AT = 300, 60
COMPILES = pytest.mark.timeout(400)
"""Compiling takes some seconds of a processor, and more on a busy machine."""
WHAT = Tallying(acuities=("1", "2", "3"), until_min=600.0, nights_min=((-30.0, 200.0), (350.0, 580.0)))
ARRIVED, SEEN, LWBS, DEPARTED, ENTERED = (
    RANK[kind] for kind in ("Arrived", "SeenByProvider", "LeftWithoutBeingSeen", "Departed", "EnteredWard")
)


def tallied(form: Callable[..., None], number: int) -> Array:
    before, told, acuity = marks(number)
    out = np.empty(len(WHAT.names))
    form(*columns(before.in_order()), *columns(told), acuity, kinds(number), WHAT.night_min, WHAT.until_min, out)
    return out


def kinds(number: int) -> Index:
    return np.random.default_rng([9, number]).integers(0, 4, marks(number)[2].size)


def defined(number: int) -> Array:
    before, told, acuity = marks(number)
    both = Story(*(np.concatenate(pair) for pair in zip(vars(before).values(), vars(told).values(), strict=True)))
    return WHAT.of_story(both, acuity, kinds(number))


def named(story: Story, acuity: list[int], what: list[int]) -> dict[str, float]:
    rows = WHAT.of_story(story, np.array(acuity), np.array(what))
    return dict(zip(WHAT.names, rows.tolist(), strict=True))


def test_a_window_of_five_patients_by_hand() -> None:
    story = Story.of([
        (-60.0, ARRIVED, 0, -1, -1), (40.0, SEEN, 0, -1, -1), (210.0, DEPARTED, 0, -1, 0),
        (-20.0, ARRIVED, 1, -1, -1), (300.0, LWBS, 1, -1, -1),
        (100.0, ARRIVED, 2, -1, -1),
        (50.0, ENTERED, 3, 0, -1), (601.0, ENTERED, 4, 0, -1),
    ])  # fmt: skip
    found = named(story, [0, 1, 1, -1, -1], [AGED, 0, 0, PLANNED, PLANNED])
    assert found == {
        "left_unseen": 1.0, "planned_admitted": 1.0, "nights": 2.0, "aged_nights": 1.0, "wait_p90_min": 500.0,
        "wait_p90_min:1": 100.0, "wait_p90_min:2": 500.0, "wait_p90_min:3": pytest.approx(np.nan, nan_ok=True),
    }  # fmt: skip
    assert (found["nights"], found["wait_p90_min"]) == (2.0, 500.0), "one who left unseen waited 320 min"


@COMPILES
def test_marks_of_any_kind_are_tallied_as_by_the_definition() -> None:
    assert [i for i in range(CASES) if not same(tallied(compiled_tallier(), i), defined(i))] == []


@COMPILES
def test_a_run_is_tallied_as_its_story() -> None:
    kernel.warm()
    for case in map(random_case, range(40)):
        given = (case.path, Lot.of(case.fate), case.present, case.horizon_min)
        engine, law = Runs(*given), Runs(*given, by_law=True)
        what = Counting(("1", "2", "3"), case.path.units, case.path.wards, frozenset({"SeenByProvider"}))
        tallying = Tallying(("1", "2", "3"), case.horizon_min, ((10.0, case.horizon_min / 2),))
        visits = np.arange(case.fate.acuity.size) % 4
        asked: tuple[Any, ...] = (case.capacity, what, np.arange(15.0, case.horizon_min, 15.0), tallying, visits)
        assert all(same(*pair) for pair in zip(engine.tallied(*asked), law.tallied(*asked), strict=True))


MUTANTS: dict[str, tuple[str, str]] = {
    "the last arrival counts": ("if column >= 0 and not since[visit, column] <= now:", "if column >= 0:"),
    "the first exit counts": ("if isnan(last) or now > last or", "if isnan(last) or"),
    "an exit tells nothing of how": ("unseen[visit] and", ""),
    "who came in the night spent it": ("came < night_min[night, 0] and", "came < night_min[night, 1] and"),
    "all are aged": ("if what[visit] & AGED:", "if True:"),
    "all are planned": ("if what[visit] & PLANNED and", "if"),
    "who waits at the end does not count": ("and not until < 0.0:", "and 0.0 <= until:"),
    "waits over before the window count": ("and not until < 0.0:", "and True:"),
    "who leaves unseen waits on": ("if isnan(until) or left < until:", "if False:"),
    "half of the waits are no longer": ("ceil(HIGH_SHARE * mine.size) - 1", "ceil(0.5 * mine.size) - 1"),
    "waits are told of another acuity": ("row - WAIT - 1", "row - WAIT"),
}


def mutant(old: str, new: str) -> Callable[..., None]:
    text = FilePath(str(kernel_tallies.__file__)).read_text(encoding="utf-8")
    assert old in text, "the text has changed: plant this error elsewhere"
    module = ModuleType("mutant")
    exec(compile(re.sub(r"from __future__.*\n", "", text.replace(old, new, 1)), "mutant", "exec"), module.__dict__)
    return module.tally  # type: ignore[no-any-return]


def test_the_text_as_it_stands_tallies_as_the_definition() -> None:
    assert all(same(tallied(kernel_tallies.tally, i), defined(i)) for i in range(LOOKED_AT))


@pytest.mark.parametrize("error", MUTANTS)
def test_a_small_error_is_seen(error: str) -> None:
    form = mutant(*MUTANTS[error])
    assert any(not same(tallied(form, i), defined(i)) for i in range(LOOKED_AT))
