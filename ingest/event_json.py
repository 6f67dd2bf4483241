"""Events as JSON: one object a message, versioned, for those who speak to the house in its own vocabulary.

    {"version": 1, "kind": "Triaged", "event_id": "adt/4711", "occurred_at": "2026-03-29T14:02:00+02:00",
     "visit": "260012345", "acuity": "3A"}

`event.schema.json` beside this file is the schema for senders; `python -m ingest.event_json` prints it. Visit, patient
and record numbers are hashed at the edge, unless the message says `"numbers": "pseudonyms"`. What cannot be read is
kept as its length and a keyed hash. `written` and `read` are each other's inverse.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NoReturn

from ingest.errors import EventError
from ingest.event_json_fields import GIVEN_HERE, NUMBERS, PSEUDONYM, VERSION, Field, fields_by_kind, json_schema
from ingest.events import BY_KIND, Event
from ingest.formats import Kept, Place, Reading
from ingest.pseudonyms import Pseudonyms

LARGEST_MESSAGE_BYTES = 64 * 1024
AHEAD = timedelta(hours=24)
"""How far an event may lie after the instant at which the house heard of it."""

REASONS: dict[str, str] = {
    "too_large": f"the message has more than {LARGEST_MESSAGE_BYTES // 1024} KiB",
    "malformed": "the message is not one JSON object in UTF-8 with each key once",
    "unknown_version": f"the message is not of version {VERSION}",
    "unknown_kind": "the message names no kind of event",
    "unknown_field": "the message has a field that its kind does not have",
    "missing_field": "the message lacks a field that its kind must have",
    "unknown_value": "a field of the message has a value that it may not have",
    "in_future": "the event lies more than a day after it was heard of",
}
"""Every reason for which a message is rejected."""

_FIELDS = fields_by_kind()
_ENVELOPE = ("version", "kind", "numbers")
_MARK: dict[bool, dict[str, str]] = {True: {"numbers": "pseudonyms"}, False: {}}


class _Fault(Exception):
    """A message that breaks a rule: the code, and the field where it is one of ours."""

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(code)
        self.code, self.field = code, field

    @property
    def sentence(self) -> str:
        return f"{REASONS[self.code]} ({self.field})" if self.field else REASONS[self.code]


class EventJson:
    """The format of messages that are events as JSON, for one site; without pseudonyms it can only read."""

    name = "event_json"

    def __init__(self, pseudonyms: Pseudonyms | None) -> None:
        self._given = pseudonyms

    @property
    def _pseudonyms(self) -> Pseudonyms:
        assert self._given is not None, "what is kept needs pseudonyms"
        return self._given

    def kept(self, message: bytes) -> Kept:
        """The message in its one form, its numbers hashed; a faulty one as its length and a keyed hash."""
        try:
            kind, values, hashed = _checked(message)
        except _Fault as fault:
            return Kept(payload=self._traces(message), fault=fault.code)
        if not hashed:
            values |= self._hashed(values)
        return Kept(payload=_dumped(kind, values, hashed=True), control_id=values["event_id"])

    def read(self, payload: bytes, place: Place) -> Reading:
        """The one event of a kept message."""
        try:
            kind, values, _ = _checked(payload)
            _check_heard(values, place)
        except _Fault as fault:
            return Reading(rejected=fault.code, sentence=f"{fault.sentence} ({place.source}@{place.position})")
        return Reading(events=(BY_KIND[kind](source=place.source, position=place.position, **values),))

    def _hashed(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {name: self._pseudonyms.one(NUMBERS[name], values[name]) for name in NUMBERS if name in values}

    def _traces(self, message: bytes) -> bytes:
        digest = self._pseudonyms.one("file", sha256(message).hexdigest())
        return json.dumps({"length": len(message), "digest": digest}).encode()


def written(event: Event, *, pseudonyms: bool) -> bytes:
    """An event as a message; `pseudonyms` says that its numbers are hashed already.

    What the house gives an event (`known_at`, `stored_at`, `source`, `position`) is not told. Raises EventError for an
    event that no receiver would take, such as one of a unit whose name has a blank.
    """
    told = {f.name: getattr(event, f.name) for f in fields(event) if f.name not in GIVEN_HERE}
    values = {name: value for name, value in told.items() if value is not None}
    message = _dumped(event.kind, values, hashed=pseudonyms)
    try:
        _checked(message)
    except _Fault as fault:
        raise EventError(f"{event.kind} cannot be told as JSON: {fault.sentence}") from None
    return message


def _dumped(kind: str, values: Mapping[str, Any], *, hashed: bool) -> bytes:
    """The one form of a message: envelope first, instants in UTC, no blanks."""
    told = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
    whole = {"version": VERSION, "kind": kind, **_MARK[hashed], **told}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _checked(message: bytes) -> tuple[str, dict[str, Any], bool]:
    """The kind, the values by field, and whether numbers are pseudonyms; raises _Fault for the first rule broken."""
    told = _parsed(message)
    if type(told.get("version")) is not int or told["version"] != VERSION:
        raise _Fault("unknown_version")
    kind = told.get("kind")
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise _Fault("unknown_kind")
    numbers = told.get("numbers", "plain")
    if numbers not in ("plain", "pseudonyms"):
        raise _Fault("unknown_value", "numbers")
    values, hashed = _values(told, _FIELDS[kind]), numbers == "pseudonyms"
    if hashed:
        _check_pseudonyms(values)
    return kind, values, hashed


def _parsed(message: bytes) -> dict[str, Any]:
    """A flat object: what is nested fails later, as a value that no field may have."""
    if len(message) > LARGEST_MESSAGE_BYTES:
        raise _Fault("too_large")
    try:
        told = json.loads(message.decode(), object_pairs_hook=_once, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise _Fault("malformed") from None
    if not isinstance(told, dict):
        raise _Fault("malformed")
    return told


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    pairs = list(pairs)
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError("a key must stand once")
    return told


def _refused(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _values(told: Mapping[str, Any], known: Mapping[str, Field]) -> dict[str, Any]:
    """The checked values. A field that is not known is not named, since its name could be anything."""
    if any(name not in known and name not in _ENVELOPE for name in told):
        raise _Fault("unknown_field")
    values = {}
    for name, field in known.items():
        if name in told:
            values[name] = _value(field, told[name])
        elif field.required:
            raise _Fault("missing_field", name)
    return values


def _value(field: Field, value: Any) -> Any:
    try:
        return field.check(value)
    except (ValueError, TypeError, OverflowError):
        raise _Fault("unknown_value", field.name) from None


def _check_pseudonyms(values: Mapping[str, Any]) -> None:
    for name in NUMBERS:
        if name in values and not PSEUDONYM.fullmatch(values[name]):
            raise _Fault("unknown_value", name)


def _check_heard(values: Mapping[str, Any], place: Place) -> None:
    for name in ("occurred_at", "recorded_at"):
        if name in values and values[name] > place.stored_at + AHEAD:
            raise _Fault("in_future", name)


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=1, ensure_ascii=False))
