"""Who comes and everybody's keys, by the loops compiled as by their text, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from tests.test_twin_luck import some
from twin import luck_loop
from twin.kernel import compiled_luck
from twin.keys import child
from twin.luck import Luck
from twin.luck_loop import Loops, seat

TEXT = luck_loop._TEXT
COLUMNS = ("first", "group", "at_min", "mark", "cls", "key")


@contextmanager
def by(loops: Loops) -> Iterator[None]:
    """What is drawn meanwhile, by these."""
    before = list(luck_loop.ready)
    luck_loop.ready[:] = [loops]
    try:
        yield
    finally:
        luck_loop.ready[:] = before


def drawn_by(loops: Loops) -> list[Luck]:
    with by(loops):
        return [some(seed=seed, member=seed, hours=30 + 7 * seed, here=seed) for seed in range(6)]


def same(one: list[Luck], other: list[Luck]) -> bool:
    pairs = [(getattr(a, c), getattr(b, c)) for a, b in zip(one, other, strict=True) for c in COLUMNS]
    return all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.timeout(400)
def test_compiled_they_draw_what_their_text_draws() -> None:
    assert same(drawn_by(compiled_luck()), drawn_by(TEXT))


def _late(*given: Any) -> int:
    """The mutant: the first gap is passed over."""
    gaps, *rest = given
    return TEXT.come(gaps + child(gaps, np.zeros(1, dtype=np.int64)), *rest)


def _next_key(*given: Any) -> None:
    """The mutant: the key of the patient behind."""
    seat(*given)
    key = given[4]
    key[:-1] = key[1:]


@pytest.mark.parametrize("wrong", [TEXT._replace(come=_late), TEXT._replace(seat=_next_key)], ids=["come", "seat"])
def test_other_gaps_or_keys_are_seen(wrong: Loops) -> None:
    with np.errstate(over="ignore"):
        assert not same(drawn_by(wrong), drawn_by(TEXT))


def test_where_more_come_than_there_was_room_for_nobody_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    enough, asked = drawn_by(TEXT), list[int]()

    def counted(*given: Any) -> int:
        asked.append(given[5].size)
        return TEXT.come(*given)

    monkeypatch.setattr(luck_loop, "_SPARE", -200)
    assert same(drawn_by(TEXT._replace(come=counted)), enough)
    assert len(asked) > 6
