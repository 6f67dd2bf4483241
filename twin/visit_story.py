"""One visit as its events tell it, one after the other in the world's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

from ingest.events import (
    ArrivalExpected,
    Arrived,
    Changed,
    DecidedToAdmit,
    DecidedToDischarge,
    Departed,
    DischargePlanned,
    EnteredWard,
    Event,
    LeftDuringCare,
    LeftWard,
    LeftWithoutBeingSeen,
    Moved,
    SeenByProvider,
    Triaged,
    UnitId,
    VisitId,
)
from twin.visit import Stay, Visit

Draft = SimpleNamespace
"""What is known of a visit so far, by the names of its fields: thousands are told again a minute, so that each is made
a `Visit` once, not at every event."""
_NOTHING = {field.name: field.default for field in fields(Visit) if field.init and field.name != "visit"}


def visit_of(visit: VisitId, events: Sequence[Event]) -> Visit | None:
    """The visit told by its events, which come in the world's order; None when there are none.

    The first arrival, triage, contact and decision count; the last exit counts; what is known of the patient is
    what was told last.
    """
    if not events:
        return None
    row = Draft(visit=visit, **_NOTHING)
    for event in events:
        step = _STEPS.get(type(event))
        if step is not None:
            step(row, event)
    return Visit(**vars(row))


def _told(row: Draft, event: Arrived | Changed) -> None:
    for name in ("mode", "age_band", "sex", "complaint"):
        value = getattr(event, name)
        if value is not None:
            setattr(row, name, value)


def _arrived(row: Draft, event: Arrived) -> None:
    _told(row, event)
    if row.arrived_at is None:
        row.arrived_at, row.arrival_known_at = event.occurred_at, event.known_at
    row.patient = event.patient or row.patient


def _triaged(row: Draft, event: Triaged) -> None:
    if row.triaged_at is None:
        row.triaged_at, row.triage_known_at = event.occurred_at, event.known_at
    row.acuity = event.acuity or row.acuity


def _seen(row: Draft, event: SeenByProvider) -> None:
    if row.seen_at is None:
        row.seen_at, row.contact_known_at = event.occurred_at, event.known_at


def _decided_to_admit(row: Draft, event: DecidedToAdmit) -> None:
    row.decided_at = row.decided_at or event.occurred_at
    row.unit_wanted = event.unit or row.unit_wanted


def _decided_to_discharge(row: Draft, event: DecidedToDischarge) -> None:
    row.discharged_at = row.discharged_at or event.occurred_at


def _changed(row: Draft, event: Changed) -> None:
    _told(row, event)
    row.acuity = event.acuity or row.acuity
    row.unit_wanted = event.unit or row.unit_wanted


def _closed(stays: tuple[Stay, ...], event: Event) -> tuple[Stay, ...]:
    if not stays or stays[-1].until_at is not None:
        return stays
    return (*stays[:-1], replace(stays[-1], until_at=event.occurred_at, end_known_at=event.known_at))


def _moved(row: Draft, event: Moved) -> None:
    """A move after the exit to a ward is a move between wards; a move to the unit that holds the visit is none."""
    if row.stays and row.stays[-1].until_at is None and row.stays[-1].unit == event.unit:
        return
    ward = bool(row.stays and row.stays[-1].ward)
    row.stays = (*_closed(row.stays, event), Stay(event.unit, event.occurred_at, ward=ward))


def _exit(row: Draft, event: Event, to: str | None, unit: UnitId | None = None) -> None:
    row.stays = _closed(row.stays, event)
    if to == "ward" and unit is not None:
        row.stays = (*row.stays, Stay(unit, event.occurred_at, ward=True))
    row.departed_at, row.departure_known_at, row.to = event.occurred_at, event.known_at, to


def _departed(row: Draft, event: Departed) -> None:
    _exit(row, event, event.to, event.unit)


def _left_without_being_seen(row: Draft, event: LeftWithoutBeingSeen) -> None:
    _exit(row, event, "left_without_being_seen")


def _left_during_care(row: Draft, event: LeftDuringCare) -> None:
    _exit(row, event, "left_during_care")


def _entered_ward(row: Draft, event: EnteredWard) -> None:
    """Who has come to the department and enters a ward without an exit on record has left the department."""
    if row.arrived_at is not None and row.departed_at is None:
        _exit(row, event, "ward")
    row.stays = (*_closed(row.stays, event), Stay(event.unit, event.occurred_at, ward=True))
    row.planned = row.planned or bool(event.planned)


def _expected(row: Draft, event: ArrivalExpected) -> None:
    row.expected_at, row.expected_known_at = event.expected_at, event.known_at
    row.expected_unit, row.expected_from = event.unit, event.source


def _discharge_planned(row: Draft, event: DischargePlanned) -> None:
    row.leaves_at, row.leaves_known_at, row.leaves_from = event.expected_at, event.known_at, event.source


def _left_ward(row: Draft, event: LeftWard) -> None:
    """Who has come to the department and leaves a ward had gone to one, though nobody said so."""
    if row.arrived_at is not None and row.departed_at is None:
        row.left_ward_at, row.left_ward_known_at = event.occurred_at, event.known_at
    row.stays = _closed(row.stays, event)


_STEPS: dict[type[Event], Callable[[Draft, Any], None]] = {
    Arrived: _arrived,
    Triaged: _triaged,
    SeenByProvider: _seen,
    DecidedToAdmit: _decided_to_admit,
    DecidedToDischarge: _decided_to_discharge,
    Moved: _moved,
    Departed: _departed,
    LeftWithoutBeingSeen: _left_without_being_seen,
    LeftDuringCare: _left_during_care,
    EnteredWard: _entered_ward,
    LeftWard: _left_ward,
    Changed: _changed,
    ArrivalExpected: _expected,
    DischargePlanned: _discharge_planned,
}
