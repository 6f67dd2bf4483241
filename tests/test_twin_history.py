"""The one rule for what was never recorded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ingest.events import Event
from tests.worlds import DAY, told
from twin.history import completed, group_medians, history_of
from twin.minutes import Minutes
from twin.state import State, fold
from twin.story import Visits


def finished(events: list[Event], as_of_days: float) -> tuple[tuple[str, ...], Visits]:
    history = history_of(fold(State(), events), Minutes(DAY), as_of_days * 1440.0, ("4",), {"medicine": 0})
    return history.ids, completed(history)


def three_and_a_ghost() -> list[Event]:
    out: list[Event] = []
    for visit, leaves in (("a", "10:00"), ("b", "11:00"), ("c", "12:00")):
        out += [told("Arrived", visit, "09:00"), told("Triaged", visit, "09:05", acuity="4"),
                told("SeenByProvider", visit, "09:30"), told("Departed", visit, leaves, to="home")]  # fmt: skip
    return [*out, told("Arrived", "ghost", "09:00"), told("Triaged", "ghost", "09:05", acuity="4")]


def test_a_ghost_left_after_the_median_stay_of_visits_like_it() -> None:
    ids, visits = finished(three_and_a_ghost(), as_of_days=3)
    assert visits.departed_min[ids.index("ghost")] == 9 * 60 + 120
    assert visits.seen_min[ids.index("ghost")] == 9 * 60 + 30


def test_before_it_is_settled_a_visit_without_an_exit_is_left_open() -> None:
    ids, visits = finished(three_and_a_ghost(), as_of_days=1)
    assert np.isnan(visits.departed_min[ids.index("ghost")])


def test_no_exit_is_put_before_the_last_milestone() -> None:
    late = [*three_and_a_ghost(), told("SeenByProvider", "ghost", "15:00")]
    ids, visits = finished(late, as_of_days=3)
    assert visits.departed_min[ids.index("ghost")] >= 15 * 60


def test_a_missing_contact_is_put_no_later_than_the_exit_and_never_for_those_who_left_unseen() -> None:
    events = [
        *three_and_a_ghost(),
        told("Arrived", "quick", "09:00"), told("Triaged", "quick", "09:01", acuity="4"),
        told("Departed", "quick", "09:10", to="home"),
        told("Arrived", "gone", "09:00"), told("Triaged", "gone", "09:01", acuity="4"),
        told("LeftWithoutBeingSeen", "gone", "11:00"),
    ]  # fmt: skip
    ids, visits = finished(events, as_of_days=3)
    assert visits.seen_min[ids.index("quick")] == 9 * 60 + 10
    assert np.isnan(visits.seen_min[ids.index("gone")])


def test_a_ward_stay_without_an_end_is_closed_after_30_days() -> None:
    events: list[Event] = []
    for visit, hours in (("a", "12:00"), ("b", "14:00"), ("c", "16:00")):
        events += [told("EnteredWard", visit, "10:00", unit="medicine"), told("LeftWard", visit, hours)]
    events.append(told("EnteredWard", "ghost", "10:00", unit="medicine"))
    ids, visits = finished(events, as_of_days=32)
    row = list(visits.stay_visit).index(ids.index("ghost"))
    assert visits.stay_until_min[row] == 10 * 60 + 240
    _, open_still = finished(events, as_of_days=25)
    assert np.isnan(open_still.stay_until_min[row])


def boarders(*more: Event) -> list[Event]:
    """Two who board for one and for three hours and lie in medicine for a day, and one of whom no exit is told."""
    out: list[Event] = []
    for visit, went in (("a", "11:00"), ("b", "13:00"), ("untold", None)):
        out += [told("Arrived", visit, "09:00"), told("DecidedToAdmit", visit, "10:00", unit="medicine")]
        if went:
            out += [told("Departed", visit, went, to="ward", unit="medicine"), told("LeftWard", visit, went, day=1)]
    return [*out, *more]


def ward_stay(events: list[Event], as_of_days: float) -> tuple[float, float, float] | None:
    """Of the visit of which no exit is told: out of the department, into the ward, out of it; minutes."""
    ids, visits = finished(events, as_of_days)
    row = ids.index("untold")
    found = np.flatnonzero(visits.stay_visit == row)
    return (
        (visits.departed_min[row], visits.stay_from_min[found[0]], visits.stay_until_min[found[0]])
        if found.size
        else None
    )


def test_who_was_to_be_admitted_and_is_silent_for_two_days_lies_in_the_ward_wanted() -> None:
    assert ward_stay(boarders(), as_of_days=2) is None
    there = ward_stay(boarders(), as_of_days=2.5)
    assert there is not None
    assert there[:2] == (12 * 60, 12 * 60)
    assert np.isnan(there[2])


def test_an_exit_from_a_ward_tells_that_somebody_had_gone_there() -> None:
    left = told("LeftWard", "untold", "18:00", day=1)
    assert ward_stay(boarders(left), as_of_days=1.8) == (12 * 60, 12 * 60, 42 * 60)
    soon = told("LeftWard", "untold", "11:30")
    assert ward_stay(boarders(soon), as_of_days=1.8) == (11.5 * 60, 11.5 * 60, 11.5 * 60)


def test_where_no_log_tells_of_wards_nobody_is_put_into_one() -> None:
    only = [e for e in boarders() if e.kind != "LeftWard"]
    assert ward_stay(only, as_of_days=2.5) is None


def test_medians_by_group_fall_back_on_all() -> None:
    out = group_medians(np.array([1.0, 3.0, np.nan, np.nan]), np.array([0, 0, 0, 5]))
    assert out.tolist() == [2.0, 2.0, 2.0, 2.0]


def test_the_order_in_which_a_state_came_to_hold_its_visits_does_not_matter() -> None:
    """In the order of the state, the mutant, sums and ties would differ from one run to the next."""
    held = fold(State(), three_and_a_ghost())
    turned = replace(held, visits=dict(reversed(list(held.visits.items()))))
    assert list(turned.visits) != list(held.visits)
    one, other = (history_of(s, Minutes(DAY), 4320.0, ("4",), {"medicine": 0}) for s in (held, turned))
    assert one.ids == other.ids
    np.testing.assert_array_equal(one.visits.departed_min, other.visits.departed_min)
