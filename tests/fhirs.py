"""FHIR resources in a line each, and what becomes of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ingest.events import Cancelled, Event
from ingest.fhir import FhirFormat
from ingest.fhir_mapping import FhirMapping, load_fhir_mapping
from ingest.formats import Place, Reading
from ingest.mapping import find_mapping
from ingest.pseudonyms import Pseudonyms
from tests.extracts import said

PSEUDONYMS = Pseudonyms(bytes(range(32)), "edtwin")
MAPPING = load_fhir_mapping(find_mapping("fhir"))
AT = Place(source="fhir", position=7, stored_at=datetime(2026, 3, 2, 20, tzinfo=UTC))


def at(clock: str) -> str:
    """A time of 2 March 2026, UTC, as FHIR writes it."""
    return f"2026-03-02T{clock}:00Z"


def span(what: dict[str, Any], start: str | None, end: str | None = None) -> dict[str, Any]:
    period = {name: at(clock) for name, clock in (("start", start), ("end", end)) if clock}
    return {**what, "period": period}


def been(status: str, start: str, end: str | None = None) -> dict[str, Any]:
    """An entry of a status history."""
    return span({"status": status}, start, end)


def stay(location: str, start: str | None, end: str | None = None, status: str | None = None) -> dict[str, Any]:
    """An entry of the locations."""
    told = {"location": {"reference": f"Location/{location}"}} | ({"status": status} if status else {})
    return span(told, start, end)


def encounter(
    status: str = "arrived", klass: str = "EMER", told: str | None = "11:00", **fields: Any
) -> dict[str, Any]:
    meta = {"meta": {"lastUpdated": at(told)}} if told else {}
    return {"resourceType": "Encounter", "id": "v1", "status": status, "class": {"code": klass}, **meta, **fields}


SEEN: list[dict[str, Any]] = [been("arrived", "10:00", "10:10"), been("triaged", "10:10", "10:40")]
"""The status history of a visit that is now in progress."""


def bundle(kind: str, *resources: dict[str, Any], **head: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, **head, "entry": [{"resource": r} for r in resources]}


def read(message: object, mapping: FhirMapping = MAPPING, place: Place = AT) -> Reading:
    """What a message becomes, through its kept form."""
    told = FhirFormat(mapping, PSEUDONYMS)
    text = message if isinstance(message, bytes) else json.dumps(message).encode()
    return told.read(told.kept(text).payload, place)


def story(message: object, mapping: FhirMapping = MAPPING) -> list[tuple[str, str, str]]:
    """Each event as (kind, clock, what it says), in order of time; cancellations as what they strike."""
    reading = read(message, mapping)
    assert reading.rejected is None, reading
    return [line(event) for event in sorted(reading.events, key=lambda e: e.occurred_at)]


def line(event: Event) -> tuple[str, str, str]:
    clock = event.occurred_at.strftime("%H:%M")
    if isinstance(event, Cancelled):
        return "Cancelled", clock, event.target.split("/", 2)[2]
    return event.kind, clock, said(event)
