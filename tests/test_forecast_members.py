"""Members in their order: kept, and ties broken by what members say around."""

from __future__ import annotations

import numpy as np

from forecast.members import in_order, ranked


def test_the_order_is_that_of_what_members_say_and_back_again() -> None:
    values = np.array([[3.0, 1.0, 2.0], [1.0, 5.0, 4.0]])
    order = ranked(values)
    assert order.tolist() == [[1, 2, 0], [0, 2, 1]]
    assert (in_order(np.take_along_axis(values, order, axis=1), order) == values).all()


def test_ties_are_broken_by_what_members_say_around_and_not_by_their_number() -> None:
    """By their number, the mutant, the same member would be the highest of its tie at every lead."""
    values = np.array([[9.0, 2.0, 5.0], [4.0, 4.0, 4.0], [9.0, 2.0, 5.0]])
    assert ranked(values)[1].tolist() == [1, 2, 0]
    assert np.argsort(values, axis=1, kind="stable")[1].tolist() == [0, 1, 2]
