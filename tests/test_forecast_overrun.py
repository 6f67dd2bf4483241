"""A simulation that hangs is ended, one that asks for too much is refused; whoever works beside them knows nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime, timedelta
from typing import Any

import pytest

from forecast import overrun
from forecast.archive import SCHEMA_SQL as FORECAST_SQL
from forecast.archive import Archive
from forecast.errors import OverBudgetError
from forecast.loop import Loop, Rhythm
from forecast.workers import LOOK_S, Workers
from ingest.clock import SimulatedClock, stopwatch
from ingest.database import Database
from tests.histories import NOON, whole_log
from tests.ills import deadlocks, double, hears_no_term, naps, spins, stops, takes, waits_for_ever
from tests.processes import is_running, zombies
from tests.test_forecast_loop import HOW, SITE

BUDGET_S = 0.6
LOADED_S = 1.5
"""So much longer it takes until a machine that is kept busy gets round to it."""
GRACE_S = 5.0
"""How much later than one and a half budgets a child is gone, as reliability asks for it."""


@pytest.fixture(scope="module")
def made() -> Iterator[Workers]:
    made = Workers(2, budget_s=BUDGET_S)
    yield made
    made.shutdown(cancel_futures=True)


@pytest.fixture
def workers(made: Workers) -> Workers:
    """Two children that are there: each begins to nap while the other does."""
    made._budget_s = 1e9
    for task in [made.submit(naps, 0.1) for _ in range(8)]:
        task.result()
    made._budget_s = BUDGET_S
    return made


ILLS = (hears_no_term, spins, waits_for_ever, deadlocks, stops)
ASKED = (spins, waits_for_ever, deadlocks)
"""Those that end when they are asked to; the others need force."""


@pytest.mark.parametrize(
    "hangs", [hears_no_term, *(pytest.param(one, marks=pytest.mark.soak) for one in ILLS if one is not hears_no_term)]
)
def test_what_hangs_is_ended_and_the_others_are_done_as_if_nothing_were(workers: Workers, hangs: Any) -> None:
    began = stopwatch()
    hung, beside = workers.submit(hangs), [workers.submit(naps, 0.2 + n / 100) for n in range(8)]
    with pytest.raises(OverBudgetError, match="took longer than 1 s and was ended"):
        hung.result(timeout=30)
    assert BUDGET_S < stopwatch() - began < overrun.BY_FORCE * BUDGET_S + GRACE_S
    assert [task.result(timeout=30) for task in beside] == [0.2 + n / 100 for n in range(8)]
    assert workers.submit(double, 21).result(timeout=30) == 42
    assert not zombies()


@pytest.mark.parametrize("hangs", ILLS)
def test_its_process_is_gone_at_its_budget_or_at_one_and_a_half_times_that(workers: Workers, hangs: Any) -> None:
    """From when it began at its task, by the slate, until its process is no more."""
    hung = workers.submit(hangs)
    while not (busy := list(workers._slate.busy())):
        threading.Event().wait(0.01)
    (one,), seen = busy, stopwatch()
    while is_running(one.process) and stopwatch() - seen < 30.0:
        threading.Event().wait(0.01)
    took_s = one.seconds + stopwatch() - seen
    least = BUDGET_S if hangs in ASKED else overrun.BY_FORCE * BUDGET_S
    assert least < took_s < least + LOOK_S + LOADED_S
    with pytest.raises(OverBudgetError):
        hung.result(timeout=30)


# --- a whole cycle ----------------------------------------------------------------------------------------------------

EVERY = timedelta(minutes=10)
EVERY_S = 10.0
"""How long a turn takes here: children are begun anew within it, which takes five seconds at load 7."""


class Ill(Loop):
    """Each cycle asks for two tasks; one of the first cycle's hangs."""

    began: list[datetime]
    hangs: Any
    workers: Workers

    def cycle(self, as_of: datetime) -> None:
        self.began.append(as_of)
        hung = [self.workers.submit(self.hangs)] if len(self.began) == 1 else []
        for task in [self.workers.submit(naps, 0.1), *hung]:
            task.result()


def two_are_over(loop: Ill) -> bool:
    return loop.counts.done + loop.counts.failed == 2


def one_is_missed(loop: Ill) -> bool:
    return loop.counts.missed > 0


def lived(workers: Workers, hangs: Any, until: Callable[[Ill], bool]) -> tuple[Ill, list[timedelta]]:
    """A loop until something is so, or over five turns; and how late each of its cycles began."""
    with Database.open(None, [FORECAST_SQL], threads=1) as database:
        clock = SimulatedClock(NOON, speed=EVERY.total_seconds() / EVERY_S)
        loop = Ill(whole_log(), Archive(database), SITE, workers, clock, how=HOW, rhythm=Rhythm(EVERY))
        loop.began, loop.hangs, loop.workers = [], hangs, workers
        loop.start()
        patience = stopwatch() + 5 * EVERY_S
        while not until(loop) and stopwatch() < patience:
            threading.Event().wait(0.05)
        loop.stop()
    return loop, [began - NOON - n * EVERY for n, began in enumerate(loop.began)]


@pytest.mark.parametrize("hangs", [*(pytest.param(one, marks=pytest.mark.soak) for one in ASKED[::2]), stops])
def test_after_a_cycle_that_hangs_the_next_is_on_time(workers: Workers, hangs: Any) -> None:
    """That one failed, none is missed, and the next one is not late."""
    loop, late = lived(workers, hangs, two_are_over)
    assert (loop.counts.done, loop.counts.failed, loop.counts.missed) == (1, 1, 0)
    assert late[1] < EVERY / 5


def test_a_house_that_ends_nothing_misses_its_next_cycles(workers: Workers) -> None:
    """The mutant: what hangs is given longer than from one cycle to the next."""
    workers._budget_s = 1.5 * EVERY_S
    loop, _ = lived(workers, waits_for_ever, one_is_missed)
    assert (loop.counts.done, loop.counts.missed) == (0, 1)


def test_without_a_budget_it_would_hang_for_ever(workers: Workers) -> None:
    """The mutant."""
    workers._budget_s = 1e9
    hung = workers.submit(waits_for_ever)
    with pytest.raises(TimeoutError):
        hung.result(timeout=overrun.BY_FORCE * BUDGET_S + 1.0)
    workers._budget_s = 0.1
    with pytest.raises(OverBudgetError):
        hung.result(timeout=30)


def test_only_what_was_with_it_is_begun_anew(workers: Workers) -> None:
    """A child that dies by itself is told as ever: what it was at may be why."""
    task = workers.submit(os.kill, 0, 0)
    assert task.result(timeout=30) is None
    died = workers.submit(os._exit, 1)
    with pytest.raises(BrokenProcessPool):
        died.result(timeout=30)
    assert workers.submit(double, 2).result(timeout=30) == 4


def test_a_task_that_asks_for_too_much_is_refused_alone() -> None:
    bounded, free = Workers(1, memory_bytes=1 << 28), Workers(1, memory_bytes=None)
    try:
        child = bounded.submit(os.getpid).result()
        with pytest.raises(OverBudgetError, match="more memory than it may have"):
            bounded.submit(takes, 1 << 29).result(timeout=30)
        assert bounded.submit(takes, 1 << 20).result(timeout=30) == 1 << 20
        assert bounded.submit(os.getpid).result() == child, "the process goes on"
        assert free.submit(takes, 2 << 30).result(timeout=30) == 2 << 30, "the mutant: nothing holds it"
    finally:
        bounded.shutdown()
        free.shutdown()


def test_what_nobody_wants_any_more_is_taken_back(workers: Workers) -> None:
    busy = [workers.submit(naps, 0.3) for _ in range(4)]
    later: list[Future[int]] = [workers.submit(double, n) for n in range(20)]
    assert later[-1].cancel()
    assert later[0].result(timeout=30) == 0
    assert all(task.result(timeout=30) == 0.3 for task in busy)
    assert later[-1].cancelled()
