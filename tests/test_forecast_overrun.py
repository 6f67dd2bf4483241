"""A simulation that hangs is ended, one that asks for too much is refused; whoever works beside them knows nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import overrun
from forecast.errors import OverBudgetError
from forecast.workers import Workers
from ingest.clock import stopwatch

BUDGET_S = 0.6
GRACE_S = 5.0
"""How much later than one and a half budgets a child is gone, as reliability asks for it."""


def double(value: int) -> int:
    return 2 * value


def spins() -> None:
    while True:
        pass


def waits_for_ever() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def hears_no_term() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    spins()


def stops() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def takes(size: int) -> int:
    return int(np.empty(size, np.uint8).nbytes)


def naps(seconds: float) -> float:
    threading.Event().wait(seconds)
    return seconds


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


@pytest.mark.parametrize(
    "hangs", [hears_no_term, *(pytest.param(one, marks=pytest.mark.soak) for one in (spins, waits_for_ever, stops))]
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


def zombies() -> list[int]:
    """Children of this process that are dead and not buried."""
    multiprocessing.active_children()
    states = [(int(p.name), (p / "stat").read_text()) for p in Path("/proc").glob("[0-9]*") if (p / "stat").is_file()]
    return [n for n, s in states if s.rpartition(")")[2].split()[:2] == ["Z", str(os.getpid())]]


def test_without_a_budget_it_would_hang_for_ever(workers: Workers) -> None:
    """The mutant."""
    workers._budget_s = 1e9
    hung = workers.submit(spins)
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
