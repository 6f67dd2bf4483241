"""Members run in both engines: how many agreed, and what is done when they do not."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from forecast.engines import CHECKED, Agreement, agreement, alike, compare_engines
from forecast.ensemble import Run, ensemble
from tests.histories import fingerprint, scenarios, situation
from twin import kernel
from twin.story import Story

pytestmark = pytest.mark.timeout(400)  # the compiled engine may have to be compiled first

HOW = Run(members=8, horizon_min=240.0, seed=5)
SCENARIOS = scenarios("as_usual", "arrivals_up_20", "mass_casualty_20", "one_more_doctor")


@pytest.fixture
def compiled() -> Iterator[None]:
    kernel.warm()
    yield
    kernel._fast.clear()


@pytest.fixture
def wrong(compiled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled engine whose marks are each the next number too late."""
    right = kernel.Runs.under

    def late(*given: Any) -> Story:
        story = right(*given)
        return replace(story, at_min=np.nextafter(story.at_min, np.inf))

    monkeypatch.setattr(kernel.Runs, "under", late)


def test_members_are_equal_in_both_engines(compiled: None) -> None:
    assert compare_engines(situation(), SCENARIOS, HOW) == Agreement(compiled=True, checked=CHECKED, equal=CHECKED)
    with ThreadPoolExecutor(1) as elsewhere:
        assert agreement(situation(), SCENARIOS, HOW, elsewhere).result().equal == CHECKED


def test_an_engine_that_differs_in_the_last_bit_is_seen(wrong: None) -> None:
    assert compare_engines(situation(), SCENARIOS, HOW) == Agreement(compiled=True, checked=CHECKED, equal=0)


def test_nothing_is_compared_where_the_law_ran_everything(compiled: None) -> None:
    none = Agreement(compiled=False, checked=0, equal=0)
    assert compare_engines(situation(), SCENARIOS, replace(HOW, engine="simpy")) == none
    kernel._fast.clear()
    assert compare_engines(situation(), SCENARIOS, HOW) == none


def test_no_more_members_are_compared_than_there_are(compiled: None) -> None:
    assert compare_engines(situation(), SCENARIOS, replace(HOW, members=2)).checked == 2


def test_an_ensemble_is_the_same_in_both_engines_to_the_last_bit(compiled: None) -> None:
    by_law = ensemble(situation(), SCENARIOS, replace(HOW, engine="simpy"))
    assert fingerprint(ensemble(situation(), SCENARIOS, HOW)) == fingerprint(by_law)


def test_marks_are_alike_only_to_the_last_bit_and_in_the_same_order() -> None:
    one, other = (0.0, 0, 0, -1, -1), (5.0, 0, 1, -1, -1)
    assert alike(Story.of([one, other]), Story.of([one, other]))
    assert not alike(Story.of([one, other]), Story.of([other, one]))
    assert not alike(Story.of([one, other]), Story.of([one]))
    assert not alike(Story.of([one]), Story.of([(1e-12, 0, 0, -1, -1)]))
