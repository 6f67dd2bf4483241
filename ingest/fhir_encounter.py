"""One FHIR Encounter as events.

The resource holds all there is of its visit, so each version tells the whole story again; what was told before comes
out as a duplicate. The status history gives arrival, triage and first contact, the class history the decision to
admit, the locations the moves. The current status and class stand outside of their histories in R4; they begin where
the last entry ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from ingest.events import (
    ArrivalExpected,
    Arrived,
    BedAssigned,
    BedId,
    BedRequested,
    Cancelled,
    Changed,
    DecidedToAdmit,
    Departed,
    EnteredWard,
    Event,
    EventId,
    LeftDuringCare,
    LeftWard,
    LeftWithoutBeingSeen,
    Moved,
    SeenByProvider,
    Triaged,
    UnitId,
    VisitId,
)
from ingest.fhir_json import FhirFault
from ingest.fhir_told import Resource, Span, first_start, last_end
from ingest.formats import Place
from ingest.vocabulary import fields_of

E = TypeVar("E", bound=Event)
GONE = ("cancelled", "entered-in-error")
_INPATIENT = ("IMP", "ACUTE", "NONAC", "OBSENC")
_ONCE = (
    "Arrived", "ArrivalExpected", "Changed", "Triaged", "SeenByProvider", "DecidedToAdmit", "BedRequested",
    "BedAssigned", "Departed", "EnteredWard", "LeftWard",
)  # fmt: skip
"""Kinds of which a visit has one; an exit of any kind has the id of a Departed."""
_HERE = ("active", "completed")


class Ignored(Exception):
    """A resource that is none of ours; the text is the rule, as it is counted."""


@dataclass(frozen=True)
class Story:
    """What an encounter says, put in order."""

    status: str
    statuses: list[Span]
    classes: list[Span]
    places: list[Span]
    arrived_at: datetime | None
    ended_at: datetime | None

    @property
    def emergency(self) -> bool:
        """Came to the emergency department; who was triaged did, whatever the class says."""
        return any(c.what == "EMER" for c in self.classes) or any(s.what == "triaged" for s in self.statuses)

    @property
    def visited(self) -> list[Span]:
        """The places where the patient was, in order; those without a time are left out."""
        return [place for place in self.places if place.what in _HERE and place.start is not None]

    def began(self, status: str) -> datetime | None:
        return first_start(self.statuses, status)

    @property
    def seen_at(self) -> datetime | None:
        """`in-progress` means a first contact only where arrival or triage is a status of its own before it."""
        before = first_start(self.statuses, "arrived", "triaged")
        seen = self.began("in-progress")
        return seen if before is not None and seen is not None and seen >= before else None


class Teller:
    """Makes the events of one encounter."""

    def __init__(self, resource: Resource, place: Place) -> None:
        self._resource, self._place = resource, place
        self._source = resource.site.mapping.source.name
        visit = resource.kept.get("visit")
        if not isinstance(visit, str):
            raise FhirFault("missing_key", "Encounter has no number that names the visit")
        self._visit = VisitId(visit)
        self._told_at = resource.instant("meta", "lastUpdated")

    def events(self, *, deleted: bool = False) -> tuple[Event, ...]:
        """The events of the encounter. Raises FhirFault where it breaks a rule, Ignored where it is none of ours."""
        if deleted:
            return tuple(self._strikes(_ONCE, self._told_at or self._place.stored_at))
        story = self._story()
        if story.status in GONE:
            return tuple(self._all_struck(story))
        if story.status == "planned":
            return self._expected(story)
        if story.emergency:
            return self._checked(story, list(self._emergency(story)))
        if story.classes[-1].what in _INPATIENT:
            return self._checked(story, list(self._inpatient(story)))
        raise Ignored(f"class {story.classes[-1].what}")

    # ------------------------------------------------------------------------------------------------ the story

    def _story(self) -> Story:
        resource = self._resource
        status, klass = resource.code("status"), resource.code("class", "code")
        if status is None or klass is None:
            raise FhirFault("malformed", "Encounter must have status and class")
        start = resource.instant("period", "start", future=status == "planned")
        statuses = self._with_current(resource.history("statusHistory", "status"), status, start)
        classes = resource.history("classHistory", "class", "code")
        classes = [*classes, Span(klass, last_end(classes), None)]
        arrived = first_start(statuses, "arrived") or start or first_start(statuses, "triaged", "in-progress")
        places = resource.places()
        resource.flags.extend("location_without_time" for p in places if p.what in _HERE and p.start is None)
        return Story(status, statuses, classes, places, arrived, self._ended(status, statuses, places))

    def _with_current(self, history: list[Span], status: str, start: datetime | None) -> list[Span]:
        """The history and the status of now, which begins where the history ends, else when it was told."""
        if any(span.what == status and span.end is None for span in history):
            return history
        if history:
            return [*history, Span(status, last_end(history), None)]
        return [Span(status, start if status == "arrived" and start else self._told_at, None)]

    def _ended(self, status: str, statuses: list[Span], places: list[Span]) -> datetime | None:
        if status != "finished":
            return None
        history = first_start(statuses[:-1], "finished")
        ended = self._resource.instant("period", "end") or history or last_end(places) or statuses[-1].start
        if ended is None:
            raise FhirFault("missing_time", "Encounter is finished, but nothing says when")
        return ended

    # ------------------------------------------------------------------------------------------------ the events

    def _emergency(self, story: Story) -> Iterator[Event]:
        arrived = story.arrived_at or self._told_at
        if arrived is None:
            raise FhirFault("missing_arrival", "Encounter has no time of arrival")
        who: dict[str, Any] = {name: self._resource.kept.get(name) for name in ("patient", "sex", "age_band")}
        modes, acuities = self._mapped("mode", "hospitalization", "admitSource"), self._mapped("acuity", "priority")
        yield self._event(Arrived, arrived, mode=modes, **who)
        triaged = story.began("triaged")
        if triaged is not None:
            yield self._event(Triaged, triaged, acuity=acuities)
        elif acuities is not None:
            yield self._event(Changed, arrived, acuity=acuities)
        if story.seen_at is not None:
            yield self._event(SeenByProvider, story.seen_at)
        yield from self._towards_a_bed(story)
        yield from self._moves(story, arrived)
        yield from self._vanished(story, arrived)

    def _towards_a_bed(self, story: Story) -> Iterator[Event]:
        """Decision, request and promise: from the class history, and from places that are planned and reserved."""
        wanted = {p.what: p for p in story.places if p.what not in _HERE and p.ward and self._is_past(p.start)}
        decided = first_start(story.classes, *_INPATIENT) or first_start(list(wanted.values()))
        where = {what: {"unit": p.place.unit, "bed": p.place.bed} for what, p in wanted.items() if p.place}
        if decided is not None:
            unit = next((where[what]["unit"] for what in ("planned", "reserved") if what in where), None)
            yield self._event(DecidedToAdmit, decided, unit=unit)
        for what, kind in (("planned", BedRequested), ("reserved", BedAssigned)):
            at = wanted[what].start if what in wanted else None
            if at is not None:
                yield self._event(kind, at, **where[what])  # type: ignore[arg-type]

    def _moves(self, story: Story, arrived: datetime) -> Iterator[Event]:
        """Areas of the department, then the exit to the first ward, then moves between wards and the end."""
        in_ward, number = False, 0
        for span in story.visited:
            assert span.place is not None
            assert span.start is not None
            if span.ward and not in_ward:
                in_ward = True
                yield self._event(Departed, span.start, to="ward", unit=span.place.unit)
                continue
            yield self._event(Moved, span.start, number, unit=span.place.unit, bed=span.place.bed)
            number += 1
        if number:  # one that stood after these in an earlier version
            yield from self._strikes(("Moved",), arrived, number)
        if story.ended_at is not None:
            yield self._left(LeftWard, story.ended_at) if in_ward else self._exit(story, story.ended_at)

    def _exit(self, story: Story, at: datetime) -> Event:
        to = self._mapped("disposition", "hospitalization", "dischargeDisposition")
        if to == "left_without_being_seen" or (to == "left_during_care" and self._unseen(story)):
            return self._event(LeftWithoutBeingSeen, at)
        if to == "left_during_care":
            return self._event(LeftDuringCare, at)
        return self._event(Departed, at, to=to)

    def _unseen(self, story: Story) -> bool:
        """True where the statuses would tell a first contact and do not."""
        return story.seen_at is None and first_start(story.statuses, "arrived", "triaged") is not None

    def _left(self, kind: type[Event], at: datetime) -> Event:
        to = self._mapped("disposition", "hospitalization", "dischargeDisposition")
        return self._event(kind, at, to=None if to in ("ward", "left_without_being_seen", "left_during_care") else to)

    def _inpatient(self, story: Story) -> Iterator[Event]:
        wards = [span for span in story.visited if span.ward]
        if not wards:
            raise Ignored("inpatient without a ward")
        planned = True if any(span.what == "planned" for span in story.statuses) else None
        for number, span in enumerate(wards):
            assert span.place is not None
            assert span.start is not None
            where: dict[str, Any] = {"unit": span.place.unit, "bed": span.place.bed}
            if number == 0:
                yield self._event(EnteredWard, span.start, planned=planned, **where)
            else:
                yield self._event(Moved, span.start, number - 1, **where)
        if len(wards) > 1:
            yield from self._strikes(("Moved",), wards[0].start, len(wards) - 1)
        if story.ended_at is not None:
            yield self._left(LeftWard, story.ended_at)
        elif any(span.what == "finished" for span in story.statuses):
            yield from self._strikes(("LeftWard",), wards[0].start)

    def _expected(self, story: Story) -> tuple[Event, ...]:
        """A planned encounter: expected when its period starts."""
        if story.arrived_at is None or self._told_at is None:
            raise FhirFault("missing_time", "a planned Encounter must say period.start and meta.lastUpdated")
        mode = None if story.emergency else "planned"
        return (self._event(ArrivalExpected, self._told_at, expected_at=story.arrived_at, mode=mode),)

    # ------------------------------------------------------------------------------------------------ taking back

    def _all_struck(self, story: Story) -> Iterator[Event]:
        """The visit never was: every event that this encounter may have told is taken back."""
        at = story.arrived_at or self._told_at or self._place.stored_at
        yield from self._strikes(_ONCE, at)
        for number in range(len(story.visited)):
            yield from self._strikes(("Moved",), at, number)

    def _vanished(self, story: Story, arrived: datetime) -> Iterator[Event]:
        """Milestones that a later one has passed and that the history does not hold; exits that were taken back."""
        later = story.ended_at is not None or story.seen_at is not None
        if later and len(story.statuses) > 1 and story.began("triaged") is None:
            yield from self._strikes(("Triaged",), arrived)
        if story.ended_at is not None and self._unseen(story):
            yield from self._strikes(("SeenByProvider",), arrived)
        if story.ended_at is None and any(span.what == "finished" for span in story.statuses):
            in_ward = any(span.ward for span in story.visited)
            yield from self._strikes(("LeftWard",) if in_ward else ("Departed", "LeftWard"), arrived)

    def _strikes(self, kinds: tuple[str, ...], at: datetime | None, number: int = 0) -> Iterator[Event]:
        for kind in kinds:
            target = self._id(kind, number)
            yield Cancelled(
                event_id=EventId(f"{target}/Cancelled"), occurred_at=at or self._place.stored_at, target=target,
                recorded_at=self._told_at, source=self._source, position=self._place.position,
            )  # fmt: skip

    # ------------------------------------------------------------------------------------------------ parts

    def _event(self, kind: type[E], at: datetime, number: int = 0, **given: Any) -> E:
        name = "Departed" if kind in (LeftWithoutBeingSeen, LeftDuringCare) else kind.__name__
        known = {field: _typed(field, value) for field, value in given.items() if field in fields_of(kind.__name__)}
        common: dict[str, Any] = {
            "event_id": self._id(name, number), "occurred_at": at, "recorded_at": self._told_at, "visit": self._visit,
            "source": self._source, "position": self._place.position,
        }  # fmt: skip
        return kind(**common, **known)

    def _id(self, kind: str, number: int) -> EventId:
        return EventId(f"{self._source}/{self._visit}/{kind}/{number}")

    def _mapped(self, name: str, *path: str) -> Any:
        """The first word of a concept that the mapping lists, as the vocabulary's word."""
        listed = getattr(self._resource.site.mapping, name)
        return next((listed[word] for word in self._resource.words(*path) if word in listed), None)

    def _is_past(self, at: datetime | None) -> bool:
        return at is not None and at <= (self._told_at or self._place.stored_at)

    def _checked(self, story: Story, events: list[Event]) -> tuple[Event, ...]:
        came = story.arrived_at
        for event in events:
            if came is not None and event.occurred_at < came:
                raise FhirFault("before_arrival", f"Encounter tells {event.kind} before the arrival")
        return tuple(events)


def _typed(field: str, value: Any) -> Any:
    if value is None:
        return None
    return UnitId(value) if field == "unit" else BedId(value) if field == "bed" else value
