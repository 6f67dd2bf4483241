"""The hospital as its log tells it: wards, beds, doctors."""

from __future__ import annotations

from collections.abc import Iterable

from ingest.events import BedsCounted, Event, EventId, StaffOnDuty, UnitId
from tests.histories import NOON, hospital, state, told
from tests.worlds import at
from tests.worlds import told as mark
from twin.adapted import Adapted, adapted
from twin.hospital import NO_LIMIT
from twin.state import State, fold


def of(events: Iterable[Event], *, own_beds: bool = False) -> Adapted:
    return adapted(hospital(), fold(State(), events), NOON, own_beds=own_beds)


def without(kind: type[Event]) -> list[Event]:
    return [e for e in told().known(NOON) if not isinstance(e, kind)]


def test_beds_are_those_counted_last() -> None:
    known = adapted(hospital(), state(), NOON, own_beds=False)
    counted = state().counted(BedsCounted, NOON)
    assert counted
    assert {u.name: u.places for u in known.hospital.wards} == counted
    assert known.beds == frozenset(counted)


def test_wards_without_a_count_have_beds_for_everybody_unless_the_file_is_the_sites_own() -> None:
    known = of(without(BedsCounted))
    assert known.beds == frozenset()
    assert {u.places for u in known.hospital.wards} == {NO_LIMIT}
    own = of(without(BedsCounted), own_beds=True)
    named = {u.name: u.places for u in own.hospital.wards}
    assert len(named) == 6
    assert own.beds == set(named)
    assert named.items() <= {u.name: u.places for u in hospital().wards}.items()


def test_wards_overflow_as_the_file_says_only_where_it_is_the_sites_own() -> None:
    assert {u.overflow for u in of(told().known(NOON)).hospital.wards} == {()}
    own = of(told().known(NOON), own_beds=True).hospital
    assert own.unit("surgery").overflow == ()
    assert own.unit("geriatrics").overflow == ("medicine",), "none into wards that are not there"


def test_wards_are_those_that_the_log_names() -> None:
    events = [mark("Departed", "v", "10:00", to="ward", unit=UnitId("W17"))]
    known = adapted(hospital(), fold(State(), events), at("12:00"), own_beds=True)
    assert [(u.name, u.places) for u in known.hospital.wards] == [("W17", NO_LIMIT)]
    assert known.beds == frozenset()
    assert [u for u in known.hospital.units if not u.ward] == [u for u in hospital().units if not u.ward]


def test_a_log_that_names_none_has_those_of_the_file() -> None:
    known = adapted(hospital(), State(), NOON, own_beds=False)
    assert [u.name for u in known.hospital.wards] == [u.name for u in hospital().wards]


def test_doctors_are_those_on_duty_else_nobody_queues_for_one() -> None:
    known = adapted(hospital(), state(), NOON, own_beds=False)
    assert known.doctors is not None
    roster = next(p for p in known.hospital.rosters if p.name == "doctor")
    assert (roster.weekday, roster.weekend) == known.doctors
    assert 1 <= min(roster.weekday) < max(roster.weekday) <= 4
    unknown = of(without(StaffOnDuty))
    assert unknown.doctors is None
    assert next(p for p in unknown.hospital.rosters if p.name == "doctor").weekday == (NO_LIMIT,) * 24


def test_a_count_that_comes_later_is_not_read() -> None:
    count = BedsCounted(
        event_id=EventId("b"), occurred_at=at("13:00"), known_at=at("09:00"), unit=UnitId("surgery"), count=3
    )
    assert adapted(hospital(), fold(State(), [count]), at("12:00"), own_beds=False).beds == frozenset()
