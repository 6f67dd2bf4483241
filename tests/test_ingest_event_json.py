"""Events as JSON: both ways equal, numbers hashed, what breaks a rule refused with its code and nothing of it told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ingest import event_json
from ingest.event_json import AHEAD, LARGEST_MESSAGE_BYTES, REASONS, EventJson, written
from ingest.event_json_fields import GIVEN_HERE, NUMBERS, json_schema
from ingest.events import EVENT_CLASSES, Arrived, Cancelled, Event, EventId, Moved, PatientId, Triaged, UnitId, VisitId
from ingest.formats import Place
from ingest.pseudonyms import Pseudonyms
from tests.strategies import events

PSEUDONYMS = Pseudonyms(b"s" * 32, "north")
FORMAT = EventJson(PSEUDONYMS)
PLACE = Place(source="kafka", position=7, stored_at=datetime(2199, 1, 1, tzinfo=UTC))
AT = datetime(2026, 3, 29, 12, 2, tzinfo=UTC)
SCHEMA = Path(event_json.__file__).with_name("event.schema.json")
CODES = st.sampled_from(["medicine", "Médecine", "x/1", "a.b:c-d+e_f", "1"])
FREE = ("unit", "bed", "test", "pool", "measure")
VALIDATOR = Draft202012Validator(json_schema())
TOLD = dict.fromkeys(FREE, CODES) | {name: st.sampled_from(["f/v1/Arrived/0", "v1", "p-2"]) for name in NUMBERS}

TRIAGED = Triaged(event_id=EventId("adt/4711"), occurred_at=AT, visit=VisitId("260012345"), acuity="3A")
MESSAGE = {
    "version": 1, "kind": "Triaged", "event_id": "adt/4711", "occurred_at": "2026-03-29T14:02:00+02:00",
    "visit": "260012345", "acuity": "3A",
}  # fmt: skip


def message(**changes: Any) -> bytes:
    """The message of TRIAGED with some fields changed; None takes one away."""
    return json.dumps({name: v for name, v in (MESSAGE | changes).items() if v is not None}).encode()


def outcome(of: EventJson, sent: bytes) -> str | None:
    """The code for which a message is refused, at the edge or when it is read; None where it is applied."""
    kept = of.kept(sent)
    return kept.fault or of.read(kept.payload, PLACE).rejected


def told(events_of: type[Event]) -> st.SearchStrategy[Event]:
    allowed = {n: s for n, s in TOLD.items() if n in events_of.__dataclass_fields__}
    return events(events_of, **allowed)


@given(st.one_of([told(cls) for cls in EVENT_CLASSES]))
def test_what_is_written_is_read_again(event: Event) -> None:
    kept = FORMAT.kept(written(event, pseudonyms=True))
    assert kept.fault is None
    (again,) = FORMAT.read(kept.payload, PLACE).events
    assert again == replace(event, known_at=None, stored_at=None, source="kafka", position=7)
    assert FORMAT.kept(kept.payload).payload == kept.payload


@given(st.one_of([told(cls) for cls in EVENT_CLASSES]))
def test_the_schema_for_senders_allows_what_is_written(event: Event) -> None:
    for pseudonyms in (True, False):
        assert VALIDATOR.is_valid(json.loads(written(event, pseudonyms=pseudonyms)))


@given(st.sampled_from(sorted(MESSAGE)), st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.just([])))
def test_the_schema_refuses_what_the_reader_refuses(field: str, value: Any) -> None:
    """All but times, which the schema only annotates, and numbers that are blank."""
    sent = message(**{field: value})
    refused = outcome(FORMAT, sent) is not None
    if field != "occurred_at" and not (field in NUMBERS and isinstance(value, str)):
        assert refused is not VALIDATOR.is_valid(json.loads(sent))


def test_the_schema_that_is_shipped_is_the_one_of_the_event_classes() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json_schema()


def test_numbers_are_hashed_each_as_its_kind() -> None:
    kept = FORMAT.kept(message(kind="Arrived", acuity=None, patient=" 8004711 "))
    (event,) = FORMAT.read(kept.payload, PLACE).events
    assert event == Arrived(
        event_id=EventId(PSEUDONYMS.one("record", "adt/4711")), occurred_at=AT, source="kafka", position=7,
        visit=VisitId(PSEUDONYMS.one("visit", "260012345")), patient=PatientId(PSEUDONYMS.one("patient", "8004711")),
    )  # fmt: skip
    assert kept.control_id == event.event_id
    assert not any(number in kept.payload for number in (b"4711", b"260012345", b"8004711"))


def test_a_cancellation_meets_its_target_under_the_same_pseudonym() -> None:
    cancelled = Cancelled(event_id=EventId("adt/4712"), occurred_at=AT, target=EventId("adt/4711"))
    (strike,) = FORMAT.read(FORMAT.kept(written(cancelled, pseudonyms=False)).payload, PLACE).events
    (target,) = FORMAT.read(FORMAT.kept(message()).payload, PLACE).events
    assert isinstance(strike, Cancelled)
    assert strike.target == target.event_id


def test_pseudonyms_stay_as_they_are_and_a_name_does_not_pass_for_one() -> None:
    (event,) = FORMAT.read(FORMAT.kept(written(TRIAGED, pseudonyms=True)).payload, PLACE).events
    assert (event.event_id, event.source) == ("adt/4711", "kafka")
    assert outcome(FORMAT, message(numbers="pseudonyms", visit="Jean Dupont")) == "unknown_value"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", "malformed"),
        (b"\xff{}", "malformed"),
        (b"[1]", "malformed"),
        (b'{"version": 1', "malformed"),
        (b'{"version": NaN}', "malformed"),
        (b'{"version": 1, "version": 1}', "malformed"),
        (b"[" * 60_000, "malformed"),
        (b'{"version": ' + b"9" * 5000 + b"}", "malformed"),
        (b" " * (LARGEST_MESSAGE_BYTES + 1), "too_large"),
        (message(version=None), "unknown_version"),
        (message(version=2), "unknown_version"),
        (message(version=True), "unknown_version"),
        (message(kind="Vanished"), "unknown_kind"),
        (message(kind=["Triaged"]), "unknown_kind"),
        (message(name="Dupont"), "unknown_field"),
        (message(known_at="2026-03-29T14:02:00Z"), "unknown_field"),
        (message(unit="medicine"), "unknown_field"),
        (message(visit=None), "missing_field"),
        (message(numbers="hashed"), "unknown_value"),
        (message(numbers=[]), "unknown_value"),
        (message(acuity="6"), "unknown_value"),
        (message(acuity={"deep": []}), "unknown_value"),
        (message(visit="  "), "unknown_value"),
        (message(visit=7), "unknown_value"),
        (message(visit="\ud800"), "unknown_value"),
        (message(occurred_at="2026-02-30T10:00:00Z"), "unknown_value"),
        (message(occurred_at="2026-03-29T14:02:00"), "unknown_value"),
        (message(occurred_at="0001-01-01T00:00:00+14:00"), "unknown_value"),
        (message(occurred_at="2199-12-31T00:00:00Z"), "in_future"),
        (message(kind="BedsCounted", visit=None, acuity=None, unit="medicine", count=True), "unknown_value"),
        (message(kind="BedsCounted", visit=None, acuity=None, unit="medicine", count=2**70), "unknown_value"),
        (message(kind="BedsCounted", visit=None, acuity=None, unit="Mme Dupont", count=3), "unknown_value"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused_with_its_code(sent: bytes, code: str) -> None:
    assert outcome(FORMAT, sent) == code
    assert code in REASONS


def test_nothing_of_a_refused_message_is_kept_but_its_length_and_a_keyed_hash() -> None:
    sent = message(name="Dupont")
    kept = FORMAT.kept(sent)
    assert set(json.loads(kept.payload)) == {"length", "digest"}
    assert json.loads(kept.payload)["length"] == len(sent)
    other = EventJson(PSEUDONYMS.of_site("south")).kept(sent)
    assert other.payload != kept.payload, "the hash is keyed"


def test_a_refusal_when_read_names_rule_and_place_and_no_value() -> None:
    late = AT + AHEAD + timedelta(seconds=1)
    reading = FORMAT.read(written(replace(TRIAGED, occurred_at=late), pseudonyms=True), replace(PLACE, stored_at=AT))
    assert reading.rejected == "in_future"
    assert reading.sentence == "the event lies more than a day after it was heard of (occurred_at) (kafka@7)"


@given(st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(
    lambda value: json.dumps(value).encode()
))  # fmt: skip
def test_no_bytes_make_it_raise(sent: bytes) -> None:
    kept = FORMAT.kept(sent)
    assert kept.fault in REASONS
    assert FORMAT.read(kept.payload, PLACE).rejected in REASONS


def test_a_writer_that_forgets_a_field_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: what the house gives an event is taken to be one field more."""
    moved = Moved(event_id=EventId("e"), occurred_at=AT, visit=VisitId("v"), unit=UnitId("u"), recorded_at=AT)
    monkeypatch.setattr(event_json, "GIVEN_HERE", GIVEN_HERE | {"recorded_at"})
    (again,) = FORMAT.read(FORMAT.kept(written(moved, pseudonyms=True)).payload, PLACE).events
    assert again != replace(moved, source="kafka", position=7)
