"""Routes and lengths are cast by the loops, as text and compiled, as by the definition, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from tests.random_hospitals import random_case
from twin import fate_loop
from twin.durations import fixed
from twin.errors import RepeatsError
from twin.fate import Fate
from twin.fate_loop import Loops
from twin.kernel import compiled_casting
from twin.routing import OUT
from twin.small_hospitals import member, parameters, small_path

CASES, AS_TEXT = range(120), range(0, 120, 6)
COMPILES = pytest.mark.timeout(400)
"""Compiling takes some seconds of a processor, and more on a busy machine."""
BY_STOP = ("stage", "unit", "minutes", "freed_at", "patience_min")
TEXT = Loops(*(np.errstate(over="ignore")(loop) for loop in (fate_loop.route, fate_loop.lengths)))
"""Bits that overflow are meant to."""


@contextmanager
def by(loops: Sequence[Loops]) -> Iterator[None]:
    """What is cast meanwhile, by these; by the definition where there are none."""
    before = list(fate_loop.ready)
    fate_loop.ready[:] = loops
    try:
        yield
    finally:
        fate_loop.ready[:] = before


def cast_by(loops: Sequence[Loops], number: int) -> Fate:
    with by(loops):
        return random_case(number).fate


def differ(one: Fate, other: Fate) -> list[str]:
    """What is another; stops at which nobody is do not count."""
    return [f.name for f in fields(Fate) if not _same(f.name, getattr(one, f.name), getattr(other, f.name))]


def _same(name: str, one: Any, other: Any) -> bool:
    if name in BY_STOP:
        stops = min(one.shape[1], other.shape[1])
        assert (one[:, stops:] == OUT).all() or name != "stage", "a stop is missing"
        one, other = one[:, :stops], other[:, :stops]
    return np.array_equal(one, other, equal_nan=True)


@COMPILES
def test_compiled_they_cast_as_the_definition_does() -> None:
    assert [n for n in CASES if differ(cast_by([compiled_casting()], n), cast_by([], n))] == []


def test_as_text_they_do_so_too() -> None:
    assert [n for n in AS_TEXT if differ(cast_by([TEXT], n), cast_by([], n))] == []


def _begun_anew(*given: Any) -> int:
    *before, begun, place_of, code_of, first, by_class, by_block, rows, otherwise, out, late = given
    args = (place_of, code_of, first, by_class, by_block, rows, otherwise, out, late)
    return TEXT.lengths(*before, np.zeros_like(begun), *args)


def _without_tails(*given: Any) -> int:
    TEXT.lengths(*given)
    return 0


def _first_ward(*given: Any) -> int:
    *before, ward, wards, stage, slot, unit = given
    return TEXT.route(*before, ward, np.ones_like(wards), stage, slot, unit)


def _first_way(*given: Any) -> int:
    *before, running, ward, wards, stage, slot, unit = given
    return TEXT.route(*before, np.ones_like(running), ward, wards, stage, slot, unit)


@pytest.mark.parametrize(
    ("wrong", "seen"),
    [
        (TEXT._replace(lengths=_without_tails), {"minutes", "freed_min", "patience_min"}),
        (TEXT._replace(route=_first_ward), {"unit"}),
        (TEXT._replace(route=_first_way), {"stage"}),
    ],
    ids=["tails left out", "always the first ward", "always the first way"],
)
def test_a_loop_that_leaves_something_out_is_seen(wrong: Loops, seen: set[str]) -> None:
    found = {name for n in AS_TEXT for name in differ(cast_by([wrong], n), cast_by([], n))}
    assert seen <= found


@pytest.mark.parametrize(("lengths", "kept"), [(TEXT.lengths, True), (_begun_anew, False)], ids=["", "mutant"])
def test_what_has_begun_is_left_to_the_present(lengths: Callable[..., int], kept: bool) -> None:
    """It is looked at before the present is written over it."""
    left = list[bool]()

    def watched(*given: Any) -> int:
        begun, otherwise, out = given[6], given[13], given[14]
        count = lengths(*given)
        left.append(bool((out[begun, 0] == otherwise).all()))
        return count

    for number in AS_TEXT:
        cast_by([TEXT._replace(lengths=watched)], number)
    assert all(left) == kept


CIRCLE = """
name = "circle"
[stage.look]
comes = "Arrived"
starts = "SeenByProvider"
lasts = "short"
then = { look = 0.9, home = "rest" }
at_most = 2
[stage.home]
starts = "Departed"
to = "home"
"""


@pytest.mark.parametrize("loops", [[], [TEXT]], ids=["definition", "loop"])
def test_a_route_that_leads_to_a_stage_too_often_is_told_by_both(loops: list[Loops]) -> None:
    with by(loops), pytest.raises(RepeatsError, match="at_most"):
        _in_circles()


def _in_circles() -> None:
    path = small_path(CIRCLE)
    member(path, parameters(path, {"short": fixed(5)}, per_hour=20.0), hours=24)
