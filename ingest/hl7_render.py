"""Events as HL7 v2 messages, so that a replay can drive real interfaces; `ingest.hl7.parse` gives them back.

A message is written as `ingest.hl7_edge` keeps it: UTF-8, the standard separators, instants in UTC, the vocabulary's
own words, the pseudonym where a number stands. A movement's number is the end of its event's id, or the whole id where
the event came from another source.

What HL7 cannot carry is not written: BedsCounted, StaffOnDuty, ResourceCounted, StockCounted, SupplyDelivered,
CensusObserved; the cancellation of a change, of a merge, of another cancellation, of the last move, or of an event that
was not seen and has no number.
`recorded_at` is always there in a message; where an event has none, its message was sent when the event became known,
else when it occurred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from ingest.events import (
    ArrivalExpected,
    Arrived,
    BedAssigned,
    BedRequested,
    BedStatusChanged,
    Cancelled,
    Changed,
    DecidedToAdmit,
    DecidedToDischarge,
    Departed,
    DischargePlanned,
    EnteredWard,
    Event,
    EventId,
    LeftDuringCare,
    LeftWard,
    LeftWithoutBeingSeen,
    Merged,
    Moved,
    SeenByProvider,
    TestOrdered,
    TestResulted,
    Triaged,
    VisitEvent,
    VisitId,
)
from ingest.hl7_ids import LATEST, parts_of
from ingest.hl7_text import escaped
from ingest.hl7_times import stamp

Fields = dict[int, str]
TRIAGE, SEEN = "TRIAGE", "SEEN"
"""Codes of the observations that tell a triage and a first contact."""
_NUMBERED_BY_VISIT = "movement"


class Draft(NamedTuple):
    """A message before it is written: its type and trigger, and its fields by segment."""

    kind: str
    trigger: str
    segments: Mapping[str, Fields]


def render(events: Iterable[Event]) -> Iterator[bytes]:
    """One message an event, in the same order; events that HL7 cannot carry are left out.

    A cancellation is written after its target's kind where the target came before it, else after the target's id.
    """
    seen: dict[EventId, Event] = {}
    for event in events:
        draft = _draft(event, seen)
        if isinstance(event, VisitEvent):
            seen[event.event_id] = event
        if draft is not None:
            yield _written(event, draft)


def carries(event: Event) -> bool:
    """Whether HL7 can carry the event, as far as it alone tells."""
    return _draft(event, {}) is not None


def _draft(event: Event, seen: Mapping[EventId, Event]) -> Draft | None:
    if isinstance(event, Cancelled):
        return _cancellation(event.target, seen.get(event.target))
    write = _WRITE.get(type(event))
    return write(event) if write else None


def _written(event: Event, draft: Draft) -> bytes:
    recorded, occurred = stamp(event.recorded_at or event.known_at or event.occurred_at), stamp(event.occurred_at)
    control = sha256(f"{event.event_id} {recorded}".encode()).hexdigest()[:20]
    header: Fields = {1: "^~\\&", 2: "edtwin", 6: recorded, 8: f"{draft.kind}^{draft.trigger}", 9: control, 10: "P",
                      11: "2.5", 17: "UNICODE UTF-8"}  # fmt: skip
    lines = [_line("MSH", header), _line("EVN", {1: draft.trigger, 2: recorded, 6: occurred})]
    lines += [_line(name, fields) for name, fields in draft.segments.items()]
    return "\r".join([*lines, ""]).encode()


def _line(name: str, fields: Fields) -> str:
    return "|".join([name, *(fields.get(i, "") for i in range(1, max(fields) + 1))])


def _adt(trigger: str, event: VisitEvent, pv1: Fields | None = None, **segments: Fields) -> Draft:
    """A message about a visit whose movement has a number."""
    zbe = _movement(_number(event.event_id), stamp(event.occurred_at), "INSERT")
    return Draft("ADT", trigger, {"PV1": _visit(event.visit, pv1), **segments, "ZBE": zbe})


def _visit(visit: str, pv1: Fields | None = None) -> Fields:
    return {19: escaped(visit), **(pv1 or {})}


def _movement(number: str, at: str, action: str) -> Fields:
    return {1: escaped(number), 2: at, 4: action, 5: "N"}


def _number(event_id: str) -> str:
    """What numbers a movement: the end of an id of ours, else the whole id."""
    parts = parts_of(event_id)
    return "/".join(parts[2][1:]) if parts and parts[2][0] == _NUMBERED_BY_VISIT else event_id


def _last(event_id: str, record: str) -> str:
    """The number in an id of ours for orders and results, else the whole id."""
    parts = parts_of(event_id)
    return parts[2][1] if parts and parts[2][0] == record and len(parts[2]) > 1 else event_id


def _spot(unit: str | None, bed: str | None = None, status: str = "") -> str:
    return f"{escaped(unit or '')}^^{escaped(bed or '')}^^{status}".rstrip("^")


def _patient(event: Arrived | Changed, number: str | None) -> Fields:
    sex = {"female": "F", "male": "M"}.get(event.sex or "", "")
    return {3: escaped(number or ""), 7: event.age_band or "", 8: sex}


def _came(event: Arrived | Changed) -> Fields:
    return {3: event.complaint or "", 38: event.mode or ""}


def _arrived(event: Arrived) -> Draft:
    return _adt("A04", event, {2: "E"}, PID=_patient(event, event.patient), PV2=_came(event))


def _observation(code: str, value: str, at: str, visit: str, status: str = "F") -> Draft:
    return Draft("ADT", "A08", {"PV1": _visit(visit), "OBX": {3: code, 5: value, 11: status, 14: at}})


def _triaged(event: Triaged) -> Draft:
    return _observation(TRIAGE, event.acuity or "", stamp(event.occurred_at), event.visit)


def _seen(event: SeenByProvider) -> Draft:
    return _observation(SEEN, "", stamp(event.occurred_at), event.visit)


def _changed(event: Changed) -> Draft:
    facts = {"PID": _patient(event, None), "PV1": _visit(event.visit), "PV2": {**_came(event), 1: _spot(event.unit)}}
    return Draft("ADT", "A08", facts | ({"OBX": {3: TRIAGE, 5: event.acuity}} if event.acuity else {}))


def _ordered(event: TestOrdered) -> Draft:
    return _order(event.visit, "NW", _last(event.event_id, "ordered"), event.test, stamp(event.occurred_at))


def _order(visit: str, control: str, number: str, test: str, at: str) -> Draft:
    orc, obr = {1: control, 2: escaped(number), 9: at}, {2: escaped(number), 4: escaped(test)}
    return Draft("ORM", "O01", {"PV1": _visit(visit), "ORC": orc, "OBR": obr})


def _resulted(event: TestResulted) -> Draft:
    return _result(event.visit, "F", _last(event.event_id, "resulted"), event.test, stamp(event.occurred_at))


def _result(visit: str, status: str, number: str, test: str, at: str) -> Draft:
    obr = {3: escaped(number), 4: escaped(test), 22: at, 25: status}
    return Draft("ORU", "R01", {"PV1": _visit(visit), "OBR": obr})


def _to_admit(event: DecidedToAdmit) -> Draft:
    return _adt("A14", event, {2: "E"}, PV2={1: _spot(event.unit)})


def _to_discharge(event: DecidedToDischarge) -> Draft:
    return _adt("A16", event, {2: "E"})


def _exit_planned(event: DischargePlanned) -> Draft:
    return _adt("A16", event, {36: event.to or ""}, PV2={9: stamp(event.expected_at)})


def _bed_requested(event: BedRequested) -> Draft:
    return _adt("A15", event, {2: "E"}, PV2={1: _spot(event.unit, None, "REQUESTED")})


def _bed_assigned(event: BedAssigned) -> Draft:
    return _adt("A15", event, {2: "E"}, PV2={1: _spot(event.unit, event.bed, "ASSIGNED")})


def _moved(event: Moved) -> Draft:
    """A move does not say where from: PV1-6 repeats the unit, which says that it is of the same kind."""
    return _adt("A02", event, {3: _spot(event.unit, event.bed), 6: _spot(event.unit)})


def _departed(event: Departed) -> Draft:
    return _adt("A03", event, {2: "E", 36: event.to or "", 37: _spot(event.unit)})


def _left_unseen(event: LeftWithoutBeingSeen) -> Draft:
    return _adt("A03", event, {2: "E", 36: "left_without_being_seen"})


def _left_during_care(event: LeftDuringCare) -> Draft:
    return _adt("A03", event, {2: "E", 36: "left_during_care"})


def _entered_ward(event: EnteredWard) -> Draft:
    planned = {True: "R", False: "E", None: ""}[event.planned]
    return _adt("A01", event, {2: "I", 3: _spot(event.unit, event.bed), 4: planned})


def _left_ward(event: LeftWard) -> Draft:
    return _adt("A03", event, {2: "I", 36: event.to or ""})


def _expected(event: ArrivalExpected) -> Draft:
    return _adt("A05", event, PV2={1: _spot(event.unit), 8: stamp(event.expected_at), 38: event.mode or ""})


def _merged(event: Merged) -> Draft:
    return Draft("ADT", "A42", {"PV1": _visit(event.into), "MRG": {5: escaped(event.visit)}})


def _bed_status(event: BedStatusChanged) -> Draft:
    return Draft("ADT", "A20", {"NPU": {1: _spot(event.unit, event.bed), 2: event.status.upper()}})


def _cancellation(target: EventId, event: Event | None) -> Draft | None:
    """The cancellation of an event, or of an id of which only the form is known."""
    parts = parts_of(target)
    if parts is None or parts[2][-1] in (LATEST, "Cancelled") or isinstance(event, Changed | Merged):
        return None
    visit, record = event.visit if isinstance(event, VisitEvent) else VisitId(parts[1]), parts[2]
    for kind, code in ((Triaged, TRIAGE), (SeenByProvider, SEEN)):
        if isinstance(event, kind):
            return _observation(code, "", stamp(event.occurred_at), visit, "D")
    if isinstance(event, TestOrdered):
        return _order(visit, "CA", _last(target, "ordered"), event.test, stamp(event.occurred_at))
    if isinstance(event, TestResulted):
        return _result(visit, "X", _last(target, "resulted"), event.test, stamp(event.occurred_at))
    if event is None and record[0] != _NUMBERED_BY_VISIT:
        return None
    return Draft("ADT", "A12", {"PV1": _visit(visit), "ZBE": _movement(_number(target), "", "CANCEL")})


_WRITE: dict[type[Event], Callable[[Any], Draft | None]] = {
    Arrived: _arrived,
    Triaged: _triaged,
    SeenByProvider: _seen,
    TestOrdered: _ordered,
    TestResulted: _resulted,
    DecidedToAdmit: _to_admit,
    DecidedToDischarge: _to_discharge,
    BedRequested: _bed_requested,
    BedAssigned: _bed_assigned,
    Moved: _moved,
    Departed: _departed,
    LeftWithoutBeingSeen: _left_unseen,
    LeftDuringCare: _left_during_care,
    EnteredWard: _entered_ward,
    LeftWard: _left_ward,
    BedStatusChanged: _bed_status,
    ArrivalExpected: _expected,
    DischargePlanned: _exit_planned,
    Changed: _changed,
    Merged: _merged,
}
"""How each kind of event is written; a kind that is not here cannot be carried."""
