"""Who comes, and the keys of everybody, of many members at once, as loops: compiled by `kernel.py`, else as text."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import NamedTuple

import numpy as np

from twin.keys import Array, Index, Keys, child, number

MARK, CLASS = 0, 1
"""Places of numbers that every patient has."""
_SPREAD, _SPARE = 6.0, 16
"""Room is made for so many standard deviations more than are expected, and some more."""


def come(
    gaps: Keys, company: Keys, reached: Array, edge_min: Array, together: float, at_min: Array, count: Index
) -> int:
    """Write when the candidates of a stream come, member after member, and how many each has; how many there are.

    Gaps of a Poisson process, by change of time: `reached` says how many are expected by each bound of the hours,
    `(member, hour + 1)`. A share of `together` brings another one along. Where there is no room they are only counted.
    """
    total, last = 0, edge_min.size - 1
    for m in range(count.size):
        begin, hour, gap = total, 0, 0
        at = -log(1.0 - number(gaps[m], gap))
        while at < reached[m, last]:
            while reached[m, hour + 1] <= at:
                hour += 1
            share = (at - reached[m, hour]) / (reached[m, hour + 1] - reached[m, hour])
            minute = edge_min[hour] + share * (edge_min[hour + 1] - edge_min[hour])
            for _ in range(2 if together > 0.0 and number(company[m], gap) < together else 1):
                if total < at_min.size:
                    at_min[total] = minute
                total += 1
            gap += 1
            at -= log(1.0 - number(gaps[m], gap))
        count[m] = total - begin
    return total


def seat(of_block: Keys, size: Index, group: Index, at_min: Array, key: Keys, mark: Array, cls: Array) -> None:
    """Write each patient's key, and the numbers of their mark and class; blocks of patients stand one after the other.

    A block's `group` is 0 or more where it is one of candidates: who comes at the same minute as the one before has the
    same mark.
    """
    row = 0
    for block in range(size.size):
        for place in range(size[block]):
            key[row] = child(of_block[block], place)
            cls[row] = number(key[row], CLASS)
            if place > 0 and group[block] >= 0 and at_min[row] == at_min[row - 1]:
                mark[row] = mark[row - 1]
            else:
                mark[row] = number(key[row], MARK)
            row += 1


class Loops(NamedTuple):
    """Both, compiled or as they stand."""

    come: Callable[..., int]
    seat: Callable[..., None]


ready: list[Loops] = []
"""The compiled loops, once they are there."""
_overflowing = np.errstate(over="ignore")
_TEXT = Loops(_overflowing(come), _overflowing(seat))
"""As they stand, where bits may overflow."""


def loops() -> Loops:
    """The quickest that are there; all give the same, to the last bit."""
    return ready[0] if ready else _TEXT


def candidates(gaps: Keys, company: Keys, reached: Array, edge_min: Array, together: float) -> tuple[Array, Index]:
    """What `come` writes: when the candidates of a stream come, member after member, and how many each has."""
    expected = float(reached[:, -1].sum()) * (1.0 + together)
    at_min, count = np.empty(int(expected + _SPREAD * expected**0.5) + _SPARE), np.zeros(gaps.size, dtype=np.int64)
    while (found := loops().come(gaps, company, reached, edge_min, together, at_min, count)) > at_min.size:
        at_min = np.empty(found)
    return at_min[:found], count
