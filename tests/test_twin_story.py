"""Stories in columns, and the visits they tell."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import RANK
from twin.story import DESTINATIONS, NOWHERE, Story, Visits

WARD, HOME = DESTINATIONS.index("ward"), DESTINATIONS.index("home")
Mark = tuple[float, int, int, int, int]


def mark(at: float, kind: str, visit: int, unit: int = -1, to: int = -1) -> Mark:
    return at, RANK[kind], visit, unit, to


MARKS = [
    mark(0, "Arrived", 0),
    mark(5, "Triaged", 0),
    mark(9, "Moved", 0, unit=3),
    mark(20, "SeenByProvider", 0),
    mark(25, "SeenByProvider", 0),
    mark(60, "DecidedToAdmit", 0, unit=7),
    mark(90, "Departed", 0, unit=7, to=WARD),
    mark(300, "Moved", 0, unit=8),
    mark(900, "LeftWard", 0, to=HOME),
    mark(10, "Arrived", 1),
    mark(45, "LeftWithoutBeingSeen", 1),
    mark(12, "Arrived", 2),
    mark(13, "EnteredWard", 3, unit=7),
    mark(30, "LeftDuringCare", 2),
]


def visits(marks: list[Mark]) -> Visits:
    return Visits.of(Story.of(marks), np.array([1, -1, 2, -1, -1]))


def test_the_first_milestone_counts_and_the_last_exit() -> None:
    told = visits([*MARKS, mark(40, "Departed", 2, to=HOME)])
    assert told.seen_min[0] == 20
    assert told.decided_min[0] == 60
    assert (told.departed_min[2], told.to[2]) == (40, HOME)
    assert np.isnan(told.seen_min[1:]).all()


def test_each_exit_has_its_destination() -> None:
    told = visits(MARKS)
    assert [DESTINATIONS[to] if to >= 0 else None for to in told.to] == [
        "ward", "left_without_being_seen", "left_during_care", None, None,
    ]  # fmt: skip
    assert told.to[4] == NOWHERE
    assert np.isnan(told.departed_min[3:]).all()
    assert told.acuity.tolist() == [1, -1, 2, -1, -1]


def test_stays_last_until_the_next_move_or_exit() -> None:
    told = visits(MARKS)
    rows = zip(told.stay_visit, told.stay_unit, told.stay_from_min, told.stay_until_min, strict=True)
    assert sorted((int(v), int(u), float(a), float(b)) for v, u, a, b in rows if not np.isnan(b)) == [
        (0, 3, 9, 90),
        (0, 7, 90, 300),
        (0, 8, 300, 900),
    ]
    still = np.isnan(told.stay_until_min)
    assert (told.stay_visit[still].tolist(), told.stay_unit[still].tolist()) == ([3], [7])


@given(order=st.permutations(range(len(MARKS))))
@settings(max_examples=40, deadline=None)
def test_the_order_in_which_marks_are_told_does_not_matter(order: list[int]) -> None:
    one, other = visits(MARKS), visits([MARKS[i] for i in order])
    for name in ("arrived_min", "seen_min", "departed_min", "to", "stay_from_min", "stay_until_min", "stay_unit"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True), name


def test_a_story_without_marks_has_visits_to_whom_nothing_happened() -> None:
    told = visits([])
    assert np.isnan(told.arrived_min).all()
    assert np.isnan(told.departed_min).all()
    assert told.stay_unit.size == 0


def test_in_order_sorts_by_minute_then_kind() -> None:
    story = Story.of([mark(5, "Departed", 0), mark(5, "Arrived", 1), mark(1, "Triaged", 2)]).in_order()
    assert story.visit.tolist() == [2, 1, 0]
