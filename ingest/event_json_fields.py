"""What an event as JSON may hold, read off the event classes: the checks of the reader and the schema for senders."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

from ingest.events import BY_KIND, choices
from ingest.pseudonyms import NumberKind

VERSION = 1
GIVEN_HERE = frozenset({"known_at", "stored_at", "source", "position"})
"""Fields of an event that the house gives it and no message may hold."""
NUMBERS: Mapping[str, NumberKind] = {
    "event_id": "record", "target": "record", "visit": "visit", "into": "visit", "patient": "patient",
}  # fmt: skip
"""Fields that may tell who someone is, with the kind of number that each is hashed as."""
NUMBER = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
PSEUDONYM = re.compile(r"[A-Za-z0-9._:/+-]{1,200}")
"""What a number may look like that is said to be a pseudonym already: no blank, so that no name passes for one."""
CODE = re.compile(r"[A-Za-z0-9\u00c0-\u024f._:/+-]{1,64}")
"""A code of a unit, bed, test, pool or measure: no blank, so that no free text passes for one."""
_OF_NUMBERS = f"hashed by the receiver; where numbers are pseudonyms it must match ^{PSEUDONYM.pattern}$"
SMALLEST, LARGEST = -(2**63), 2**63 - 1
FIRST_YEAR, LAST_YEAR = 1900, 2199

Check = Callable[[Any], Any]
"""Gives the value as the event holds it; raises ValueError or TypeError where it is not allowed."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one kind of event: the check of its value and the JSON Schema that says the same."""

    name: str
    required: bool
    check: Check
    schema: Mapping[str, Any]


def fields_by_kind() -> dict[str, dict[str, Field]]:
    """For each kind of event the fields that a message may hold."""
    return {kind: {field.name: field for field in _fields(cls)} for kind, cls in BY_KIND.items()}


def json_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of one event as JSON, for those who write them."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"edtwin event, version {VERSION}",
        "description": "One thing that happened to a visit or a bed. Absent fields are left out, never null.",
        "type": "object",
        "oneOf": [_kind_schema(kind, of) for kind, of in fields_by_kind().items()],
    }


def _kind_schema(kind: str, of: Mapping[str, Field]) -> dict[str, Any]:
    envelope: dict[str, Any] = {
        "version": {"const": VERSION},
        "kind": {"const": kind},
        "numbers": {"enum": ["plain", "pseudonyms"], "default": "plain"},
    }
    return {
        "title": kind,
        "description": str(BY_KIND[kind].__doc__),
        "type": "object",
        "properties": envelope | {field.name: dict(field.schema) for field in of.values()},
        "required": ["version", "kind", *(field.name for field in of.values() if field.required)],
        "additionalProperties": False,
    }


def _fields(cls: type[Any]) -> list[Field]:
    hints = get_type_hints(cls)
    told = (f for f in fields(cls) if f.name not in GIVEN_HERE)
    return [Field(f.name, f.default is MISSING, *_rule(f.name, hints[f.name])) for f in told]


def _rule(name: str, hint: Any) -> tuple[Check, Mapping[str, Any]]:
    types = (hint, *get_args(hint))
    if name in NUMBERS:
        return _text_of(NUMBER), {"type": "string", "minLength": 1, "maxLength": 200, "description": _OF_NUMBERS}
    if allowed := choices(hint):
        return _one_of(allowed), {"enum": list(allowed)}
    if datetime in types:
        return instant, {"type": "string", "format": "date-time"}
    if bool in types:
        return _yes_or_no, {"type": "boolean"}
    if int in types:
        return _whole, {"type": "integer", "minimum": SMALLEST, "maximum": LARGEST}
    return _text_of(CODE), {"type": "string", "pattern": f"^{CODE.pattern}$"}


def instant(value: Any) -> datetime:
    """An instant with its offset, as UTC."""
    at = datetime.fromisoformat(value)
    if at.tzinfo is None or not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"an instant must have an offset and lie between {FIRST_YEAR} and {LAST_YEAR}")
    return at.astimezone(UTC)


def _text_of(pattern: re.Pattern[str]) -> Check:
    def check(value: Any) -> str:
        if not pattern.fullmatch(value) or value.isspace():
            raise ValueError(f"a text must match {pattern.pattern}")
        return str(value)

    return check


def _one_of(allowed: tuple[str, ...]) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"a word must be one of {', '.join(allowed)}")
        return value

    return check


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("a boolean must be true or false")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not SMALLEST <= value <= LARGEST:
        raise ValueError("a count must be a whole number of 64 bits")
    return value
