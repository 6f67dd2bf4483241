"""THE VOCABULARY: what happens to a visit, a bed, a shift, as frozen values.

The readers of messages and extracts make these, and the simulator makes the same ones, so that state,
measures and scores are written once and serve "now", "later" and "what came".

Every event has three times: `occurred_at` (in the world), `recorded_at` (in the hospital's system; None where
the source does not say) and `stored_at` (with us; given by the log). `known_at` is the instant from which the
event may be used: for a live feed it is `stored_at`, for a backfill `recorded_at`, else `occurred_at` plus the
source's stated lag, and never before an extract that could have held it and did not. All times are aware UTC.

`event_id` is the source record + the kind + the occurrence ("f/visit-7/Departed/0"). The same id with the same
content is a duplicate; the same id with new content is a new version.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import ClassVar, Literal, NewType, get_args, get_type_hints

from ingest.errors import EventError

EventId = NewType("EventId", str)
VisitId = NewType("VisitId", str)
PatientId = NewType("PatientId", str)
UnitId = NewType("UnitId", str)
BedId = NewType("BedId", str)

BOARD = "board"
"""The source of what people say on the house's own pages. It is ordinary news, but no feed: its silence means nothing,
and who is announced on it comes under another number."""

Acuity = Literal["1", "2", "3", "3A", "3B", "4", "5"]
"""Triage level, 1 is most urgent; FRENCH splits 3 into 3A and 3B, other systems use 3."""
AgeBand = Literal["0-17", "18-74", "75+"]
Sex = Literal["female", "male"]
Mode = Literal["own_means", "ambulance", "fire_service", "smur", "helicopter", "police", "planned"]
"""How the patient came; `smur` is the French doctor-staffed mobile unit."""
ComplaintGroup = Literal["medical_surgical", "trauma", "psychiatric", "toxicology", "other"]
Destination = Literal["home", "ward", "transfer", "died"]
BedStatus = Literal["opened", "closed", "occupied", "freed", "cleaning", "ready", "blocked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has."""

    event_id: EventId
    occurred_at: datetime
    recorded_at: datetime | None = None
    known_at: datetime | None = None
    stored_at: datetime | None = None
    source: str = ""
    position: int = 0

    def __post_init__(self) -> None:
        for name, allowed in _choices(type(self)).items():
            value = getattr(self, name)
            if value is not None and value not in allowed:
                raise EventError(
                    f"{name} must be one of {', '.join(allowed)}, but is {value!r} ({self.source}@{self.position})"
                )

    @property
    def kind(self) -> str:
        """The class's name: the kind of the event, as stored."""
        return type(self).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitEvent(Event):
    """Something that happened to one visit."""

    visit: VisitId


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived(VisitEvent):
    """Came to the emergency department and was recognised as asking for care."""

    patient: PatientId | None = None
    mode: Mode | None = None
    age_band: AgeBand | None = None
    sex: Sex | None = None
    complaint: ComplaintGroup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Triaged(VisitEvent):
    """Was given a priority by the triage nurse."""

    acuity: Acuity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenByProvider(VisitEvent):
    """Met a practitioner for the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOrdered(VisitEvent):
    """A test was asked for; `test` says which ("imaging", "laboratory" ..)."""

    __test__: ClassVar[bool] = False
    test: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResulted(VisitEvent):
    """The result of a test came back."""

    __test__: ClassVar[bool] = False
    test: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedToAdmit(VisitEvent):
    """The decision to admit; `unit` is the one wanted. From here on the visit boards."""

    unit: UnitId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedToDischarge(VisitEvent):
    """The decision to send home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BedRequested(VisitEvent):
    """An inpatient bed was asked for in `unit`."""

    unit: UnitId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BedAssigned(VisitEvent):
    """An inpatient bed was promised."""

    unit: UnitId | None = None
    bed: BedId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(VisitEvent):
    """Changed place: to another area of the department, or from one ward to another."""

    unit: UnitId
    bed: BedId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Departed(VisitEvent):
    """Physically left the emergency department; `unit` is the ward entered where `to` is "ward"."""

    to: Destination | None = None
    unit: UnitId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftWithoutBeingSeen(VisitEvent):
    """Left before meeting a practitioner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftDuringCare(VisitEvent):
    """Left after meeting a practitioner and before the end of care, with or without advice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredWard(VisitEvent):
    """Entered a ward without passing through the emergency department."""

    unit: UnitId
    bed: BedId | None = None
    planned: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftWard(VisitEvent):
    """Left the hospital from a ward."""

    to: Destination | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BedStatusChanged(Event):
    """A bed was opened, closed, occupied, freed, put to cleaning, made ready or blocked."""

    unit: UnitId
    bed: BedId
    status: BedStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class BedsCounted(Event):
    """How many beds of a unit are staffed and open, where no single bed is named."""

    unit: UnitId
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffOnDuty(Event):
    """How many of a pool of staff are at work from now on ("doctor", "triage_nurse" ..)."""

    pool: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceCounted(Event):
    """How many of an equipment or supply are usable from now on ("ventilator" ..)."""

    pool: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CensusObserved(Event):
    """An aggregate count of a measure, from a feed that knows no patients."""

    measure: str
    unit: UnitId | None = None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalExpected(VisitEvent):
    """An announced arrival, such as an ambulance on its way; due at `expected_at`, in `unit` where it is a ward's."""

    expected_at: datetime
    mode: Mode | None = None
    unit: UnitId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyEvent(Event):
    """Something that happened to a stock; `pool` is the item's name ("linen_sets", "red_cells" ..)."""

    pool: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StockCounted(SupplyEvent):
    """How many of an item were in stock, in the item's own unit; what is in use or in the laundry does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyDelivered(SupplyEvent):
    """So many of an item came into stock: from a supplier, a store, the kitchen or the laundry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(Event):
    """The event with the id `target` never happened."""

    target: EventId


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed(VisitEvent):
    """What is known of a visit was changed from here on; what is None stays as it was."""

    acuity: Acuity | None = None
    mode: Mode | None = None
    age_band: AgeBand | None = None
    sex: Sex | None = None
    complaint: ComplaintGroup | None = None
    unit: UnitId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(VisitEvent):
    """This visit was found to be the visit `into`; its events belong there."""

    into: VisitId


@dataclass(frozen=True, slots=True, kw_only=True)
class DischargePlanned(VisitEvent):
    """An exit that the ward has planned; due at `expected_at`."""

    expected_at: datetime
    to: Destination | None = None


EVENT_CLASSES: tuple[type[Event], ...] = (
    Arrived, Triaged, SeenByProvider, TestOrdered, TestResulted, DecidedToAdmit, DecidedToDischarge, BedRequested,
    BedAssigned, Moved, Departed, LeftWithoutBeingSeen, LeftDuringCare, EnteredWard, LeftWard, BedStatusChanged,
    BedsCounted, StaffOnDuty, ResourceCounted, CensusObserved, ArrivalExpected, Cancelled, Changed, Merged,
    DischargePlanned, StockCounted, SupplyDelivered,
)  # fmt: skip
"""Every kind of event; the order is the order in which they are taken within one instant."""

BY_KIND: dict[str, type[Event]] = {cls.__name__: cls for cls in EVENT_CLASSES}
RANK: dict[str, int] = {cls.__name__: rank for rank, cls in enumerate(EVENT_CLASSES)}

COMMON_FIELDS: tuple[str, ...] = tuple(f.name for f in fields(Event))
CONTENT_FREE_FIELDS: frozenset[str] = frozenset(
    {"event_id", "recorded_at", "known_at", "stored_at", "source", "position"}
)
"""Fields that do not count when two events of one id are compared: `occurred_at` and all others do."""


def choices(annotation: object) -> tuple[str, ...]:
    """The values of a Literal, or of a Literal or None; empty for any other type."""
    for part in (annotation, *get_args(annotation)):
        values = get_args(part)
        if values and all(isinstance(value, str) for value in values):
            return values
    return ()


_CHOICES: dict[type[Event], dict[str, tuple[str, ...]]] = {}


def _choices(cls: type[Event]) -> dict[str, tuple[str, ...]]:
    """The fields of a class that take one of some values; worked out once a class."""
    if cls not in _CHOICES:
        hints = get_type_hints(cls)
        _CHOICES[cls] = {f.name: allowed for f in fields(cls) if (allowed := choices(hints[f.name]))}
    return _CHOICES[cls]
