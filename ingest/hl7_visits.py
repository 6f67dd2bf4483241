"""What ADT messages tell of visits and beds: each trigger's function of `ingest.hl7.TRIGGERS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import cast, get_args

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
    Destination,
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
    Triaged,
    VisitId,
)  # fmt: skip
from ingest.hl7_ids import LATEST, PLACE, at_text, bed_record_id, record_id
from ingest.hl7_settings import field_of
from ingest.hl7_text import Segment
from ingest.hl7_told import Ignored, Refused, Result, Told

OfVisit = Callable[[Told, VisitId, datetime], Result]


def of_visit(rule: OfVisit) -> Callable[[Told], Result]:
    """The rule for messages that have a visit's number and a time; others are refused."""

    @wraps(rule)
    def checked(told: Told) -> Result:
        if isinstance(told.stated_at, Refused):
            return told.stated_at
        if told.visit is None:
            return Refused("missing_visit")
        at = told.occurred_at
        return Refused("missing_time") if at is None else rule(told, told.visit, at)

    return checked


@of_visit
def admitted(told: Told, visit: VisitId, at: datetime) -> Result:
    """A01, A04: came to the department, entered a ward; or was admitted and is still in the department."""
    spot = told.spot
    if spot.kind == "ward":
        return (
            [*_entered(told, visit, at, "admission"), *observed(told, visit)] if spot.unit else Refused("missing_unit")
        )
    if spot.kind != "emergency":
        return Ignored("elsewhere") if spot.kind else Refused("unknown_class")
    if _is_admitted(told):
        return [DecidedToAdmit(**told.common(told.id("decision/admit"), at), visit=visit, unit=told.pending.unit)]
    arrival = Arrived(**told.common(told.id("arrival"), at), visit=visit, patient=told.patient, **told.facts())
    return [arrival, *_area(told, visit, at), *observed(told, visit)]


@of_visit
def moved(told: Told, visit: VisitId, at: datetime) -> Result:
    """A02, A10, A17: to an area, from the department to a ward, or from ward to ward."""
    if told.spot.kind == "elsewhere":
        return Ignored("elsewhere")
    if told.spot.unit is None:
        return Refused("missing_unit")
    return _moved(told, visit, at, "move")


@of_visit
def became_inpatient(told: Told, visit: VisitId, at: datetime) -> Result:
    """A06: entered a ward, or was admitted and is still in the department."""
    unit = told.pending.unit
    if told.spot.kind == "emergency":
        decided = DecidedToAdmit(**told.common(told.id("decision/admit"), at), visit=visit, unit=unit)
        return [decided, *_merged(told, visit, at)]
    if told.spot.unit is None:
        return Refused("missing_unit")
    return [*_moved(told, visit, at, "class"), *_merged(told, visit, at)]


@of_visit
def became_outpatient(told: Told, visit: VisitId, at: datetime) -> Result:
    """A07: is an inpatient no longer; back in the department where the place says so."""
    if told.spot.kind == "emergency" and told.spot.unit:
        return [*_moved(told, visit, at, "class"), *_merged(told, visit, at)]
    return [LeftWard(**told.common(told.id("class", at_text(at)), at), visit=visit), *_merged(told, visit, at)]


@of_visit
def left(told: Told, visit: VisitId, at: datetime) -> Result:
    """A03: left the department, or the hospital from a ward."""
    to = told.word("destination")
    if told.spot.kind == "ward":
        common = told.common(told.id("leaving"), at)
        return [LeftWard(**common, visit=visit, to="home" if to == "left_during_care" else _destination(to))]
    if told.spot.kind != "emergency":
        return Ignored("elsewhere") if told.spot.kind else Refused("unknown_class")
    common = told.common(told.id("departure"), at)
    if to == "left_without_being_seen":
        return [LeftWithoutBeingSeen(**common, visit=visit)]
    if to == "left_during_care":
        return [LeftDuringCare(**common, visit=visit)]
    unit = told.spot_of(told.text("PV1", 37), None).unit if to == "ward" else None
    return [Departed(**common, visit=visit, to=_destination(to), unit=unit)]


@of_visit
def expected(told: Told, visit: VisitId, at: datetime) -> Result:
    """A05: a visit that is announced, for the time in PV2-8, and for the ward in PV2-1."""
    if told.spot.kind == "elsewhere":
        return Ignored("elsewhere")
    due = told.time("PV2", 8, "odd_time")
    if due is None:
        return Ignored("no_expected_time")
    mode = told.word("mode") or ("planned" if told.spot.kind == "ward" else None)
    common = told.common(told.id("expected"), at)
    return [ArrivalExpected(**common, visit=visit, expected_at=due, mode=mode, unit=told.pending.unit)]  # type: ignore[arg-type]


@of_visit
def to_be_admitted(told: Told, visit: VisitId, at: datetime) -> Result:
    """A14: a decision to admit; for someone who is not in the department and is due at a time, an announced visit."""
    if told.spot.kind != "emergency" and told.text("PV2", 8):
        return expected(told)
    return [DecidedToAdmit(**told.common(told.id("decision/admit"), at), visit=visit, unit=told.pending.unit)]


@of_visit
def to_be_moved(told: Told, visit: VisitId, at: datetime) -> Result:
    """A15: a bed was asked for, or promised where one is named or its status says so."""
    unit, bed = told.pending.unit, told.pending.bed
    if bed or told.text("PV2", 1, 5) == "ASSIGNED":
        return [BedAssigned(**told.common(told.id("bed/assigned"), at), visit=visit, unit=unit, bed=bed)]
    return [BedRequested(**told.common(told.id("bed/requested"), at), visit=visit, unit=unit)]


@of_visit
def to_be_discharged(told: Told, visit: VisitId, at: datetime) -> Result:
    """A16: a decision to send home; with a time in PV2-9 an exit that is planned for it."""
    due = told.time("PV2", 9, "odd_time")
    if due is not None:
        common = told.common(told.id("planned_exit"), at)
        return [DischargePlanned(**common, visit=visit, expected_at=due, to=_destination(told.word("destination")))]
    return [DecidedToDischarge(**told.common(told.id("decision/discharge"), at), visit=visit)]


@of_visit
def updated(told: Told, visit: VisitId, at: datetime) -> Result:
    """A08: what is known of the patient, and what was observed."""
    if told.spot.kind == "elsewhere":
        return Ignored("elsewhere")
    return observed(told, visit, told.facts() | {"unit": told.pending.unit})


def updated_person(told: Told) -> Result:
    """A31: as A08 where it names a visit."""
    return updated(told) if told.visit else Ignored("identity_only")


def merged(told: Told) -> Result:
    """A35, A36, A41, A42, A44, A45, A49, A50: a visit goes on under another number; else only numbers changed."""
    if told.visit is None or told.merged_visit in (None, told.visit):
        return Ignored("identity_only")
    return of_visit(_merged)(told)


def bed_status(told: Told) -> Result:
    """A20: the status of beds (NPU), by table 0116 or the site's own codes."""
    if isinstance(told.stated_at, Refused):
        return told.stated_at
    at, rows = told.occurred_at, told.message.all("NPU")
    if at is None:
        return Refused("missing_time")
    found = [_bed_status(told, npu, at) for npu in rows]
    known = [event for event in found if event is not None]
    return known if rows and len(known) == len(rows) else Refused("missing_bed")


def cancelled(*records: str) -> Callable[[Told], Result]:
    """What cancels these records of a visit: the movement where it has a number, else all of the names."""

    @of_visit
    def rule(told: Told, visit: VisitId, at: datetime) -> Result:
        if told.movement is not None:
            return [cancel(told, told.movement_id(), at)]
        return [cancel(told, told.id(*record.split("/")), at) for record in records]

    return rule


@of_visit
def cancelled_admission(told: Told, visit: VisitId, at: datetime) -> Result:
    """A11: the arrival, or the entry into a ward, never happened; both where the message does not say which."""
    if told.movement is not None:
        return [cancel(told, told.movement_id(*part), at) for part in ((), (PLACE,))]
    return [cancel(told, record_id(told.place.source, visit, *r.split("/")), at) for r in _admissions(told)]


@of_visit
def cancelled_move(told: Told, visit: VisitId, at: datetime) -> Result:
    """A12, A32: the move of that number never happened; else that of that time; else the last that stands.

    EVN-6 of a cancellation is the time of what is cancelled, if it is before the cancellation was entered.
    """
    if told.movement is not None:
        return [cancel(told, told.movement_id(), at)]
    recorded = told.recorded_at or at
    known = told.stated_at is not None and at < recorded
    target = record_id(told.place.source, visit, "move", at_text(at) if known else LATEST)
    return [Cancelled(**told.common(EventId(f"{target}/Cancelled/{at_text(recorded)}"), at), target=target)]


@of_visit
def cancelled_exit(told: Told, visit: VisitId, at: datetime) -> Result:
    """A13: the exit never happened; from the department and from a ward where the message does not say which."""
    kinds = {"emergency": ("departure",), "ward": ("leaving",)}
    return cancelled(*kinds.get(told.spot.kind or "", ("departure", "leaving")))(told)


@of_visit
def deleted(told: Told, visit: VisitId, at: datetime) -> Result:
    """A23: the visit never happened."""
    records = (*_EVERY_ADMISSION, "expected")
    return [cancel(told, record_id(told.place.source, visit, *r.split("/")), at) for r in records]


def cancel(told: Told, target: EventId, at: datetime) -> Cancelled:
    """The event of that id never happened; told again it is the same cancellation."""
    return Cancelled(**told.common(EventId(f"{target}/Cancelled"), at), target=target)


def without_other_part(told: Told, events: Sequence[Event]) -> Result:
    """The events of a movement that was changed; if it tells no area any more, that move never happened."""
    part, at = told.movement_id(PLACE), told.occurred_at
    if at is None or any(event.event_id == part for event in events):
        return events
    return [*events, cancel(told, part, at)]


def observed(told: Told, visit: VisitId, facts: dict[str, object] | None = None) -> list[Event]:
    """What observations tell: levels and first contacts with times of their own; and all the rest as one change."""
    events, level = _from_observations(told, visit)
    level = level or next((found for f in told.settings.acuity.fields if (found := _level(told, f))), None)
    at = told.occurred_at
    if at and level and told.settings.acuity.untimed == "Triaged":
        events.append(Triaged(**told.common(told.id_at("triage", at), at), visit=visit, acuity=level))  # type: ignore[arg-type]
        level = None
    change = {name: value for name, value in {**(facts or {}), "acuity": level}.items() if value is not None}
    if at and change:
        events.insert(0, Changed(**told.common(told.id_at("change", at), at), visit=visit, **change))  # type: ignore[arg-type]
    return events


def _from_observations(told: Told, visit: VisitId) -> tuple[list[Event], str | None]:
    """Events that have a time of their own, and the last level that has none."""
    events: list[Event] = []
    level = None
    for row in told.message.all("OBX"):
        what, at = told.settings.observed.get(row.text(3)), told.instant(row.text(14), "odd_time")
        if what == "acuity" and at is None:
            level = told.meaning("acuity", row.text(5)) or level
        elif what is not None and (at := at or told.occurred_at) is not None:
            events.append(_observation(told, visit, row, what, at))
    return events, level


def _observation(told: Told, visit: VisitId, row: Segment, what: str, at: datetime) -> Event:
    record = "triage" if what == "acuity" else "seen"
    common = told.common(told.id_at(record, at), at)
    if row.text(11) in ("D", "W"):  # deleted, or posted as wrong
        return cancel(told, common["event_id"], at)
    if what == "acuity":
        return Triaged(**common, visit=visit, acuity=told.meaning("acuity", row.text(5)))  # type: ignore[arg-type]
    return SeenByProvider(**common, visit=visit)


def _level(told: Told, name: str) -> str | None:
    return told.meaning("acuity", told.text(*field_of(name)))


def _moved(told: Told, visit: VisitId, at: datetime, record: str) -> list[Event]:
    """By where it comes from and goes to; who enters a ward from nobody knows where has entered it."""
    spot = told.spot
    assert spot.unit is not None
    event_id = told.id_at(record, at) if told.trigger == "A17" else told.id(record, at_text(at))
    common = told.common(event_id, at)
    if spot.kind != "ward" or told.prior.kind == "ward":
        return [Moved(**common, visit=visit, unit=spot.unit, bed=spot.bed)]
    if told.prior.kind == "emergency":
        return [Departed(**common, visit=visit, to="ward", unit=spot.unit)]
    return [EnteredWard(**common, visit=visit, unit=spot.unit, bed=spot.bed)]


def _entered(told: Told, visit: VisitId, at: datetime, record: str) -> list[Event]:
    planned = {"yes": True, "no": False}.get(told.word("planned") or "")
    assert told.spot.unit is not None
    common = told.common(told.id(record), at)
    return [EnteredWard(**common, visit=visit, unit=told.spot.unit, bed=told.spot.bed, planned=planned)]


def _area(told: Told, visit: VisitId, at: datetime) -> list[Event]:
    """The area that an arrival goes straight to, where the message names one."""
    if told.spot.unit is None:
        return []
    return [Moved(**told.common(told.id("arrival", PLACE), at), visit=visit, unit=told.spot.unit, bed=told.spot.bed)]


def _merged(told: Told, visit: VisitId, at: datetime) -> list[Event]:
    before = told.merged_visit
    if before is None or before == visit:
        return []
    return [Merged(**told.common(record_id(told.place.source, before, "merge"), at), visit=before, into=visit)]


def _bed_status(told: Told, npu: Segment, at: datetime) -> Event | None:
    spot = told.spot_of(npu.text(1), told.bed_of(npu, 1))
    status = told.settings.bed_statuses.get(npu.text(2))
    if spot.unit is None or spot.bed is None or status is None:
        return None
    common = told.common(bed_record_id(told.place.source, spot.unit, spot.bed, at), at)
    return BedStatusChanged(**common, unit=spot.unit, bed=spot.bed, status=status)


_EVERY_ADMISSION = ("arrival", f"arrival/{PLACE}", "admission")


def _admissions(told: Told) -> tuple[str, ...]:
    if told.spot.kind == "ward":
        return ("admission",)
    if told.spot.kind == "emergency":
        return ("decision/admit",) if _is_admitted(told) else _EVERY_ADMISSION[:2]
    return _EVERY_ADMISSION


def _is_admitted(told: Told) -> bool:
    """Of an inpatient's class, wherever the patient is."""
    return told.settings.units.classes.get(told.text("PV1", 2)) == "ward"


def _destination(word: str | None) -> Destination | None:
    return cast(Destination, word) if word in get_args(Destination) else None
