"""Whose turn it is: a first answer for each, the newest question counts, a bound, a child that dies."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from forecast import whatif as values
from forecast import whatif_queue as module
from forecast.ensemble import Run
from forecast.errors import QuestionError
from forecast.whatif import Ground
from forecast.whatif_draws import NotKeptError, begin, under
from forecast.whatif_queue import Standing, WhatIf
from forecast.workers import Workers
from tests.histories import scenarios, situation
from tests.test_forecast_whatif import answered, ground
from twin.changes import ArrivalsChange
from twin.scenarios import Scenario

HOW = Run(members=20, horizon_min=60.0, seed=7)
USUAL, BUSY, SHORT = scenarios("as_usual", "arrivals_up_20", "ten_beds_closed")
LONG_S = 60.0


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "CHUNK", 5)
    monkeypatch.setattr(values, "STAGES", (5, 10))
    monkeypatch.setattr(module, "LOOK_S", 0.02)


class Child(Executor):
    """Stands for the child: tells what it was asked, gives the same for all, waits where a test holds it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int]] = []
        self.go = threading.Event()
        self.go.set()
        self.kept: dict[str, int] = {}
        """How many leads each moment has."""
        self.dies = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(self._given(fn, *args))
        except Exception as fault:
            done.set_exception(fault)
        return done

    def _given(self, fn: Callable[..., Any], key: str, *args: Any) -> Any:
        if fn is begin:
            self.kept[key] = args[1].lead_min.size
            return None
        if key not in self.kept:
            raise NotKeptError(key)
        if self.dies:
            self.dies -= 1
            self.kept.clear()
            raise BrokenProcessPool
        members = args[-1]
        self.asked.append((fn.__name__, args[0].name if fn is under else "", members.start))
        if fn is under:
            self.go.wait(LONG_S)
        return {"ed_census": np.full((self.kept[key], len(members)), 7.0 if fn is under else 5.0)}


@contextmanager
def running(child: Executor, now: Callable[[], Ground | None], viewers: int = 16) -> Iterator[WhatIf]:
    whatif = WhatIf(child, now, viewers=viewers)
    whatif.start()
    try:
        yield whatif
    finally:
        if isinstance(child, Child):
            child.go.set()
        whatif.stop(LONG_S)


def until(seen: Callable[[], bool]) -> None:
    """Wait until something is so."""
    pause = threading.Event()
    for _ in range(int(LONG_S / 0.01)):
        if seen():
            return
        pause.wait(0.01)
    raise AssertionError("it never came")


def whole(whatif: WhatIf, viewer: str, scenario: Scenario) -> Standing:
    """The answer of all members."""
    until(lambda: (a := whatif.ask(viewer, scenario).answer) is not None and a.is_whole)
    return whatif.ask(viewer, scenario)


def asked_for(child: Child) -> list[tuple[str, int]]:
    """The members that were run for questions, in order."""
    return [(name, first) for what, name, first in child.asked if what == "under"]


def test_it_is_answered_from_stage_to_stage() -> None:
    child, g = Child(), ground(HOW)
    with running(child, lambda: g) as whatif:
        until(lambda: len(child.asked) == 4)  # as usual, ahead of the first question
        child.go.clear()
        assert whatif.ask("a", BUSY) == Standing("asked")
        child.go.set()
        told = whole(whatif, "a", BUSY)
    assert child.asked[:4] == [("as_usual", "", first) for first in (0, 5, 10, 15)]
    assert asked_for(child) == [("arrivals_up_20", first) for first in (0, 5, 10, 15)]
    assert told.answer is not None
    assert told.answer.measures["ed_census"].difference.mean.tolist() == [2.0] * 5
    assert g.stages() == [5, 10, 20]


def test_a_newer_question_takes_the_place_of_the_older_one() -> None:
    child, g = Child(), ground(HOW)
    with running(child, lambda: g) as whatif:
        child.go.clear()
        whatif.ask("a", BUSY)
        until(lambda: bool(asked_for(child)))  # under way
        whatif.ask("a", SHORT)
        child.go.set()
        told = whole(whatif, "a", SHORT)
    assert told.answer is not None
    assert told.answer.scenario == SHORT
    assert asked_for(child) == [("arrivals_up_20", 0), *(("ten_beds_closed", first) for first in (0, 5, 10, 15))]


def test_viewers_have_turns() -> None:
    child, g = Child(), ground(HOW)
    with running(child, lambda: g) as whatif:
        child.go.clear()
        whatif.ask("a", BUSY)
        until(lambda: bool(asked_for(child)))
        whatif.ask("b", SHORT)
        child.go.set()
        whole(whatif, "a", BUSY)
        whole(whatif, "b", SHORT)
    assert in_turns(asked_for(child))
    assert not in_turns([("a", 0), ("a", 5), ("a", 10), ("a", 15), ("b", 0), ("b", 5), ("b", 10), ("b", 15)])


def in_turns(asked: list[tuple[str, int]]) -> bool:
    """The second viewer has a first answer before the first one has all."""
    names = [name for name, _ in asked]
    second = next(name for name in names if name != names[0])
    return names.index(second) < 3


def test_too_many_viewers_are_told_so() -> None:
    child, g = Child(), ground(HOW)
    with running(child, lambda: g, viewers=2) as whatif:
        child.go.clear()
        assert [whatif.ask(viewer, BUSY).state for viewer in ("a", "b", "c", "a")] == [
            "asked",
            "asked",
            "full",
            "asked",
        ]
        child.go.set()
        whole(whatif, "a", BUSY)
        whole(whatif, "b", BUSY)
        assert whatif.ask("c", BUSY).state == "asked"


def test_before_the_first_forecast_it_waits() -> None:
    with running(Child(), lambda: None) as whatif:
        assert whatif.ask("a", BUSY) == Standing("waking")


def test_a_new_forecast_asks_again() -> None:
    child, found = Child(), [ground(HOW)]
    with running(child, lambda: found[-1]) as whatif:
        before = whole(whatif, "a", BUSY)
        found.append(ground(HOW, behind_min=15.0))
        assert whatif.ask("a", BUSY).answer is None
        after = whole(whatif, "a", BUSY)
    assert before.answer is not None
    assert after.answer is not None
    assert before.answer.as_of < after.answer.as_of


def test_a_child_that_dies_is_told_of_the_moment_again() -> None:
    child, g = Child(), ground(HOW)
    with running(child, lambda: g) as whatif:
        whole(whatif, "a", BUSY)
        child.dies = 1
        assert whole(whatif, "a", SHORT).answer is not None
        child.dies = 9  # one that always dies is not tried for ever
        until(lambda: whatif.ask("a", BUSY).state == "failed")
        assert str(whatif.ask("a", BUSY).fault) == "BrokenProcessPool"
        child.dies = 0
        assert whole(whatif, "b", SHORT).answer is not None  # others are answered on


def test_a_question_that_cannot_be_answered_says_why() -> None:
    too_many = ArrivalsChange(factor=1.5).model_copy(update={"factor": 9.0})
    wrong = Scenario("wrong", BUSY.change.model_copy(update={"arrivals": (too_many,)}))
    workers, g = Workers(1), ground(HOW)
    try:
        with running(workers, lambda: g) as whatif:
            until(lambda: whatif.ask("a", wrong).state == "failed")
            assert "arrivals must be changed by a factor from 0 to" in str(whatif.ask("a", wrong).fault)
            told = whole(whatif, "a", BUSY).answer
            [pid] = workers._pool._processes
            os.kill(pid, 9)
            again = whole(whatif, "b", SHORT).answer
    finally:
        workers.shutdown()
    assert told is not None
    assert again is not None
    here = answered(g, BUSY)  # in this process
    for measure, found in here.measures.items():
        np.testing.assert_array_equal(told.measures[measure].difference.mean, found.difference.mean)


def test_a_moment_that_cannot_be_made_says_why() -> None:
    class Never:
        def at(self, _: object) -> Ground | None:
            raise QuestionError("non", "no")

    with running(Child(), lambda: None) as whatif:
        whatif._moments = Never()  # type: ignore[assignment]
        standing = whatif.ask("a", BUSY, situation().as_of)
    assert standing.state == "failed"
    assert isinstance(standing.fault, QuestionError)
    assert (standing.fault.fr, str(standing.fault)) == ("non", "no")
