"""Who is like whom."""

from __future__ import annotations

import numpy as np

from twin.alike import alike, group_of

KIND = np.array([0, 0, 1, 1])
BLOCK = np.array([2, 3, 2, 2])


def test_first_the_same_kind_and_time_of_day_then_the_same_kind_then_all() -> None:
    groups = group_of(KIND, BLOCK)
    found = [mine.tolist() for mine in alike(groups, int(groups[0]))]
    assert found == [[True, False, False, False], [True, True, False, False], [True, True, True, True]]
