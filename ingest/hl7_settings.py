"""What a site says of its HL7 messages, from a TOML file: its zone, and its codes in the vocabulary's words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, field_validator

from ingest.configuration import Checked, Fault, Judged, SourceName, load, parse
from ingest.events import AgeBand, BedStatus, Destination
from ingest.vocabulary import allowed_values

Kind = Literal["emergency", "ward", "elsewhere"]
"""What a place is: an area of the department, a ward, or neither (a clinic, a theatre)."""
Observed = Literal["acuity", "SeenByProvider"]
"""What an observation may tell."""
Exit = Destination | Literal["left_without_being_seen", "left_during_care"]
VisitNumber = Literal["PV1-19", "PID-18"]
UnitField = Literal["PV1-3", "ZBE-7", "ZBE-8"]

AGE_BANDS: tuple[str, ...] = get_args(AgeBand)
EXITS: tuple[str, ...] = (*get_args(Destination), "left_without_being_seen", "left_during_care")
_FIELD = re.compile(r"([A-Z][A-Z0-9]{2})-(\d{1,2})(?:\.(\d{1,2}))?")
_STANDARD_CLASSES: dict[str, Kind] = {"E": "emergency", "I": "ward", "B": "ward", "O": "elsewhere", "R": "elsewhere"}
_STANDARD_BEDS: dict[str, BedStatus] = {
    "C": "closed", "H": "cleaning", "O": "occupied", "U": "ready", "K": "blocked", "I": "blocked",
}  # fmt: skip
_STANDARD_SECTIONS: dict[str, str] = {
    "RAD": "imaging", "CT": "imaging", "RUS": "imaging", "NMR": "imaging", "XRC": "imaging", "LAB": "laboratory",
    "HM": "laboratory", "CH": "laboratory", "MB": "laboratory", "BG": "laboratory", "SR": "laboratory",
}  # fmt: skip


class FieldOf(NamedTuple):
    """Where a value stands: "PV1-36" or "ZTR-3.2"."""

    segment: str
    field: int
    component: int


def field_of(text: str) -> FieldOf:
    """The place that a text names; raises ValueError where it names none."""
    found = _FIELD.fullmatch(text)
    if found is None or int(found[2]) == 0:
        raise ValueError('must be a field such as "PV1-36" or "ZTR-3.2"')
    return FieldOf(found[1], int(found[2]), int(found[3] or 1))


def _is_field(text: str) -> str:
    field_of(text)
    return text


FieldName = Annotated[str, AfterValidator(_is_field)]


class Hl7Source(Checked):
    """Who sends, and how its numbers and times are to be taken."""

    name: SourceName
    format: Literal["hl7"]
    site: str = Field(min_length=1)
    zone: str
    visit: tuple[VisitNumber, ...] = ("PV1-19", "PID-18")
    patient_types: tuple[str, ...] = ("PI", "MR")
    unit: tuple[UnitField, ...] = ("PV1-3", "ZBE-8", "ZBE-7")
    movement_numbers: Literal["visit", "sender"] = "visit"
    processing: tuple[Literal["P", "T", "D"], ...] = ("P", "T", "D")
    """Which messages are taken (MSH-11): of production, training, debugging."""

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("must be an IANA zone such as Europe/Paris") from error
        return zone


class Units(Checked):
    """Codes of places: of the department's areas and of the wards for our units, and those that are neither."""

    areas: Mapping[str, str] = {}
    wards: Mapping[str, str] = {}
    elsewhere: tuple[str, ...] = ()
    classes: Mapping[str, Kind] = _STANDARD_CLASSES

    @cached_property
    def by_code(self) -> Mapping[str, tuple[str, Kind]]:
        """Our unit and what it is, by code."""
        found: dict[str, tuple[str, Kind]] = {code: (code, "elsewhere") for code in self.elsewhere}
        found |= {code: (unit, "ward") for code, unit in self.wards.items()}
        return found | {code: (unit, "emergency") for code, unit in self.areas.items()}


class Words(Checked):
    """Where a word stands, and the site's words for the vocabulary's; without `values` they are the vocabulary's."""

    field: FieldName
    values: Mapping[str, str] = {}


class Acuity(Checked):
    """The triage level: fields, read in turn, and codes of observations (OBX-3)."""

    fields: tuple[FieldName, ...] = ()
    observations: tuple[str, ...] = ("TRIAGE",)
    values: Mapping[str, str] = {}
    untimed: Literal["Changed", "Triaged"] = "Changed"
    """What a level is that comes without a time of its own."""


class Tests(Checked):
    """Codes of tests (OBR-4), and of sections (OBR-24) for tests whose own code is not named."""

    values: Mapping[str, str] = {}
    sections: Mapping[str, str] = _STANDARD_SECTIONS


class Hl7Settings(Judged):
    """All of it; only the source is a must."""

    source: Hl7Source
    units: Units = Units()
    acuity: Acuity = Acuity()
    seen: tuple[str, ...] = ("SEEN",)
    destination: Words = Words(field="PV1-36")
    mode: Words = Words(field="PV2-38")
    complaint: Words = Words(field="PV2-3")
    planned: Words = Words(field="PV1-4", values={"R": "yes", "C": "yes", "L": "yes", "E": "no", "U": "no", "A": "no"})
    beds: Mapping[str, BedStatus] = _STANDARD_BEDS
    tests: Tests = Tests()

    def faults(self) -> Iterator[Fault]:
        """Words that the vocabulary does not have, and units that are two things."""
        for name in ("acuity", "destination", "mode", "complaint", "planned"):
            allowed = self.words(name)
            for code, word in getattr(self, name).values.items():
                if word not in allowed:
                    yield (name, "values", code), f"must be one of {', '.join(allowed)}", word
        for code in {*self.units.areas} & {*self.units.wards}:
            yield ("units", "areas", code), "must not be a code of a ward too", code

    @staticmethod
    def words(name: str) -> tuple[str, ...]:
        """The vocabulary's words for one of the site's lists of values."""
        if name == "acuity":
            return allowed_values("Triaged", "acuity")
        if name == "destination":
            return EXITS
        return ("yes", "no") if name == "planned" else allowed_values("Arrived", name)

    @cached_property
    def meanings(self) -> Mapping[str, Mapping[str, str]]:
        """The words of acuity, destination, mode, complaint and planned, by the site's."""
        names = ("acuity", "destination", "mode", "complaint", "planned")
        return {name: dict(getattr(self, name).values) or {w: w for w in self.words(name)} for name in names}

    @cached_property
    def bed_statuses(self) -> Mapping[str, BedStatus]:
        """The status of a bed by the site's code, and by our own words in capitals."""
        return {**{word.upper(): word for word in get_args(BedStatus)}, **self.beds}

    @cached_property
    def observed(self) -> Mapping[str, Observed]:
        """What the codes of observations tell."""
        told: dict[str, Observed] = dict.fromkeys(self.acuity.observations, "acuity")
        return told | dict.fromkeys(self.seen, "SeenByProvider")


def load_settings(path: Path) -> Hl7Settings:
    """The settings in a file. Raises UnreadableInputError, ConfigurationError with all faults."""
    return load(path, Hl7Settings)


def parse_settings(text: str, *, place: str = "mapping") -> Hl7Settings:
    """The settings in a text; `place` names it in errors."""
    return parse(text, Hl7Settings, place=place)
