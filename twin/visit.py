"""One visit: milestones, what is known of the patient, stays in units."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from ingest.events import PatientId, UnitId, VisitId

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


def _after(at: datetime | None, instant: datetime) -> bool:
    return at is not None and at > instant


def _stay_as_of(stay: Stay, instant: datetime) -> Stay:
    return replace(stay, until_at=None, end_known_at=None) if _after(stay.until_at, instant) else stay
