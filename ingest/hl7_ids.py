"""The ids of events that HL7 messages tell: `source/visit/record`, the same for the same record whenever it is told.

The record is `movement/<ZBE-1>` where the message numbers its movements. Without such a number it is what a visit has
once ("arrival", "departure"), or has at an instant ("move/20260302T080000"). A cancellation of a move that says
neither number nor instant targets `move/*`: the last move that stands, which the fold of `twin/state.py` settles.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, unquote

from ingest.events import EventId, VisitId

LATEST = "*"
"""In place of the last part of a target: the latest that stands of those that differ in it alone."""
PLACE = "place"
"""The last part of the id of the move that an arrival straight into an area tells beside itself."""


def record_id(source: str, visit: str, *record: str) -> EventId:
    """The id of a record of a visit; what is in a part never reads as a part of its own."""
    return EventId("/".join([source, _safe(visit), *map(_safe, record)]))


def movement_id(source: str, visit: str, number: str, *part: str) -> EventId:
    """The id of a movement that has a number; a `visit` of "" where the sender numbers them for all visits at once."""
    return record_id(source, visit, "movement", number, *part)


def bed_record_id(source: str, unit: str, bed: str, at: datetime) -> EventId:
    """The id of what happened to a bed at an instant."""
    return EventId("/".join([source, "bed", _safe(unit), _safe(bed), at_text(at)]))


def at_text(at: datetime) -> str:
    """An instant as the last part of an id."""
    fraction = f".{at.microsecond:06d}" if at.microsecond else ""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S}{fraction}"


def visit_of_target(target: str) -> VisitId | None:
    """The visit that a target names, whether or not anything of that id was told; None where it names none."""
    parts = parts_of(target)
    return VisitId(parts[1]) if parts is not None and parts[1] else None


def parts_of(event_id: str) -> tuple[str, str, tuple[str, ...]] | None:
    """Source, visit and record of an id; None for an id that is not of this form."""
    source, *rest = event_id.split("/")
    return (source, unquote(rest[0]), tuple(unquote(part) for part in rest[1:])) if len(rest) > 1 else None


def _safe(text: str) -> str:
    return text if text.isalnum() or text == LATEST else quote(text, safe="")
