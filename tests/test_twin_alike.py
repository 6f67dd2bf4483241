"""Who is like whom."""

from __future__ import annotations

import numpy as np

from twin.alike import ENOUGH, enough_alike, group_of

SAME, SAME_KIND, OTHER = 3, 50, 100


def chosen(candidates: np.ndarray) -> list[int]:
    """How many of the same kind and hour, of the same kind, and of another are found like one of the first."""
    kind = np.repeat([1, 1, 2], [SAME, SAME_KIND, OTHER])
    groups = group_of(kind, np.repeat([2, 3, 2], [SAME, SAME_KIND, OTHER]))
    mine = enough_alike(groups, int(groups[0]), candidates) & candidates
    return [int(part.sum()) for part in np.split(mine, [SAME, SAME + SAME_KIND])]


def test_few_of_the_same_hour_are_joined_by_those_of_other_hours() -> None:
    assert SAME < ENOUGH <= SAME_KIND
    assert chosen(np.ones(SAME + SAME_KIND + OTHER, dtype=bool)) == [SAME, SAME_KIND, 0]


def test_few_of_a_kind_are_joined_by_all() -> None:
    few = np.ones(SAME + SAME_KIND + OTHER, dtype=bool)
    few[SAME : SAME + 40] = False
    assert chosen(few) == [SAME, SAME_KIND - 40, OTHER]


def test_enough_of_the_same_hour_stand_alone() -> None:
    kind, block = np.repeat([1, 1], ENOUGH), np.repeat([2, 3], ENOUGH)
    groups = group_of(kind, block)
    assert enough_alike(groups, int(groups[0]), np.ones(groups.size, dtype=bool)).tolist() == (block == 2).tolist()
