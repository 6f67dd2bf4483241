"""FHIR resources as they may touch the disk: an allow-list of fields, numbers as pseudonyms, words that are listed.

What is kept of a field depends on its kind: a code if FHIR binds it, a word if the mapping lists it, an instant if it
is one. Whatever else stands there becomes a token, a keyed pseudonym after a `~`: the reader sees that the field held
something it does not know, and a mapping that lists the word later knows it by its token. Names, addresses, narrative,
extensions and all other fields are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ingest.extract_values import band
from ingest.fhir_codes import (
    BUNDLE_TYPES,
    CLASSES,
    ENCOUNTER_STATUSES,
    GENDERS,
    LOCATION_STATUSES,
    METHODS,
    PLACE_STATUSES,
    RESOURCE_TYPES,
)
from ingest.fhir_json import FhirFault
from ingest.fhir_mapping import FhirMapping
from ingest.pseudonyms import NumberKind, Pseudonyms

MOST_ENTRIES = 1_000
MOST_REPETITIONS = 200
"""Entries of a history, locations of an encounter, codings of a concept."""
_INSTANT = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?)?)?")
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


@dataclass(frozen=True)
class Edge:
    """What the edge of one site knows while it looks at one message."""

    mapping: FhirMapping
    pseudonyms: Pseudonyms
    words: frozenset[str]
    ids: Mapping[str, str] = field(default_factory=dict)
    """The full address of each entry of the bundle, and the id of its resource."""
    patients: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The patients of the bundle, by address and by id."""

    def token(self, value: object) -> str:
        """A value that may not be kept: a keyed pseudonym of a text, the bare type of anything else."""
        return f"~{self.name('record', value)}" if isinstance(value, str) else f"~{type(value).__name__}"

    def name(self, kind: NumberKind, number: str) -> str | None:
        """The pseudonym of a number; None where it is blank."""
        return self.pseudonyms.one(kind, number) if number.strip() else None


Keep = Callable[[Edge, Any], Any]
Shape = Any
"""A `Keep` for a value, a list of one shape for a list, a dict for an object."""


def kept_as(edge: Edge, shape: Shape, value: Any) -> Any:
    """What may be kept of a value of this shape; a token where it is of another."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return edge.token(value)
        return {name: kept_as(edge, part, value[name]) for name, part in shape.items() if value.get(name) is not None}
    if isinstance(shape, list):
        if not isinstance(value, list) or len(value) > MOST_REPETITIONS:
            return edge.token(value)
        return [kept_as(edge, shape[0], part) for part in value]
    return shape(edge, value)


def _one_of(*allowed: str) -> Keep:
    return lambda edge, value: value if isinstance(value, str) and value in allowed else edge.token(value)


def _word(edge: Edge, value: Any) -> Any:
    return value if isinstance(value, str) and value in edge.words else edge.token(value)


def _instant(edge: Edge, value: Any) -> Any:
    return value if isinstance(value, str) and _INSTANT.fullmatch(value) else edge.token(value)


def _location(edge: Edge, value: Any) -> Any:
    return _word(edge, reference_id(value, edge.ids)) if isinstance(value, str) else edge.token(value)


def reference_id(reference: str, ids: Mapping[str, str]) -> str:
    """The id that a reference ends in; that of the entry of the same bundle where it is an address of one."""
    plain = ids.get(reference, reference).split("/_history/")[0]
    return plain.rstrip("/").rsplit("/", 1)[-1]


_PERIOD: Shape = {"start": _instant, "end": _instant}
_CONCEPT: Shape = {"coding": [{"code": _word}]}
_META: Shape = {"lastUpdated": _instant}
ENCOUNTER: Shape = {
    "resourceType": _one_of("Encounter"),
    "meta": _META,
    "status": _one_of(*ENCOUNTER_STATUSES),
    "statusHistory": [{"status": _one_of(*ENCOUNTER_STATUSES), "period": _PERIOD}],
    "class": {"code": _one_of(*CLASSES)},
    "classHistory": [{"class": {"code": _one_of(*CLASSES)}, "period": _PERIOD}],
    "priority": _CONCEPT,
    "period": _PERIOD,
    "location": [
        {"location": {"reference": _location}, "status": _one_of(*LOCATION_STATUSES), "period": _PERIOD}
    ],
    "hospitalization": {"dischargeDisposition": _CONCEPT, "admitSource": _CONCEPT},
}  # fmt: skip
LOCATION: Shape = {
    "resourceType": _one_of("Location"),
    "id": _word,
    "meta": _META,
    "status": _one_of(*PLACE_STATUSES),
    "operationalStatus": {"code": _one_of("C", "H", "I", "K", "O", "U")},
}


def kept_message(value: Any, mapping: FhirMapping, pseudonyms: Pseudonyms) -> dict[str, Any]:
    """What may be kept of a parsed message: its type, and its entries. Raises FhirFault for what is not FHIR."""
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise FhirFault("not_fhir", "the message is JSON, but not a FHIR resource: it has no resourceType")
    if value["resourceType"] != "Bundle":
        alone = Edge(mapping, pseudonyms, mapping.words())
        return {"type": "resource", "entry": [_entry(alone, {"resource": value})]}
    entries = entries_of(value)
    edge = Edge(mapping, pseudonyms, mapping.words(), addresses(entries), patients(entries))
    kind = _one_of(*BUNDLE_TYPES)(edge, value.get("type"))
    return {"type": kind, "entry": [_entry(edge, entry) for entry in entries if not _is_outcome(entry)]}


def entries_of(bundle: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of a bundle. Raises FhirFault where they are too many or none."""
    entries = bundle.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise FhirFault("not_fhir", "Bundle.entry must be a list of objects")
    if len(entries) > MOST_ENTRIES:
        raise FhirFault(
            "too_many_entries", f"a Bundle must have at most {MOST_ENTRIES} entries, but has {len(entries)}"
        )
    return entries


def addresses(entries: list[dict[str, Any]]) -> dict[str, str]:
    """The full address of each entry that has one, with `Type/id` of its resource."""
    found = {}
    for entry in entries:
        resource, address = entry.get("resource"), entry.get("fullUrl")
        if isinstance(resource, dict) and isinstance(address, str) and isinstance(resource.get("id"), str):
            found[address] = f"{resource.get('resourceType')}/{resource['id']}"
    return found


def patients(entries: list[dict[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The Patient resources of a bundle, by full address and by `Patient/id`."""
    found: dict[str, Mapping[str, Any]] = {}
    for entry in entries:
        resource = entry.get("resource")
        if isinstance(resource, dict) and resource.get("resourceType") == "Patient":
            names = (entry.get("fullUrl"), f"Patient/{resource.get('id')}")
            found.update({name: resource for name in names if isinstance(name, str)})
    return found


def _is_outcome(entry: Mapping[str, Any]) -> bool:
    search = entry.get("search")
    return isinstance(search, dict) and search.get("mode") == "outcome"


def _entry(edge: Edge, entry: Mapping[str, Any]) -> dict[str, Any]:
    request = entry.get("request")
    out: dict[str, Any] = {}
    if isinstance(request, dict):
        out["method"] = _one_of(*METHODS)(edge, request.get("method"))
        if out["method"] == "DELETE":
            return out | {"resource": _deleted(edge, request.get("url")) | _when(edge, entry.get("response"))}
    return out | {"resource": _resource(edge, entry.get("resource"))}


def _deleted(edge: Edge, url: Any) -> dict[str, Any]:
    """Of a deleted resource there is only the address: an encounter by its id."""
    kind, _, number = url.partition("/") if isinstance(url, str) else ("", "", "")
    if kind != "Encounter" or edge.mapping.keys.visit_system is not None:
        return {"resourceType": kind if kind in RESOURCE_TYPES else "Other"}
    return {"resourceType": "Encounter", "visit": edge.name("visit", reference_id(number, edge.ids))}


def _when(edge: Edge, response: Any) -> dict[str, Any]:
    """When it was deleted, as a history says."""
    told = response.get("lastModified") if isinstance(response, dict) else None
    return {} if told is None else {"meta": {"lastUpdated": _instant(edge, told)}}


def _resource(edge: Edge, value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    kind = value.get("resourceType")
    if kind == "Encounter":
        kept: dict[str, Any] = kept_as(edge, ENCOUNTER, value)
        return kept | {"visit": _visit(edge, value)} | _subject(edge, value)
    if kind == "Location":
        return dict(kept_as(edge, LOCATION, value))
    return {"resourceType": kind if isinstance(kind, str) and kind in RESOURCE_TYPES else "Other"}


def _visit(edge: Edge, encounter: Mapping[str, Any]) -> str | None:
    number = _number(encounter, edge.mapping.keys.visit_system)
    return edge.name("visit", number) if number else None


def _number(resource: Mapping[str, Any], system: str | None) -> str | None:
    """The identifier of that system, or the resource's own id where none is asked for."""
    if system is None:
        own = resource.get("id")
        return own if isinstance(own, str) else None
    identifiers = resource.get("identifier")
    for identifier in identifiers if isinstance(identifiers, list) else [identifiers]:
        if isinstance(identifier, dict) and identifier.get("system") == system:
            value = identifier.get("value")
            return value if isinstance(value, str) else None
    return None


def _subject(edge: Edge, encounter: Mapping[str, Any]) -> dict[str, Any]:
    """The patient's pseudonym, and sex and age band where the bundle holds the patient."""
    subject = encounter.get("subject")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    found = edge.patients.get(reference, {}) if isinstance(reference, str) else {}
    system = edge.mapping.keys.patient_system
    number = _number(found or (subject if isinstance(subject, dict) else {}), system)
    if number is None and system is None and isinstance(reference, str):
        number = reference_id(reference, edge.ids)
    facts = {
        "patient": edge.name("patient", number) if number else None,
        "sex": GENDERS.get(found.get("gender", "")) if isinstance(found.get("gender", ""), str) else None,
        "age_band": _band(found.get("birthDate"), _came(encounter)),
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _came(encounter: Mapping[str, Any]) -> Any:
    """The text of the day on which an age is taken: that of the encounter's start, else of its last change."""
    for name, part in (("period", "start"), ("meta", "lastUpdated")):
        holder = encounter.get(name)
        if isinstance(holder, dict) and isinstance(holder.get(part), str):
            return holder[part]
    return None


def _band(born: Any, came: Any) -> str | None:
    """The age band in completed years; None where either day is not told whole."""
    days = [_day(text) for text in (born, came)]
    if days[0] is None or days[1] is None:
        return None
    birth, at = days[0], days[1]
    return band(float(at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))))


def _day(text: Any) -> date | None:
    match = _DAY.match(text) if isinstance(text, str) else None
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None
