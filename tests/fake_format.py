"""A small format of messages for tests of what lies beneath: one line of words, `id|kind|visit|minute|unit`."""

from __future__ import annotations

from datetime import timedelta

from ingest.events import Arrived, Cancelled, Departed, Event, EventId, Moved, UnitId, VisitId
from ingest.formats import Kept, Place, Reading
from tests.logs import AT


def message(number: int, kind: str = "arrive", visit: str | None = None, minute: int = 0, unit: str = "er") -> bytes:
    """The bytes of a message."""
    return f"{number}|{kind}|{visit or f'v{number}'}|{minute}|{unit}".encode()


class FakeFormat:
    """Reads those lines. `units` are those that its mapping knows; another one is rejected."""

    name = "fake"

    def __init__(self, *units: str) -> None:
        self._units = units or ("er", "medicine", "surgery")

    def kept(self, message: bytes) -> Kept:
        """The line itself; tokens of its shape for what is no line of five words."""
        words = message.decode("utf-8", "replace").split("|")
        if len(words) != 5:
            return Kept(payload=b"?" * len(message), fault="malformed")
        return Kept(payload=message, control_id=words[0])

    def read(self, payload: bytes, place: Place) -> Reading:
        """One event, an ignored kind, or a rejected unit."""
        _, kind, visit, minute, unit = payload.decode().split("|")
        if kind == "bill":
            return Reading(ignored="not_of_interest")
        if unit not in self._units:
            return Reading(
                rejected="unknown_value", sentence=f"unit is not one that the mapping names ({place.source})"
            )
        return Reading(events=(_event(kind, visit, int(minute), unit, place),))


def _event(kind: str, visit: str, minute: int, unit: str, place: Place) -> Event:
    common = {"occurred_at": AT + timedelta(minutes=minute), "source": place.source, "position": place.position}

    def of(name: str) -> EventId:
        return EventId(f"{place.source}/{visit}/{name}/0")

    match kind:
        case "move":
            return Moved(event_id=of("Moved"), visit=VisitId(visit), unit=UnitId(unit), **common)  # type: ignore[arg-type]
        case "leave":
            return Departed(event_id=of("Departed"), visit=VisitId(visit), to="home", **common)  # type: ignore[arg-type]
        case "cancel":
            return Cancelled(event_id=of("Arrived/Cancelled"), target=of("Arrived"), **common)  # type: ignore[arg-type]
    return Arrived(event_id=of("Arrived"), visit=VisitId(visit), **common)  # type: ignore[arg-type]


def hl7(number: int, kind: str = "arrive", visit: str | None = None, minute: int = 0, unit: str = "er") -> bytes:
    """The same line behind a header, as a sender of HL7 would put it."""
    line = message(number, kind, visit, minute, unit).decode()
    return f"MSH|^~\\&|GAM|CHU|EDTWIN|ED|20260302||ADT^A04|{number}|P|2.5\rZZZ|{line}\r".encode()


class FakeHl7(FakeFormat):
    """Reads the line behind such a header."""

    name = "fake hl7"

    def kept(self, message: bytes) -> Kept:
        """As its parent, of what follows `ZZZ|`."""
        return super().kept(message.partition(b"ZZZ|")[2].strip())
