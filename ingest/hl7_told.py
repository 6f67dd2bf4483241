"""What one HL7 message tells of one patient: visit, times, places, movement; as the rules of the triggers ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from ingest.events import BedId, Event, EventId, PatientId, UnitId, VisitId
from ingest.formats import Place
from ingest.hl7_ids import PLACE, at_text, movement_id, record_id
from ingest.hl7_settings import Hl7Settings, Kind, field_of
from ingest.hl7_text import Message, Segment
from ingest.hl7_times import moment


class Ignored(NamedTuple):
    """The rule by which a message is left out; a code of `IGNORED`."""

    code: str


class Refused(NamedTuple):
    """Why a message cannot be read; a code of `REASONS`."""

    code: str


Result = Sequence[Event] | Ignored | Refused


class Spot(NamedTuple):
    """A place: our unit, the bed, and what the place is; None where that is not said."""

    unit: UnitId | None = None
    bed: BedId | None = None
    kind: Kind | None = None


class Movement(NamedTuple):
    """What ZBE says of a movement."""

    number: str
    action: str
    trigger: str


_TIMES_OF = {"A01": ("PV1", 44), "A04": ("PV1", 44), "A03": ("PV1", 45)}
"""Where the time of what happened also stands."""


@dataclass(frozen=True)
class Told:
    """A message about one patient, read at one place. `flags` gathers what is doubtful."""

    message: Message
    place: Place
    settings: Hl7Settings
    trigger: str
    flags: set[str] = field(default_factory=set)

    @cached_property
    def visit(self) -> VisitId | None:
        """The visit's number: the first of those that the settings name and the message has."""
        found = (self.text(*field_of(name)[:2]) for name in self.settings.source.visit)
        return next((VisitId(number) for number in found if number), None)

    @cached_property
    def merged_visit(self) -> VisitId | None:
        """The number that the visit had before a merge, in the field of MRG that answers to the visit's."""
        names = {"PV1-19": 5, "PID-18": 3}
        for name in self.settings.source.visit:
            if self.text(*field_of(name)[:2]):
                return VisitId(self.text("MRG", names[name])) if self.text("MRG", names[name]) else None
        return None

    @property
    def patient(self) -> PatientId | None:
        return PatientId(self.text("PID", 3)) if self.text("PID", 3) else None

    @cached_property
    def movement(self) -> Movement | None:
        """The movement, where it has a number."""
        zbe = self.message.first("ZBE")
        number = zbe.text(1)
        return Movement(number, zbe.text(4), zbe.text(6)) if number else None

    @cached_property
    def recorded_at(self) -> datetime | None:
        """When it was entered in the hospital's system (EVN-2), else when the message was sent (MSH-7)."""
        return self.time("EVN", 2, "odd_time") or self.time("MSH", 7, "odd_time")

    @cached_property
    def stated_at(self) -> datetime | Refused | None:
        """When it happened, by the field that says so: ZBE-2, EVN-6, the visit's own times; None where none does."""
        fields = [("ZBE", 2), ("EVN", 6), *([_TIMES_OF[self.trigger]] if self.trigger in _TIMES_OF else [])]
        for segment, number in fields:
            if self.text(segment, number):
                return self.time(segment, number) or Refused("impossible_time")
        return None

    @cached_property
    def occurred_at(self) -> datetime | None:
        """When it happened; when it was entered, where the message does not say. None if it is not to be read."""
        stated = self.stated_at
        return None if isinstance(stated, Refused) else stated or self.recorded_at

    @cached_property
    def spot(self) -> Spot:
        """Where the patient is now: by the first of the settings' fields that has a known code, else that has one."""
        bed = self.bed_of(self.message.first("PV1"), 3)
        codes = [code for name in self.settings.source.unit if (code := self._unit_code(name))]
        known = next((code for code in codes if code in self.settings.units.by_code), codes[0] if codes else "")
        spot = self.spot_of(known, bed)
        return spot if spot.kind else spot._replace(kind=self.settings.units.classes.get(self.text("PV1", 2)))

    @cached_property
    def prior(self) -> Spot:
        """Where the patient was before (PV1-6); a unit that is the present one is of its kind."""
        prior = self.spot_of(self.text("PV1", 6), None)
        return prior._replace(kind=self.spot.kind) if prior.unit and prior.unit == self.spot.unit else prior

    @cached_property
    def pending(self) -> Spot:
        """Where the patient is to go (PV2-1)."""
        return self.spot_of(self.text("PV2", 1), self.bed_of(self.message.first("PV2"), 1))

    def spot_of(self, code: str, bed: BedId | None) -> Spot:
        """The place of a code; a code that nobody named is a unit of its own name, flagged."""
        if not code:
            return Spot(bed=bed)
        unit, kind = self.settings.units.by_code.get(code, (code, None))
        if kind is None:
            self.flags.add("unmapped_unit")
        return Spot(UnitId(unit), bed, kind)

    def text(self, segment: str, number: int, component: int = 1) -> str:
        """A component of a field of the first segment of that name."""
        return self.message.first(segment).text(number, component)

    def time(self, segment: str, number: int, flag: str = "") -> datetime | None:
        """The instant in a field; None where there is none, with a flag if something else stands there."""
        return self.instant(self.text(segment, number), flag)

    def instant(self, text: str, flag: str = "") -> datetime | None:
        """The instant that a text tells, with what is doubtful about it as flags."""
        found = moment(text, self.settings.source.zone) if text else None
        if text and found is None and flag:
            self.flags.add(flag)
        self.flags.update(found.flags if found else ())
        return found.at if found else None

    def word(self, name: str) -> str | None:
        """The vocabulary's word for what the message says of mode, complaint, destination or planned."""
        return self.meaning(name, self.text(*field_of(getattr(self.settings, name).field)))

    def meaning(self, name: str, written: str) -> str | None:
        """The vocabulary's word for a word of the site; a word that nobody named is absent, flagged."""
        found = self.settings.meanings[name].get(written) if written else None
        if written and found is None:
            self.flags.add(f"unmapped_{name}")
        return found

    def age_and_sex(self) -> dict[str, Any]:
        """What PID says of age band and sex."""
        sex = {"F": "female", "M": "male"}.get(self.text("PID", 8))
        band = self.text("PID", 7)
        if band and not _is_band(band):
            self.flags.add("odd_birth_date")
        return {"age_band": band if _is_band(band) else None, "sex": sex}

    def facts(self) -> dict[str, Any]:
        """What is known of the patient and how they came."""
        return {**self.age_and_sex(), "mode": self.word("mode"), "complaint": self.word("complaint")}

    def id(self, *record: str) -> EventId:
        """The id of the movement where it has a number, else of the visit's record of that name."""
        if self.movement is None:
            return record_id(
                self.place.source, self.visit or "", *(part for name in record for part in name.split("/"))
            )
        part = (PLACE,) if record[-1] == PLACE else ()
        return self.movement_id(*part)

    def movement_id(self, *part: str) -> EventId:
        """The id of the movement, or of what it tells beside."""
        owner = self.visit or "" if self.settings.source.movement_numbers == "visit" else ""
        return movement_id(self.place.source, owner, self.movement.number if self.movement else "", *part)

    def id_at(self, record: str, at: datetime, *more: str) -> EventId:
        """The id of a record that a visit has at an instant."""
        return record_id(self.place.source, self.visit or "", record, at_text(at), *more)

    def common(self, event_id: EventId, at: datetime) -> dict[str, Any]:
        """What every event has."""
        return {
            "event_id": event_id, "occurred_at": at, "recorded_at": self.recorded_at, "source": self.place.source,
            "position": self.place.position,
        }  # fmt: skip

    def _unit_code(self, name: str) -> str:
        segment, number, _ = field_of(name)
        return self.text(segment, number, 10 if segment == "ZBE" else 1)

    @staticmethod
    def bed_of(segment: Segment, number: int) -> BedId | None:
        room, bed = segment.text(number, 2), segment.text(number, 3)
        return BedId("/".join(part for part in (room, bed) if part)) if room or bed else None


def _is_band(text: str) -> bool:
    return text in ("0-17", "18-74", "75+")
