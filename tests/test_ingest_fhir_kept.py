"""What of FHIR may touch the disk: fifty planted names, addresses and texts reach neither payload nor sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import fhir, fhir_kept
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.fhir import FhirFormat
from ingest.fhir_files import ingest_fhir
from ingest.fhir_json import DEEPEST, LARGEST_BYTES, FhirFault, bounded, measure
from ingest.fhir_kept import Edge
from ingest.log import EventLog
from tests.fhirs import AT, MAPPING, PSEUDONYMS, at, bundle, encounter, stay

CANARIES = [f"Canary{number:02d}Zz" for number in range(50)]


class Planted:
    """Hands out canaries, one a field."""

    def __init__(self) -> None:
        self._left = iter(CANARIES)

    def __call__(self) -> str:
        return next(self._left)


def planted() -> list[bytes]:
    """Messages with a canary in every place where a server might put what names somebody."""
    new = Planted()
    patient = {
        "resourceType": "Patient", "id": new(), "birthDate": "1950-01-01", "gender": "male",
        "name": [{"family": new(), "given": [new(), new()], "text": new()}],
        "telecom": [{"value": new()}], "address": [{"line": [new()], "city": new(), "postalCode": new()}],
        "identifier": [{"system": new(), "value": new()}], "contact": [{"name": {"text": new()}}],
        "text": {"div": f"<div>{new()}</div>"}, "photo": [{"data": new()}], "extension": [{"valueString": new()}],
    }  # fmt: skip
    visit = encounter(
        period={"start": at("10:00"), "extension": [{"valueString": new()}]},
        subject={"reference": f"Patient/{patient['id']}", "display": new()},
        identifier=[{"value": new()}], text={"div": new()}, reasonCode=[{"text": new()}],
        participant=[{"individual": {"display": new()}}], serviceProvider={"display": new()},
        priority={"text": new(), "coding": [{"code": new(), "display": new()}]},
        hospitalization={"dischargeDisposition": {"text": new(), "coding": [{"code": new()}]}},
        location=[stay("box-1", "10:05") | {"id": new(), "physicalType": {"text": new()}}],
        extension=[{"url": new(), "valueString": new()}], _status={"extension": [{"valueString": new()}]},
    ) | {"id": new(), new(): 1}  # fmt: skip
    broken = [
        encounter(new()), encounter(klass=new()), encounter(period={"start": new()}),
        encounter(location=[stay(new(), None)]),
        encounter(statusHistory=[{"status": new()}]), encounter(statusHistory=new()), encounter() | {"class": new()},
        {"resourceType": new()}, bundle(new()), bundle("batch") | {"entry": [{"request": {"method": new()}}, {}]},
        {"resourceType": "Location", "id": new(), "name": new(), "status": new()},
    ]  # fmt: skip
    whole = [json.dumps(value).encode() for value in (bundle("collection", patient, visit), *broken)]
    cut = [f'{{"resourceType": "Patient", "name": "{new()}'.encode(), f'[{{"{new()}": \xff'.encode("latin-1")]
    return [*whole, *cut, f"<Patient>{new()}</Patient>".encode()]


def told(messages: Iterable[bytes], format_: FhirFormat) -> Iterator[str]:
    """All that could reach disk, log or page of some messages."""
    for message in messages:
        for part in format_.parts(message):
            kept = format_.kept(part)
            yield from (kept.payload.decode(), kept.control_id, str(kept.fault), repr(format_.read(kept.payload, AT)))


def found(texts: Iterable[str]) -> set[str]:
    whole = "\n".join(texts)
    return {canary for canary in CANARIES if canary in whole}


def test_no_canary_is_kept_or_told() -> None:
    messages = planted()
    assert found(message.decode("latin-1") for message in messages) == set(CANARIES), "they are planted"
    assert found(told(messages, FhirFormat(MAPPING, PSEUDONYMS))) == set()


@pytest.mark.parametrize(
    ("where", "name", "leak"),
    [
        (Edge, "token", lambda edge, value: f"~{value}"),
        (fhir_kept, "_instant", lambda edge, value: value),
        (fhir, "kept_message", lambda value, *_: {"type": "resource", "entry": [{"resource": value}]}),
    ],
)
def test_a_leak_is_seen(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, leak: Callable[..., Any]) -> None:
    if name == "_instant":
        monkeypatch.setitem(fhir_kept._PERIOD, "start", leak)
    else:
        monkeypatch.setattr(where, name, leak)
    assert found(told(planted(), FhirFormat(MAPPING, PSEUDONYMS)))


@pytest.mark.parametrize("leaks", [False, True])
def test_no_canary_reaches_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaks: bool) -> None:
    if leaks:  # a number that is not hashed
        monkeypatch.setattr(Edge, "name", lambda edge, kind, number: number)
    file = tmp_path / "m.ndjson"
    file.write_bytes(b"\n".join(planted()))
    with Database.open(tmp_path / "x.duckdb") as database:
        log = EventLog(database, SimulatedClock(AT.stored_at))
        account = ingest_fhir(file, MAPPING, log, PSEUDONYMS, now=AT.stored_at)
    assert account.rejected > 10
    assert bool(found([(tmp_path / "x.duckdb").read_bytes().decode("latin-1")])) == leaks


def test_numbers_are_pseudonyms_of_the_site() -> None:
    kept = FhirFormat(MAPPING, PSEUDONYMS).kept(json.dumps(encounter(subject={"reference": "Patient/p9"})).encode())
    (entry,) = json.loads(kept.payload)["entry"]
    own = PSEUDONYMS.of_site("example")
    assert entry["resource"]["visit"] == own.one("visit", "v1")
    assert entry["resource"]["patient"] == own.one("patient", "p9")
    assert kept.control_id == own.one("record", "v1")


def test_an_age_is_taken_on_the_day_of_arrival() -> None:
    ages = {"2008-03-02": "18-74", "2008-03-03": "0-17", "1951-03-02": "75+", "1950": None, "1850-01-01": None}
    assert {born: fhir_kept._band(born, at("10:00")) for born in ages} == ages
    assert fhir_kept._band("2008-02-30", at("10:00")) is None


def test_references_lead_to_ids() -> None:
    ids = {"urn:uuid:7": "Location/box-1"}
    references = ["Location/box-1", "https://x.org/fhir/Location/box-1/_history/3", "urn:uuid:7", "box-1"]
    assert {fhir_kept.reference_id(reference, ids) for reference in references} == {"box-1"}


def test_brackets_inside_of_texts_do_not_count() -> None:
    measure(json.dumps({"a": "[" * 1000, 'b"': '\\"[[' * 50}).encode())
    nested = b"[" * DEEPEST + b"]" * DEEPEST
    assert bounded(nested)
    with pytest.raises(FhirFault, match="at most 64 levels deep, but has 65"):
        bounded(b"[" + nested + b"]")


def test_the_largest_message_is_read_and_one_byte_more_is_not() -> None:
    text = json.dumps("x" * (LARGEST_BYTES - 2)).encode()
    assert bounded(text)
    with pytest.raises(FhirFault, match="5000001"):
        bounded(text + b" ")


def test_without_the_bounds_a_bomb_of_nesting_would_end_in_a_recursion_error() -> None:
    with pytest.raises(RecursionError):
        json.loads(b"[" * 200_000)
