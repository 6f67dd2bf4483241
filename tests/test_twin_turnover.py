"""How full wards get while patients queue, and how long a bed is out of use between two patients."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ingest.events import BedsCounted, EventId, UnitId
from twin import turnover
from twin.hospital import Hospital
from twin.minutes import Minutes
from twin.small_hospitals import small_hospital
from twin.state import State, fold
from twin.story import Array, Index, Visits
from twin.turnover import DEFAULT_TURNAROUND_MIN, BedCounts, Turnover, free_beds, learn_turnover

DAY_MIN, BEDS, USED, GAP_MIN = 1440.0, 10, 8, 90.0
HOUSE: Hospital = small_hospital().with_beds({"medicine": BEDS})
WARD = HOUSE.unit_code("medicine")
MINUTES = Minutes(datetime(2026, 3, 2, tzinfo=UTC))


def world(days: int, used: int = USED, *, from_day: int = 0, boards_min: float = 720.0) -> Visits:
    """A ward that uses so many of its beds: each is left at about noon and taken again 90 minutes later.

    Who comes was decided to be admitted `boards_min` before.
    """
    leave = (from_day + np.arange(days))[:, None] * DAY_MIN + 720.0 + np.arange(used)[None, :] * 10.0
    enter, leave = (leave + GAP_MIN).ravel(), (leave + DAY_MIN).ravel()
    n, none = enter.size, np.full(enter.size, np.nan)
    return Visits(
        enter - boards_min - 60.0, none, none, enter - boards_min, enter, np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64), np.arange(n), np.full(n, WARD), enter, leave,
    )  # fmt: skip


def both(one: Visits, other: Visits) -> Visits:
    return Visits(**{name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in vars(one)})


def counted(*steps: tuple[float, int]) -> BedCounts:
    since, count = np.array(steps, dtype=np.float64).T
    return BedCounts({"medicine": (since, count)})


def found(visits: Visits, days: int, counts: BedCounts | None = None, known: str = "medicine") -> Turnover:
    asked: Index = np.full(visits.arrived_min.size, WARD)
    grid: Array = np.arange(2 * DAY_MIN, (days - 1) * DAY_MIN, 60.0)
    return learn_turnover(visits, asked, HOUSE, frozenset([known]), counts or counted((0.0, BEDS)), grid)


def test_beds_that_stay_empty_beside_a_queue_are_held_back_and_the_rest_turn_over() -> None:
    learned = found(world(40), 40)
    assert learned.held_back == {"medicine": BEDS - USED}
    assert learned.turnaround_min == pytest.approx(GAP_MIN, rel=0.15)


def test_beds_that_are_empty_because_nobody_wants_them_are_not_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at in all hours, the mutant, a quiet month makes half of the ward unusable."""
    quiet = both(world(20), world(40, used=4, from_day=20, boards_min=30.0))
    assert found(quiet, 60).held_back == {"medicine": BEDS - USED}
    monkeypatch.setattr(turnover, "A_QUEUE", 0)
    assert found(quiet, 60).held_back["medicine"] > BEDS - USED


def test_a_search_is_not_a_queue() -> None:
    assert found(world(40, boards_min=120.0), 40).held_back == {}
    assert found(world(40, boards_min=120.0), 40).turnaround_min == DEFAULT_TURNAROUND_MIN


def test_beds_that_were_closed_then_are_not_counted_as_held_back() -> None:
    """By today's number, the mutant, the closed ones would be."""
    closed = both(world(20, used=6), world(20, from_day=20))
    by_day = counted((0.0, BEDS - 2), (20 * DAY_MIN, BEDS))
    assert found(closed, 40, by_day).held_back == {"medicine": 2}
    assert found(closed, 30, counted((0.0, BEDS))).held_back["medicine"] > 2


def test_a_ward_whose_beds_nobody_counts_holds_nothing_back() -> None:
    assert found(world(40), 40, known="surgery").held_back == {}


def test_free_beds_are_those_of_the_ward_wanted_at_each_minute() -> None:
    visits, at = world(10), np.array([5 * DAY_MIN, np.nan, 5 * DAY_MIN])
    free = free_beds(visits, HOUSE, counted((0.0, BEDS)), np.array([WARD, WARD, -1]), at)
    assert free.tolist() == [BEDS - USED, 0.0, 0.0]


def test_counts_are_in_force_until_the_next_one() -> None:
    def count(day: int, beds: int) -> BedsCounted:
        at = MINUTES.origin + timedelta(days=day)
        return BedsCounted(
            event_id=EventId(f"beds/{day}"),
            occurred_at=at,
            known_at=at,
            source="w",
            unit=UnitId("medicine"),
            count=beds,
        )

    told = BedCounts.of(fold(State(), [count(4, 8), count(2, 10)]), MINUTES)
    at = np.array([0.0, 2.0, 3.9, 4.0, 9.0]) * DAY_MIN
    assert told.at("medicine", at, 7).tolist() == [10.0, 10.0, 10.0, 8.0, 8.0]
    assert told.at("surgery", at[:2], 7).tolist() == [7.0, 7.0]


def test_a_bed_held_back_is_no_place_to_queue_for_but_a_bed() -> None:
    kept = HOUSE.with_held_back({"medicine": 2})
    profile = kept.capacity(kept.unit("medicine").pool, MINUTES.origin, 60.0)
    assert profile == ((0.0, BEDS - 2),)
    assert kept.unit("medicine").places == BEDS
    assert kept.with_held_back({"medicine": 99}).capacity("bed:medicine", MINUTES.origin, 60.0) == ((0.0, 0),)
