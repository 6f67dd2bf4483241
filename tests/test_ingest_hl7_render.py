"""Events as messages and back: nothing that HL7 carries is lost, and what it does not carry is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ingest import events as vocabulary
from ingest import hl7_render
from ingest.events import (
    BedAssigned,
    BedId,
    BedRequested,
    BedsCounted,
    BedStatusChanged,
    Cancelled,
    CensusObserved,
    Changed,
    Departed,
    Event,
    EventId,
    Merged,
    ResourceCounted,
    SeenByProvider,
    StaffOnDuty,
    StockCounted,
    SupplyDelivered,
    TestOrdered,
    TestResulted,
    Triaged,
    UnitId,
    VisitEvent,
    VisitId,
)  # fmt: skip
from ingest.hl7 import Hl7, parse
from ingest.hl7_ids import at_text, bed_record_id, movement_id, record_id
from ingest.hl7_render import carries, render
from ingest.hl7_settings import load_settings, parse_settings
from ingest.mapping import find_mapping
from ingest.pseudonyms import Pseudonyms
from tests.hl7_messages import place
from tests.strategies import events, instants, names
from tests.worlds import at, day_of_visits, struck, told
from twin.fabricate import FabricatedHospital, World
from twin.state import State, fold
from twin.visit import Visit

PLAIN = parse_settings('[source]\nname = "adt"\nformat = "hl7"\nsite = "x"\nzone = "UTC"\n')
NOT_CARRIED = (BedsCounted, StaffOnDuty, ResourceCounted, CensusObserved, StockCounted, SupplyDelivered)
CARRIED = tuple(cls for cls in vocabulary.EVENT_CLASSES if cls not in (*NOT_CARRIED, Cancelled))


def canonical(event: Event, number: str) -> Event:
    """The event with the id that its message tells, and within what HL7 can say.

    An empty name is no name; a message always says when it was recorded; a ward entered is told of who went to one.
    """
    changes: dict[str, Any] = {"recorded_at": event.recorded_at or event.known_at or event.occurred_at}
    changes |= {"known_at": None, "stored_at": None, "source": "adt", "position": 1}
    if isinstance(event, Departed) and event.to != "ward":
        changes["unit"] = None
    return replace(event, event_id=own_id(event, number), **changes)


def own_id(event: Event, number: str) -> EventId:
    """The id that a message gives the event."""
    at_once = {Triaged: "triage", SeenByProvider: "seen", Changed: "change"}
    if isinstance(event, BedStatusChanged):
        return bed_record_id("adt", event.unit, event.bed, event.occurred_at)
    assert isinstance(event, VisitEvent)
    if type(event) in at_once:
        return record_id("adt", event.visit, at_once[type(event)], at_text(event.occurred_at))
    if isinstance(event, Merged):
        return record_id("adt", event.visit, "merge")
    if isinstance(event, TestOrdered):
        return record_id("adt", event.visit, "ordered", number)
    if isinstance(event, TestResulted):
        return record_id("adt", event.visit, "resulted", number, event.test)
    return movement_id("adt", event.visit, number)


def says_something(event: Event) -> bool:
    """Whether HL7 has anything to carry: a change that changes nothing, a merge into itself and "" are not told."""
    said = [
        value
        for name in ("visit", "unit", "bed", "into", "patient", "test")
        if (value := getattr(event, name, None)) is not None
    ]
    if "" in said or (isinstance(event, Merged) and event.into == event.visit):
        return False
    if isinstance(event, Changed):
        return any(getattr(event, n) for n in ("acuity", "mode", "age_band", "sex", "complaint", "unit"))
    return True


def back(event: Event) -> list[Event]:
    """What the messages of an event tell."""
    return [e for message in render([event]) for e in parse(message, place(), PLAIN).events]


def plain_names() -> st.SearchStrategy[str]:
    """Names that a field of HL7 keeps: without blanks at their ends; a star would mean the last of its kind."""
    return names() | st.text(min_size=1, max_size=8).map(str.strip).filter(lambda text: text not in ("", "*", '""'))


carried_events = events(
    *CARRIED,
    occurred_at=instants(), recorded_at=st.none() | instants(), known_at=st.none() | instants(),
    **dict.fromkeys(("visit", "into", "unit", "bed", "patient", "test"), plain_names()),
)  # fmt: skip


@hypothesis_settings(max_examples=400, deadline=None)
@given(carried_events.filter(says_something), plain_names().filter(bool))
def test_what_is_rendered_is_parsed_back(event: Event, number: str) -> None:
    event = canonical(event, number)
    assert carries(event)
    assert back(event) == [event]


@hypothesis_settings(max_examples=50, deadline=None)
@given(instants(), plain_names().filter(bool), plain_names().filter(bool))
def test_the_cancellation_of_a_movement_is_parsed_back(instant: Any, visit: str, number: str) -> None:
    target = movement_id("adt", visit, number)
    strike = Cancelled(
        event_id=EventId(f"{target}/Cancelled"),
        target=target,
        occurred_at=instant,
        recorded_at=instant,
        source="adt",
        position=1,
    )
    assert back(strike) == [strike]


@pytest.mark.parametrize(("attribute", "mutant"), [("escaped", str), ("stamp", lambda at: f"{at:%Y%m%d%H%M%S}")])
def test_a_renderer_that_forgets_to_escape_or_the_offset_is_caught(
    monkeypatch: pytest.MonkeyPatch, attribute: str, mutant: Callable[[Any], str]
) -> None:
    monkeypatch.setattr(hl7_render, attribute, mutant)
    event = canonical(told("Moved", "a^b", "08:00", unit="x|y"), "1")
    paris = parse_settings('[source]\nname = "adt"\nformat = "hl7"\nsite = "x"\nzone = "Europe/Paris"\n')
    assert [e for m in render([event]) for e in parse(m, place(), paris).events] != [event]


def test_what_hl7_cannot_carry_is_left_out() -> None:
    common: dict[str, Any] = {"event_id": EventId("x"), "occurred_at": at("08:00")}
    left_out = [
        BedsCounted(**common, unit=UnitId("medicine"), count=3),
        StaffOnDuty(**common, pool="doctor", count=3),
        ResourceCounted(**common, pool="ventilator", count=3),
        StockCounted(**common, pool="linen_sets", count=3),
        SupplyDelivered(**common, pool="linen_sets", count=3),
        CensusObserved(**common, measure="ed_census", count=3),
        *(
            Cancelled(**common, target=EventId(target))
            for target in ("adt/v/move/*", "adt/v/movement/1/Cancelled", "adt/v/merge", "nothing")
        ),
    ]
    assert [carries(event) for event in left_out] == [False] * len(left_out)
    assert list(render(left_out)) == []


def test_a_bed_that_was_asked_for_is_not_one_that_was_promised() -> None:
    common: dict[str, Any] = {"event_id": EventId("adt/v/movement/1"), "occurred_at": at("08:00"), "visit": "v"}
    kinds = [BedRequested(**common), BedAssigned(**common), BedAssigned(**common, bed=BedId("3"))]
    assert [back(event)[0].kind for event in kinds] == ["BedRequested", "BedAssigned", "BedAssigned"]


def told_by_messages(day: list[Event]) -> list[Event]:
    """The day as a real interface would have it: rendered, sent, kept at the edge, and read."""
    form = Hl7(load_settings(find_mapping("hl7_edtwin")), Pseudonyms(b"s" * 32, "edtwin"))
    readings = [form.read(form.kept(m).payload, place(n)) for n, m in enumerate(render(day), start=1)]
    assert [r.rejected or r.ignored for r in readings if not r.events or r.flags] == []
    return [event for reading in readings for event in reading.events]


def anonymous(state: State) -> list[Visit]:
    """The visits without their numbers, and without when what they went through became known."""
    return sorted((_anonymous(visit) for visit in state.visits.values()), key=repr)


def _anonymous(visit: Visit) -> Visit:
    stays = tuple(replace(stay, end_known_at=None) for stay in visit.stays)
    return replace(
        visit, visit=VisitId(""), patient=None, arrival_known_at=None, triage_known_at=None, contact_known_at=None,
        departure_known_at=None, stays=stays,
    )  # fmt: skip


def corrected_day() -> list[Event]:
    """A day with moves, a cancelled exit, a cancelled triage and a merge."""
    moves = [told("Moved", "b", "09:20", unit="boxes"), told("Moved", "a", "08:15", unit="sauv")]
    day: list[Event] = [*day_of_visits(), *moves]
    exit_b = next(e for e in day if e.kind == "Departed" and getattr(e, "visit", "") == "b")
    triage_d = next(e for e in day if e.kind == "Triaged" and getattr(e, "visit", "") == "d")
    assert isinstance(exit_b, VisitEvent)
    assert isinstance(triage_d, VisitEvent)
    return [*day, struck(exit_b, at("12:00")), struck(triage_d, at("12:00")), told("Merged", "c", "12:00", into="d")]


def test_a_replayed_day_seen_through_a_real_interface_is_the_same_day() -> None:
    day = corrected_day()
    assert anonymous(fold(State(), told_by_messages(day))) == anonymous(fold(State(), day))


def test_a_fabricated_day_seen_through_a_real_interface_is_the_same_day() -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    day = World(FabricatedHospital("congested", "small"), start, 3).run_until(start + timedelta(days=2))
    state = fold(State(), told_by_messages([*day]))
    assert len(state.visits) > 150
    assert anonymous(state) == anonymous(fold(State(), day))


def test_a_replay_that_forgets_cancellations_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hl7_render, "_cancellation", lambda target, event: None)
    day = corrected_day()
    assert anonymous(fold(State(), told_by_messages(day))) != anonymous(fold(State(), day))
