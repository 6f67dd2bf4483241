"""Work given out: each with its own result, in order, few in the works at a time, faults in their turn."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from forecast.works import AHEAD, HELD, each_with_result

COUNT = 80


class Counted(Executor):
    """Does at once what it is given, and counts what was given out and not taken yet: `most` of them at a time."""

    def __init__(self) -> None:
        self.given = self.most = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.given += 1
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except ZeroDivisionError as fault:
            done.set_exception(fault)
        return done

    def taken(self, count: int) -> None:
        self.most = max(self.most, self.given - count)


def halved(number: int, by: int) -> float:
    return by / number


def run(executor: Executor | None, given: Iterable[int] = range(1, COUNT)) -> Iterator[tuple[int, float]]:
    return each_with_result(given, halved, lambda number: (number, 60), executor)


def in_order(ran: Iterable[tuple[int, float]]) -> bool:
    return list(ran) == [(number, 60 / number) for number in range(1, COUNT)]


def as_they_come(executor: Executor) -> Iterator[tuple[int, float]]:
    """The mutant: the last given out is the first to be taken."""
    works: deque[tuple[int, Future[float]]] = deque()
    for number in range(1, COUNT):
        works.append((number, executor.submit(halved, number, 60)))
        if len(works) >= AHEAD:
            one, future = works.pop()
            yield one, future.result()
    yield from ((one, future.result()) for one, future in works)


def test_each_comes_with_its_own_result_in_order() -> None:
    with ThreadPoolExecutor(3) as threads:
        assert in_order(run(threads))
        assert not in_order(as_they_come(threads))
    assert in_order(run(None))


def most_in_the_works(run: Callable[[Executor], Iterator[tuple[int, float]]]) -> int:
    executor = Counted()
    for count, _ in enumerate(run(executor)):
        executor.taken(count)
    return executor.most


def all_at_once(executor: Executor) -> Iterator[tuple[int, float]]:
    """The mutant: all are given out before the first is taken."""
    works = [(number, executor.submit(halved, number, 60)) for number in range(1, COUNT)]
    yield from ((one, future.result()) for one, future in works)


def test_of_those_that_are_done_no_more_than_a_few_are_held() -> None:
    assert most_in_the_works(run) == HELD
    fewer = partial(each_with_result, range(1, COUNT), halved, lambda number: (number, 60), held=AHEAD)
    assert most_in_the_works(fewer) == AHEAD
    assert most_in_the_works(all_at_once) == COUNT - 1


class Idle(Executor):
    """Whose workers do nothing before they are told to; `left` says how many it was given and has not done."""

    def __init__(self) -> None:
        self.works: deque[tuple[Future[Any], Callable[[], Any]]] = deque()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.works.append((Future(), lambda: fn(*args, **kwargs)))
        return self.works[-1][0]

    def do(self, count: int) -> None:
        for _ in range(count):
            future, work = self.works.popleft()
            future.set_result(work())


def left_when_first_is_taken(run: Callable[[Executor], Iterator[tuple[int, float]]], *, done: int) -> int:
    """What workers still have before them when the second is taken, where so many were done after the first was."""
    executor, pause = Idle(), threading.Event()
    ran = run(executor)
    first = threading.Thread(target=next, args=(ran,))
    first.start()
    while len(executor.works) < AHEAD:
        pause.wait(0.001)
    executor.do(1)
    first.join()
    executor.do(done)
    assert next(ran) == (2, 30.0)
    return len(executor.works)


def one_for_one(executor: Executor) -> Iterator[tuple[int, float]]:
    """The mutant: for each that is taken one is given out, however many workers have before them."""
    works: deque[tuple[int, Future[float]]] = deque()
    for number in range(1, COUNT):
        works.append((number, executor.submit(halved, number, 60)))
        if len(works) >= AHEAD:
            one, future = works.popleft()
            yield one, future.result()


def test_workers_have_enough_before_them_though_much_is_done_and_not_taken() -> None:
    assert left_when_first_is_taken(run, done=AHEAD - 2) == AHEAD
    assert left_when_first_is_taken(one_for_one, done=AHEAD - 2) == 2


def test_without_an_executor_nothing_is_done_before_it_is_asked_for() -> None:
    asked: list[int] = []

    def given() -> Iterator[int]:
        for number in (1, 2, 3):
            asked.append(number)
            yield number

    assert next(run(None, given())) == (1, 60.0)
    assert asked == [1]
    with ThreadPoolExecutor(1) as threads:  # with one, others are in the works by then
        next(run(threads, given()))
    assert asked == [1, 1, 2, 3]


@pytest.mark.parametrize("executor", [None, Counted()])
def test_a_fault_is_raised_in_its_turn(executor: Executor | None) -> None:
    came: list[tuple[int, float]] = []
    with pytest.raises(ZeroDivisionError):
        came.extend(run(executor, (3, 2, 0, 1)))
    assert came == [(3, 20.0), (2, 30.0)]
