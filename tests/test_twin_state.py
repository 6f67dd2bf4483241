"""The state: a join of events, whatever their order; corrections; who is where and waits for what."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import BedId, BedsCounted, BedStatusChanged, Event, EventId, StaffOnDuty, UnitId, VisitId
from tests.worlds import at, day_of_visits, struck, told
from twin import state as module
from twin.state import State, fold
from twin.visit import Visit

MEDICINE = UnitId("medicine")


def rows(state: State) -> dict[VisitId, Visit]:
    return dict(state.visits)


def corrected_day() -> list[Event]:
    """The day with a new version of an exit, a cancellation, a revival, and a merge."""
    day = day_of_visits()
    exit_b = next(e for e in day if e.visit == "b" and e.kind == "Departed")
    later = replace(exit_b, occurred_at=at("11:45"), known_at=at("13:00"))
    seen_b = next(e for e in day if e.visit == "b" and e.kind == "SeenByProvider")
    strike = struck(seen_b, at("12:00"))
    again = replace(seen_b, known_at=at("12:30"))
    merge = told("Merged", "d", "12:00", into="b")
    return [
        *day,
        later,
        strike,
        again,
        merge,
        StaffOnDuty(event_id=EventId("s"), occurred_at=at("07:00"), known_at=at("07:00"), pool="doctor", count=3),
    ]


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_any_order_split_and_repetition_of_a_day_gives_the_same_state(chance: random.Random, parts: int) -> None:
    straight = fold(State(), corrected_day())
    shuffled = corrected_day() * 2
    chance.shuffle(shuffled)
    state = State()
    for part in range(parts):
        state = fold(state, shuffled[part::parts])
    assert rows(state) == rows(straight)
    assert state.hash == straight.hash
    assert state.places == straight.places


def last_told(held: dict[EventId, Event], events: Iterable[Event]) -> list[tuple[Event | None, Event]]:
    """The mutant: a version is replaced by whatever comes later in the stream."""
    taken = [(held.get(e.event_id), e) for e in events]
    held.update({e.event_id: e for _, e in taken})
    return taken


def test_a_fold_that_keeps_the_last_told_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    straight = fold(State(), corrected_day())
    monkeypatch.setattr(module, "_take", last_told)
    assert rows(fold(State(), list(reversed(corrected_day())))) != rows(straight)


def test_who_is_here_and_waits_for_what_since_when() -> None:
    state = fold(State(), day_of_visits())
    here = state.present(at("10:45"))
    assert [(v.visit, v.waits_for, v.since_at) for v in here] == [
        ("a", "bed", at("10:00")), ("b", "decision", at("10:30")), ("c", "triage", at("09:30")),
        ("d", "triage", at("10:40")),
    ]  # fmt: skip
    assert [v.visit for v in state.present(at("23:00"))] == ["d"]
    assert [(v.visit, v.ward_stay.unit) for v in state.inpatients(at("13:00")) if v.ward_stay] == [("a", "medicine")]
    assert state.inpatients(at("20:00")) == []


def test_what_happens_after_the_instant_is_left_out() -> None:
    [a, *_] = fold(State(), day_of_visits()).present(at("09:00"))
    assert (a.seen_at, a.decided_at, a.departed_at, a.to, a.stays) == (at("08:20"), None, None, None, ())


def test_a_cancelled_event_never_happened() -> None:
    day = day_of_visits()
    without = [e for e in day if not (e.kind == "Departed" and e.visit == "b")]
    exit_b = next(e for e in day if e.kind == "Departed" and e.visit == "b")
    assert rows(fold(State(), [*day, struck(exit_b, at("12:00"))])) == rows(fold(State(), without))


def test_a_cancelled_cancellation_never_happened() -> None:
    day = day_of_visits()
    strike = struck(day[9], at("12:00"))
    undone = struck(strike, at("12:10"))
    assert rows(fold(State(), [*day, strike, undone])) == rows(fold(State(), day))
    assert rows(fold(State(), [undone, strike, *day])) == rows(fold(State(), day))


def test_cancellations_that_strike_each_other_end_and_do_not_depend_on_order() -> None:
    day = day_of_visits()
    one = struck(day[9], at("12:00"))
    two = struck(one, at("12:10"))
    one_again = replace(one, target=two.event_id, known_at=at("12:20"))
    assert rows(fold(State(), [*day, one, two, one_again])) == rows(fold(State(), [one_again, two, one, *day]))


def test_merges_follow_chains_and_the_last_merge_of_a_circle_is_refused() -> None:
    day = day_of_visits()
    chain = [told("Merged", "c", "12:00", into="d"), told("Merged", "d", "12:01", into="b")]
    merged = fold(State(), [*day, *chain])
    assert set(merged.visits) == {"a", "b"}
    assert merged.visits[VisitId("b")].arrived_at == at("09:00")
    for first, last in ("bc", "cb"):
        circle = [told("Merged", first, "12:00", into=last), told("Merged", last, "12:01", into=first)]
        alone = fold(State(), [*day, circle[0]])
        assert set(alone.visits) == {"a", last, "d"}
        assert rows(fold(State(), [*day, *circle])) == rows(alone)
        assert rows(fold(State(), [*reversed(circle), *day])) == rows(alone)


def test_a_circle_that_leads_to_its_smallest_id_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_last_merge", lambda state, visit: [-ord(visit)])
    with pytest.raises(AssertionError):
        test_merges_follow_chains_and_the_last_merge_of_a_circle_is_refused()


def test_a_circle_that_is_opened_leaves_nothing_where_it_led_before() -> None:
    day = day_of_visits()
    pairs = [("a", "b", "12:00"), ("b", "c", "12:01"), ("d", "a", "12:02"), ("c", "d", "12:03")]
    circle = [told("Merged", visit, clock, into=into) for visit, into, clock in pairs]
    opened = told("Merged", "a", "12:04", into="d")
    state = fold(State(), [*day, *circle])
    assert set(state.visits) == {"c"}
    assert set(fold(state, [opened]).visits) == {"a"}
    assert rows(fold(state, [opened])) == rows(fold(State(), [opened, *day, *circle]))


def test_places_give_their_latest_count_and_status() -> None:
    events = [
        BedsCounted(event_id=EventId("1"), occurred_at=at("07:00"), known_at=at("07:00"), unit=MEDICINE, count=30),
        BedsCounted(event_id=EventId("2"), occurred_at=at("09:00"), known_at=at("09:00"), unit=MEDICINE, count=28),
        BedStatusChanged(
            event_id=EventId("3"),
            occurred_at=at("08:00"),
            known_at=at("08:00"),
            unit=MEDICINE,
            bed=BedId("12"),
            status="cleaning",
        ),
    ]
    state = fold(State(), events)
    assert state.counted(BedsCounted, at("08:59")) == {"medicine": 30}
    assert state.counted(BedsCounted, at("09:00")) == {"medicine": 28}
    assert state.bed_statuses(at("10:00")) == {("medicine", "12"): "cleaning"}


def test_the_hash_tells_states_apart() -> None:
    day = day_of_visits()
    assert fold(State(), day).hash != fold(State(), day[:-1]).hash
    assert fold(fold(State(), day[:5]), day[5:]).hash == fold(State(), day).hash
