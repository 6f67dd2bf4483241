"""FHIR R4 JSON, Encounters and Locations alone or in Bundles, as events: the format `fhir`.

    format = FhirFormat(mapping, pseudonyms)
    kept = format.kept(message)                   # at the edge: pseudonyms and listed words only
    reading = format.read(kept.payload, place)    # at any time, without the secret
    for part in format.parts(message): ..         # a loose bundle, entry by entry, so that one fault is one entry's

Size, depth and counts are bounded before anything is parsed (`fhir_json.py`), what may be kept is an allow-list
(`fhir_kept.py`), the codes that FHIR binds are checked here (`fhir_codes.py`): no library does it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ingest.errors import SecretError
from ingest.events import BedId, BedStatusChanged, Event, EventId, UnitId
from ingest.fhir_codes import ANSWERS, BED_STATUSES, LOOSE_BUNDLES, PLACE_STATUSES
from ingest.fhir_encounter import Ignored, Teller
from ingest.fhir_json import FhirFault, bounded
from ingest.fhir_kept import Edge, entries_of, kept_message, patients
from ingest.fhir_mapping import FhirMapping
from ingest.fhir_told import Resource, Site
from ingest.formats import Kept, Place, Reading
from ingest.pseudonyms import Pseudonyms

NOTHING_OF_OURS = "no Encounter or Location"
REASONS: Mapping[str, str] = {
    "too_large": "more bytes than allowed",
    "too_deep": "more levels than allowed",
    "too_many_values": "more values than allowed",
    "too_many_entries": "more entries than allowed",
    "not_utf8": "not UTF-8 text",
    "not_json": "not JSON",
    "not_fhir": "JSON, but not a FHIR resource",
    "malformed": "a field of another shape than FHIR gives it, or a required one that is missing",
    "unknown_code": "a code outside the list that FHIR R4 binds",
    "unknown_location": "a location that the mapping does not list",
    "missing_key": "no number that names the visit",
    "missing_arrival": "no time of arrival",
    "missing_time": "no time where one is a must",
    "impossible_date": "a time that does not exist",
    "imprecise_time": "a date without an hour",
    "in_future": "a time after the message came",
    "before_arrival": "an event before the arrival, or a period that ends before it starts",
}
"""Every reason for which a message is rejected."""


class FhirFormat:
    """FHIR R4 as one site sends it."""

    name = "fhir"

    def __init__(self, mapping: FhirMapping, pseudonyms: Pseudonyms | None) -> None:
        """Without pseudonyms it reads what is kept, keeps nothing itself, and does not know by their tokens the words
        that the mapping did not list when a message came."""
        self._mapping = mapping
        self._own = pseudonyms.of_site(mapping.source.site) if pseudonyms else None
        edge = Edge(mapping, self._own, frozenset()) if self._own else None
        self._site = Site(mapping, {edge.token(word): word for word in mapping.words()} if edge else {})

    @property
    def source(self) -> str:
        """The name of the source, as its events have it."""
        return self._mapping.source.name

    @property
    def _pseudonyms(self) -> Pseudonyms:
        if self._own is None:
            raise SecretError("a message can only be kept with the secret of the pseudonyms")
        return self._own

    def parts(self, message: bytes) -> list[bytes]:
        """A loose bundle as one message an entry, each with the patient it speaks of; any other message whole."""
        try:
            value = bounded(message)
            if not isinstance(value, dict) or value.get("type") not in LOOSE_BUNDLES or _is_notification(value):
                return [message]
            entries = entries_of(value)
        except FhirFault:
            return [message]
        known = patients(entries)
        people = {id(person): _entry_of(entries, person) for person in known.values()}
        ours = [e for e in entries if isinstance(e.get("resource"), dict) or isinstance(e.get("request"), dict)]
        rest = [e for e in ours if _type(e) != "Patient"]
        if not rest or any(str(e.get("fullUrl")).startswith("urn:") for e in rest):  # they may refer to each other
            return [message]
        about = [_subject(entry) for entry in rest]
        return [
            _written({**_head(value), "entry": [entry, *([people[id(known[who])]] if who in known else [])]})
            for entry, who in zip(rest, about, strict=True)
        ]

    def kept(self, message: bytes) -> Kept:
        """The message as it may touch the disk; never raises, whatever the bytes are."""
        try:
            value = bounded(message)
            payload = kept_message(value, self._mapping, self._pseudonyms)
        except FhirFault as fault:
            told = {"fault": fault.code, "sentence": fault.sentence, "bytes": len(message)}
            digest = self._pseudonyms.one("file", message.hex()) if message else ""
            return Kept(payload=_written({**told, "digest": digest}), fault=fault.code)
        return Kept(payload=_written(payload), control_id=self._control_id(value))

    def _control_id(self, value: Mapping[str, Any]) -> str:
        """The pseudonym of the bundle's or resource's id and version."""
        meta = value.get("meta")
        version = meta.get("versionId") if isinstance(meta, dict) else None
        parts = [part for part in (value.get("id"), version) if isinstance(part, str)]
        return self._pseudonyms.one("record", "/".join(parts)) if "".join(parts).strip() else ""

    def read(self, payload: bytes, place: Place) -> Reading:
        """The events of a kept message; never raises."""
        try:
            kept = bounded(payload)
            if isinstance(kept, dict) and "fault" in kept:
                return Reading(rejected=str(kept["fault"]), sentence=str(kept.get("sentence", "")))
            return self._read(kept, place)
        except FhirFault as fault:
            return Reading(rejected=fault.code, sentence=fault.sentence)

    def _read(self, kept: Any, place: Place) -> Reading:
        if not isinstance(kept, dict) or not isinstance(kept.get("entry"), list):
            raise FhirFault("not_fhir", "the kept message has no entries")
        if str(kept.get("type")).startswith("~"):
            raise FhirFault("unknown_code", "Bundle.type is not a code that FHIR R4 binds there")
        if kept["type"] in ANSWERS:
            return Reading(ignored=f"Bundle of type {kept['type']}")
        events: list[Event] = []
        flags: list[str] = []
        rules: list[str] = []
        for number, entry in enumerate(kept["entry"]):
            try:
                told, doubts = self._entry(entry, place)
            except Ignored as rule:
                rules.append(str(rule))
            except FhirFault as fault:
                raise FhirFault(fault.code, f"entry {number + 1}: {fault.sentence}") from None
            else:
                events.extend(told)
                flags.extend(doubts)
        if not events:
            return Reading(ignored=next((r for r in rules if r != NOTHING_OF_OURS), NOTHING_OF_OURS))
        return Reading(events=tuple(events), flags=tuple(flags))

    def _entry(self, entry: Any, place: Place) -> tuple[tuple[Event, ...], list[str]]:
        kept = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(kept, dict):
            raise Ignored(NOTHING_OF_OURS)
        if str(entry.get("method", "")).startswith("~"):
            raise FhirFault("unknown_code", "request.method is not a code that FHIR R4 binds there")
        resource = Resource(kept, self._site, place.stored_at)
        if kept.get("resourceType") == "Encounter":
            return Teller(resource, place).events(deleted=entry.get("method") == "DELETE"), resource.flags
        if kept.get("resourceType") == "Location" and entry.get("method") != "DELETE":
            return (self._bed(resource, place),), resource.flags
        raise Ignored(NOTHING_OF_OURS)

    def _bed(self, resource: Resource, place: Place) -> Event:
        """The status of a bed, told by its Location when that was changed last."""
        word = self._site.word(str(resource.kept.get("id")))
        known = self._mapping.locations.get(word)
        if known is None or known.bed is None:
            raise Ignored("Location that is no bed of the mapping")
        status = _status(resource)
        if status is None:
            raise Ignored("Location without a status of its bed")
        at = resource.instant("meta", "lastUpdated")
        if at is None:
            raise FhirFault("missing_time", "Location must say meta.lastUpdated, when its status was changed")
        return _bed_status(self._mapping.source.name, word, known.unit, known.bed, status, at, place)


def _status(resource: Resource) -> Any:
    operational, own = resource.code("operationalStatus", "code"), resource.code("status")
    held = PLACE_STATUSES.get(own or "active")
    return held or (BED_STATUSES[operational] if operational else None)


def _bed_status(
    source: str, word: str, unit: str, bed: str, status: Any, at: datetime, place: Place
) -> BedStatusChanged:
    return BedStatusChanged(
        event_id=EventId(f"{source}/{word}/BedStatusChanged/{at.isoformat()}"),
        occurred_at=at, recorded_at=at, source=source, position=place.position,
        unit=UnitId(unit), bed=BedId(bed), status=status,
    )  # fmt: skip


def _type(entry: Mapping[str, Any]) -> Any:
    resource = entry.get("resource")
    return resource.get("resourceType") if isinstance(resource, dict) else None


def _subject(entry: Mapping[str, Any]) -> Any:
    resource = entry.get("resource")
    subject = resource.get("subject") if isinstance(resource, dict) else None
    reference = subject.get("reference") if isinstance(subject, dict) else None
    return reference if isinstance(reference, str) else None


def _entry_of(entries: list[dict[str, Any]], resource: Any) -> dict[str, Any]:
    return next(entry for entry in entries if entry.get("resource") is resource)


def _is_notification(bundle: Mapping[str, Any]) -> bool:
    entries = bundle.get("entry")
    first = entries[0] if isinstance(entries, list) and entries and isinstance(entries[0], dict) else {}
    return _type(first) in ("Parameters", "SubscriptionStatus")


def _head(bundle: Mapping[str, Any]) -> dict[str, Any]:
    return {name: bundle[name] for name in ("resourceType", "type", "id") if name in bundle}


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
