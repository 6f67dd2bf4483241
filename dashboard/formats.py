"""Which formats of messages a house is set up to read and to render; readers are imported when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from dashboard.errors import CommandError
from dashboard.settings import Settings
from ingest.event_json import EventJson
from ingest.events import Event
from ingest.fhir import FhirFormat
from ingest.fhir_mapping import load_fhir_mapping
from ingest.formats import Format
from ingest.journal_frames import Record
from ingest.messages import Readers
from ingest.pseudonyms import Pseudonyms

HL7 = "hl7"
EVENT_JSON = EventJson.name


def readers_of(settings: Settings) -> Readers:
    """What reads the records of the journal, each format being set up when the first record of it comes."""

    @cache
    def reader(name: str) -> Format | None:
        if name == EVENT_JSON:
            return EventJson(None)
        if name == FhirFormat.name and settings.fhir_mapping is not None:
            return FhirFormat(load_fhir_mapping(settings.fhir_mapping), None)
        if name == HL7 and settings.mllp_mapping is not None:
            return hl7_format(settings.mllp_mapping, None)
        return None

    return lambda record: _of(record, reader)


def _of(record: Record, reader: Callable[[str], Format | None]) -> Format | None:
    return reader(record.format)


def format_of(name: str, settings: Settings, pseudonyms: Pseudonyms) -> Format:
    """The format of that name, as the house is set up for it; it can keep as well as read."""
    if name == EVENT_JSON:
        return EventJson(pseudonyms)
    assert settings.mllp_mapping is not None
    return hl7_format(settings.mllp_mapping, pseudonyms)


def hl7_format(mapping: Path, pseudonyms: Pseudonyms | None) -> Format:
    """HL7 by a mapping; without pseudonyms it reads what is kept, and keeps nothing itself."""
    hl7, settings = _module("ingest.hl7"), _module("ingest.hl7_settings")
    form: Format = hl7.Hl7(settings.load_settings(mapping), pseudonyms)
    return form


def hl7_renderer() -> Callable[[Event], bytes | None]:
    """What makes a message of an event; None for an event that HL7 cannot carry."""
    render: Callable[[Iterable[Event]], Iterator[bytes]] = _module("ingest.hl7_render").render
    return lambda event: next(render([event]), None)


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise CommandError(f"HL7 messages cannot be read or made here: {error.name} is missing") from error
