"""A run is packed by the loops, compiled as by their text, into the same numbers, and by neither where it cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests.random_hospitals import Case, random_case
from twin import kernel_layout, kernel_pack
from twin.errors import TwinError
from twin.fate import Lot
from twin.kernel import compiled_packing
from twin.kernel_layout import CAME, COMERS, COMING, PRIORITY, QUEUEING, QUEUERS, SERVERS, SERVING
from twin.kernel_pack import Packing
from twin.kernel_tables import Packed, Room, aimed, packed

CASES = range(0, 120, 3)
TEXT = kernel_pack._TEXT


@contextmanager
def by(packing: Packing) -> Iterator[None]:
    """What is packed meanwhile, by these."""
    before = list(kernel_pack.ready)
    kernel_pack.ready[:] = [packing]
    try:
        yield
    finally:
        kernel_pack.ready[:] = before


class Cleared(Room):
    """Room in which nothing stands that was not written."""

    def grow(self, whole: int, minutes: int) -> None:
        super().grow(whole, minutes)
        for values in self.whole:
            values[:] = 0


def ready(case: Case, packing: Packing, rows: Any = None) -> Packed:
    """A case ready for its run."""
    room = Cleared()
    with by(packing):
        given = packed(case.path, Lot.of(case.fate), case.present, case.horizon_min, room)
        aimed(given, case.path, case.capacity, rows, room)
    return given


def differ(one: Packing, other: Packing) -> list[int]:
    """The cases that two pack in another way, everybody coming or some."""
    found = []
    for number in CASES:
        case = random_case(number)
        some = np.random.default_rng(number).random(case.fate.visit.size) < 0.7
        pairs = [(ready(case, one, rows), ready(case, other, rows)) for rows in (None, some)]
        if not all(np.array_equal(a, b, equal_nan=True) for pair in pairs for a, b in zip(*pair, strict=True)):
            found.append(number)
    return found


@pytest.mark.timeout(400)
def test_compiled_they_write_what_their_text_writes() -> None:
    assert differ(compiled_packing(), TEXT) == []


def _in_another_order(aim: Callable[..., None], *given: Any) -> None:
    """The mutant: the last who come stand first."""
    aim(*given)
    n = given[0]
    comers = n[n[COMERS] : n[COMERS] + n[COMING]]
    comers[:] = comers[::-1].copy()


def test_comers_in_another_order_are_seen() -> None:
    assert differ(TEXT, Packing(TEXT.pack, partial(_in_another_order, TEXT.aim))) != []


@pytest.mark.parametrize("packing", [lambda: TEXT, compiled_packing], ids=["text", "compiled"])
def test_those_here_stand_as_queues_are_ordered_and_comers_by_when_they_come(packing: Callable[[], Packing]) -> None:
    """By a sort that is not the loop's own: priority, arrival, row."""
    queues = 0
    for number in CASES:
        case = random_case(number)
        n, x = ready(case, packing())
        here, serving = case.present.here, case.present.here & case.present.serving
        queueing = n[n[QUEUEING] : n[QUEUEING] + n[QUEUERS]].tolist()
        came, turn = x[n[CAME] :], x[n[PRIORITY] :]
        assert queueing == sorted(np.flatnonzero(here & ~serving).tolist(), key=lambda i: (turn[i], came[i], i))
        assert n[n[SERVING] : n[SERVING] + n[SERVERS]].tolist() == np.flatnonzero(serving).tolist()
        comers = n[n[COMERS] : n[COMERS] + n[COMING]].tolist()
        assert comers == sorted(range(case.present.count, case.fate.visit.size), key=lambda i: (case.fate.at_min[i], i))
        queues += len(queueing) > 2
    assert queues > 5, "else the order of a queue says little"


@pytest.mark.parametrize("packing", [lambda: TEXT, compiled_packing], ids=["text", "compiled"])
@pytest.mark.parametrize("what", ["at_min", "priority"])
def test_who_comes_without_a_minute_or_a_priority_is_refused(packing: Callable[[], Packing], what: str) -> None:
    case = random_case(4)
    column = getattr(case.fate, what).copy()
    column[-1] = np.nan
    with pytest.raises(TwinError, match="must have a priority and come at a minute from 0 on"):
        ready(replace(case, fate=replace(case.fate, **{what: column})), packing())


def test_a_room_that_held_another_run_gives_the_same() -> None:
    """What the one before left in it is not read."""
    room = Room()
    for number in CASES:
        case = random_case(number)
        with by(TEXT):
            given = packed(case.path, Lot.of(case.fate), case.present, case.horizon_min, room)
        fresh = packed(case.path, Lot.of(case.fate), case.present, case.horizon_min)
        head = given.n[: kernel_layout.HEAD]
        assert np.array_equal(head, fresh.n[: kernel_layout.HEAD])
        till = int(head[COMERS]), int(head[kernel_layout.CHANGE_AT])
        for mine, other, end in zip(given, fresh, till, strict=True):
            assert np.array_equal(mine[:end], other[:end], equal_nan=True)
