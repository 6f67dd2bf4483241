"""Work of one kind given out to an executor, a little ahead of whoever takes its results."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

AHEAD = 24
"""How many are in the works before the first is taken: enough to keep workers busy while whoever takes them learns for
three seconds."""
HELD = 48
"""How many, with those that are done, are held in memory before the first is taken, however few are in the works."""

Given = TypeVar("Given")
Result = TypeVar("Result")


def each_with_result(
    given: Iterable[Given],
    work: Callable[..., Result],
    arguments: Callable[[Given], tuple[Any, ...]],
    executor: Executor | None,
    *,
    held: int = HELD,
) -> Iterator[tuple[Given, Result]]:
    """Each of what is given with what `work` makes of its arguments, in order; `AHEAD` are in the works at a time.

    Workers come first: while fewer are in the works, more are given out, though some are done and wait to be taken,
    until so many are `held`.
    In this process, one after the other, where no executor is given. Raises what one of them raised, in its turn.
    """
    if executor is None:
        yield from ((one, work(*arguments(one))) for one in given)
        return
    works: deque[tuple[Given, Future[Result]]] = deque()
    for one in given:
        works.append((one, executor.submit(work, *arguments(one))))
        while len(works) >= held or _in_the_works(works) >= AHEAD:
            yield _first(works)
    while works:
        yield _first(works)


def _in_the_works(works: Iterable[tuple[Given, Future[Result]]]) -> int:
    return sum(not future.done() for _, future in works)


def _first(works: deque[tuple[Given, Future[Result]]]) -> tuple[Given, Result]:
    """Waited for, and taken off."""
    one, future = works.popleft()
    return one, future.result()
