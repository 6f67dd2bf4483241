"""What is foreseen of an adopted change, and what it is measured by: means over its window, member by member."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from forecast.realised import Promise
from forecast.values import Array, Members

PROMISED = ("ed_census", "ed_waiting", "ed_boarders")
"""Measures that an effect is told of."""
_ARRIVALS = "ed_arrivals"
_HOUR_MIN = 60.0


def foreseen_of(without: Members, with_it: Members) -> Iterator[tuple[str, Promise, Array | None]]:
    """Each measure with its promise over the whole run, and each member's arrivals; None where the change moves these.

    A member's mean is over the leads after 0.
    """
    came = arrivals_of(without)
    moved = not np.array_equal(came, arrivals_of(with_it))
    for measure in PROMISED:
        if measure in without.measures:
            means = (of.measures[measure][1:].mean(axis=0) for of in (without, with_it))
            yield measure, Promise(*means), None if moved else came


def arrivals_of(members: Members) -> Array:
    """How many come in each member's run, `(member,)`, from arrivals of the hour before each whole hour."""
    hourly = (members.lead_min > 0) & (members.lead_min % _HOUR_MIN == 0)
    return np.asarray(members.measures[_ARRIVALS][hourly].sum(axis=0))
