"""What is made once a run: by one of its processes, and the same in all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from tests import once
from tests.once import once_a_run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    before = list(once._FOLDER)
    once.share(tmp_path)
    yield tmp_path
    once._FOLDER[:] = before


def processes(made: list[int], number: int = 2) -> list[Callable[[], list[float]]]:
    """What so many processes of a run have of the same thing."""

    def thing() -> list[float]:
        made.append(1)
        return [0.1 + 0.2, float(np.pi)]

    return [once_a_run(thing) for _ in range(number)]


def test_it_is_made_by_the_first_and_the_same_in_all() -> None:
    made: list[int] = []
    one, other = processes(made)
    assert one() == other() == [0.1 + 0.2, float(np.pi)]
    assert one() is one()
    assert made == [1]


def test_who_asks_meanwhile_waits() -> None:
    made: list[int] = []
    together = Barrier(4)

    def asks(one: Callable[[], list[float]]) -> list[float]:
        together.wait()
        return one()

    with ThreadPoolExecutor(4) as pool:
        assert len({tuple(found) for found in pool.map(asks, processes(made, 4))}) == 1
    assert made == [1]


def test_what_could_not_be_made_is_made_by_the_next() -> None:
    tried: list[int] = []

    def thing() -> int:
        tried.append(1)
        if len(tried) == 1:
            raise ValueError("not yet")
        return 3

    one, other = once_a_run(thing), once_a_run(thing)
    with pytest.raises(ValueError, match="not yet"):
        one()
    assert (other(), one(), len(tried)) == (3, 3, 2)


def test_a_process_alone_keeps_nothing(folder: Path) -> None:
    once._FOLDER.clear()
    made: list[int] = []
    one, other = processes(made)
    assert (one(), other(), made) == ([0.1 + 0.2, float(np.pi)], [0.1 + 0.2, float(np.pi)], [1, 1])
    assert list(folder.iterdir()) == []
