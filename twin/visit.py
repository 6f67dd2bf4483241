"""One visit as its events tell it: milestones, what is known of the patient, stays in units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

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
    PatientId,
    SeenByProvider,
    Triaged,
    UnitId,
    VisitId,
)

Waits = Literal["triage", "provider", "decision", "departure", "bed"]


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in a unit, an area of the department or a ward; `until_at` is None while it lasts."""

    unit: UnitId
    from_at: datetime
    until_at: datetime | None = None
    ward: bool = False
    end_known_at: datetime | None = None
    untold: bool = False
    """Nobody said that it began: the rule of `history.py` does."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit; an instant is None when it has not happened or is not recorded."""

    visit: VisitId
    patient: PatientId | None = None
    mode: str | None = None
    age_band: str | None = None
    sex: str | None = None
    complaint: str | None = None
    acuity: str | None = None
    arrived_at: datetime | None = None
    arrival_known_at: datetime | None = None
    triaged_at: datetime | None = None
    triage_known_at: datetime | None = None
    seen_at: datetime | None = None
    contact_known_at: datetime | None = None
    decided_at: datetime | None = None
    """Decision to admit."""
    discharged_at: datetime | None = None
    """Decision to send home."""
    unit_wanted: UnitId | None = None
    departed_at: datetime | None = None
    departure_known_at: datetime | None = None
    to: str | None = None
    expected_at: datetime | None = None
    """When it is announced for, in which unit where that is a ward, and when that was told."""
    expected_known_at: datetime | None = None
    expected_unit: UnitId | None = None
    expected_from: str | None = None
    """The source that told it."""
    leaves_at: datetime | None = None
    """When the ward plans the exit, and when that was told."""
    leaves_known_at: datetime | None = None
    leaves_from: str | None = None
    """The source that told it."""
    left_ward_at: datetime | None = None
    """When it left a ward that nobody has said it went to, and when that was told."""
    left_ward_known_at: datetime | None = None
    planned: bool = False
    """Came straight to a ward, by appointment."""
    stays: tuple[Stay, ...] = ()
    told: Any = field(default=None, init=False, repr=False, compare=False)
    """What `visit_told.py` has worked out of it, once asked for."""

    @property
    def waits_for(self) -> Waits:
        """What the visit waits for next in the department."""
        if self.decided_at:
            return "bed"
        if self.discharged_at:
            return "departure"
        if self.seen_at:
            return "decision"
        return "provider" if self.triaged_at else "triage"

    @property
    def since_at(self) -> datetime | None:
        """Since when it waits for that: its last recorded milestone."""
        return self.decided_at or self.discharged_at or self.seen_at or self.triaged_at or self.arrived_at

    @property
    def ward_stay(self) -> Stay | None:
        """The stay in a ward that is still on."""
        return self.stays[-1] if self.stays and self.stays[-1].ward and self.stays[-1].until_at is None else None

    def over_before(self, instant: datetime) -> bool:
        """Whether it came, and all of it was over by an instant; False for one that is only announced."""
        ended_at = self.departed_at or self.left_ward_at
        if (self.arrived_at and not ended_at) or not (self.arrived_at or self.stays):
            return False
        instants = [at for at in (self.arrived_at, self.departed_at, self.left_ward_at) if at]
        return all(at < instant for at in instants) and all(s.until_at and s.until_at < instant for s in self.stays)

    def as_of(self, instant: datetime) -> Visit:
        """The visit with all that happens after the instant left out."""
        later = {name: None for name in _MILESTONES if _after(getattr(self, name), instant)}
        later |= {told: None for name in list(later) for told in _WITH.get(name, ())}
        stays = tuple(_stay_as_of(s, instant) for s in self.stays if s.from_at <= instant)
        return replace(self, stays=stays, **later) if later or stays != self.stays else self  # type: ignore[arg-type]


_MILESTONES = ("arrived_at", "triaged_at", "seen_at", "decided_at", "discharged_at", "departed_at", "left_ward_at")
_WITH: dict[str, tuple[str, ...]] = {
    "arrived_at": ("arrival_known_at",),
    "triaged_at": ("triage_known_at",), "seen_at": ("contact_known_at",), "departed_at": ("to", "departure_known_at"),
    "left_ward_at": ("left_ward_known_at",),
}  # fmt: skip
"""What is told with a milestone, and not known without it."""


def visit_of(visit: VisitId, events: Sequence[Event]) -> Visit | None:
    """The visit told by its events, which come in the world's order; None when there are none.

    The first arrival, triage, contact and decision count; the last exit counts; what is known of the patient is
    what was told last.
    """
    if not events:
        return None
    row = Visit(visit)
    for event in events:
        step = _STEPS.get(type(event))
        row = step(row, event) if step else row
    return row


def _after(at: datetime | None, instant: datetime) -> bool:
    return at is not None and at > instant


def _stay_as_of(stay: Stay, instant: datetime) -> Stay:
    return replace(stay, until_at=None, end_known_at=None) if _after(stay.until_at, instant) else stay


def _told(row: Visit, event: Arrived | Changed) -> Visit:
    names = ("mode", "age_band", "sex", "complaint")
    told = {name: value for name in names if (value := getattr(event, name)) is not None}
    return replace(row, **told) if told else row


def _arrived(row: Visit, event: Arrived) -> Visit:
    row = _told(row, event)
    if row.arrived_at is None:
        return replace(
            row, arrived_at=event.occurred_at, arrival_known_at=event.known_at, patient=event.patient or row.patient
        )
    return replace(row, patient=event.patient or row.patient)


def _triaged(row: Visit, event: Triaged) -> Visit:
    if row.triaged_at is None:
        return replace(
            row, triaged_at=event.occurred_at, triage_known_at=event.known_at, acuity=event.acuity or row.acuity
        )
    return replace(row, acuity=event.acuity or row.acuity)


def _seen(row: Visit, event: SeenByProvider) -> Visit:
    return row if row.seen_at else replace(row, seen_at=event.occurred_at, contact_known_at=event.known_at)


def _decided_to_admit(row: Visit, event: DecidedToAdmit) -> Visit:
    return replace(row, decided_at=row.decided_at or event.occurred_at, unit_wanted=event.unit or row.unit_wanted)


def _decided_to_discharge(row: Visit, event: DecidedToDischarge) -> Visit:
    return replace(row, discharged_at=row.discharged_at or event.occurred_at)


def _changed(row: Visit, event: Changed) -> Visit:
    row = _told(row, event)
    return replace(row, acuity=event.acuity or row.acuity, unit_wanted=event.unit or row.unit_wanted)


def _closed(stays: tuple[Stay, ...], event: Event) -> tuple[Stay, ...]:
    if not stays or stays[-1].until_at is not None:
        return stays
    return (*stays[:-1], replace(stays[-1], until_at=event.occurred_at, end_known_at=event.known_at))


def _moved(row: Visit, event: Moved) -> Visit:
    """A move after the exit to a ward is a move between wards; a move to the unit that holds the visit is none."""
    if row.stays and row.stays[-1].until_at is None and row.stays[-1].unit == event.unit:
        return row
    ward = bool(row.stays and row.stays[-1].ward)
    stay = Stay(event.unit, event.occurred_at, ward=ward)
    return replace(row, stays=(*_closed(row.stays, event), stay))


def _exit(row: Visit, event: Event, to: str | None, unit: UnitId | None = None) -> Visit:
    stays = _closed(row.stays, event)
    if to == "ward" and unit is not None:
        stays = (*stays, Stay(unit, event.occurred_at, ward=True))
    return replace(row, departed_at=event.occurred_at, departure_known_at=event.known_at, to=to, stays=stays)


def _departed(row: Visit, event: Departed) -> Visit:
    return _exit(row, event, event.to, event.unit)


def _left_without_being_seen(row: Visit, event: LeftWithoutBeingSeen) -> Visit:
    return _exit(row, event, "left_without_being_seen")


def _left_during_care(row: Visit, event: LeftDuringCare) -> Visit:
    return _exit(row, event, "left_during_care")


def _entered_ward(row: Visit, event: EnteredWard) -> Visit:
    """Who has come to the department and enters a ward without an exit on record has left the department."""
    if row.arrived_at is not None and row.departed_at is None:
        row = _exit(row, event, "ward")
    stay = Stay(event.unit, event.occurred_at, ward=True)
    stays = (*_closed(row.stays, event), stay)
    return replace(row, stays=stays, planned=row.planned or bool(event.planned))


def _expected(row: Visit, event: ArrivalExpected) -> Visit:
    return replace(
        row, expected_at=event.expected_at, expected_known_at=event.known_at, expected_unit=event.unit,
        expected_from=event.source,
    )  # fmt: skip


def _discharge_planned(row: Visit, event: DischargePlanned) -> Visit:
    return replace(row, leaves_at=event.expected_at, leaves_known_at=event.known_at, leaves_from=event.source)


def _left_ward(row: Visit, event: LeftWard) -> Visit:
    """Who has come to the department and leaves a ward had gone to one, though nobody said so."""
    if row.arrived_at is not None and row.departed_at is None:
        row = replace(row, left_ward_at=event.occurred_at, left_ward_known_at=event.known_at)
    return replace(row, stays=_closed(row.stays, event))


_STEPS: dict[type[Event], Callable[[Visit, Any], Visit]] = {
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
