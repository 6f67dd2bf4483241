"""What orders, results and appointments tell: each trigger's function of `ingest.hl7.TRIGGERS`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ingest.events import ArrivalExpected, Event, EventId, TestOrdered, TestResulted, VisitId
from ingest.hl7_ids import at_text, record_id
from ingest.hl7_text import NOTHING, Segment
from ingest.hl7_told import Ignored, Result, Told
from ingest.hl7_visits import cancel, observed, of_visit

_ASKED = ("NW", "SN", "RO", "XO", "")
_WITHDRAWN = ("CA", "OC", "CR", "DC", "OD")
_FINAL = ("F", "C", "")


@of_visit
def ordered(told: Told, visit: VisitId, at: datetime) -> Result:
    """ORM, OMG, OML, OMI: tests asked for, or asked for no longer (ORC-1)."""
    events: list[Event] = []
    for orc, obr in _orders(told):
        event_id = record_id(told.place.source, visit, "ordered", obr.text(2) or orc.text(2) or at_text(at))
        when = told.instant(orc.text(9), "odd_time") or at
        if orc.text(1) in _WITHDRAWN:
            events.append(cancel(told, event_id, when))
        elif orc.text(1) in _ASKED and obr is not NOTHING:
            events.append(TestOrdered(**told.common(event_id, when), visit=visit, test=_test(told, obr)))
    return events or Ignored("not_final")


@of_visit
def resulted(told: Told, visit: VisitId, at: datetime) -> Result:
    """ORU: tests whose final result came (OBR-22, OBR-25), and what observations tell."""
    rows = told.message.all("OBR")
    events = [event for obr in rows for event in _result(told, visit, obr, at)]
    found = [*events, *observed(told, visit)]
    return found or Ignored("not_final" if rows else "nothing_told")


@of_visit
def booked(told: Told, visit: VisitId, at: datetime) -> Result:
    """SIU: an appointment for a place in a ward is a planned arrival, due at its start."""
    spot = told.spot_of(told.text("AIL", 3), None) if told.text("AIL", 3) else told.spot
    if (spot.kind or told.spot.kind) != "ward":
        return Ignored("elsewhere")
    due = next((d for text in _starts(told) if (d := told.instant(text, "odd_time"))), None)
    if due is None:
        return Ignored("no_expected_time")
    common = told.common(_booking(told, visit), at)
    return [ArrivalExpected(**common, visit=visit, expected_at=due, mode="planned")]


@of_visit
def unbooked(told: Told, visit: VisitId, at: datetime) -> Result:
    """SIU S15, S17, S26: the appointment will not be."""
    return [cancel(told, _booking(told, visit), at)]


def _orders(told: Told) -> Iterator[tuple[Segment, Segment]]:
    """Each ORC with the OBRs that follow it; an ORC alone stands with nothing."""
    orc, alone = NOTHING, False
    for segment in told.message.segments:
        if segment.name == "ORC":
            if alone:
                yield orc, NOTHING
            orc, alone = segment, True
        elif segment.name == "OBR":
            alone = False
            yield orc, segment
    if alone:
        yield orc, NOTHING


def _result(told: Told, visit: VisitId, obr: Segment, at: datetime) -> Iterator[Event]:
    when = told.instant(obr.text(22), "odd_time") or at
    number = obr.text(3) or obr.text(2) or at_text(when)
    test = _test(told, obr)
    event_id = record_id(told.place.source, visit, "resulted", number, obr.text(4) or "test")
    if obr.text(25) == "X":
        yield cancel(told, event_id, when)
    elif obr.text(25) in _FINAL:
        yield TestResulted(**told.common(event_id, when), visit=visit, test=test)


def _test(told: Told, obr: Segment) -> str:
    """The test's word, else its section's, else its code, flagged."""
    tests, code = told.settings.tests, obr.text(4)
    found = tests.values.get(code) or tests.sections.get(obr.text(24))
    if found is None and code not in ("imaging", "laboratory"):
        told.flags.add("unmapped_test")
    return found or code or "test"


def _starts(told: Told) -> tuple[str, ...]:
    return told.text("SCH", 11, 4), told.text("AIL", 6), told.text("AIS", 4)


def _booking(told: Told, visit: VisitId) -> EventId:
    return record_id(told.place.source, visit, "booking", told.text("SCH", 1) or told.text("SCH", 2) or "0")
