"""What people said is already known: who, when, and which events it became. Rows are only ever added."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

from ingest.database import Database, aware, naive
from ingest.event_json import EventJson, written
from ingest.events import BOARD, Event
from ingest.formats import Place

_SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("noted_at", pa.timestamp("us")),
        ("known", pa.int64()),
        *((name, pa.string()) for name in ("what", "who", "told")),
    ]
)
_ADD = "INSERT INTO known_log BY NAME SELECT * FROM incoming"
_ALL = "SELECT * FROM known_log ORDER BY number"
_READER = EventJson(None)


@dataclass(frozen=True)
class Note:
    """One row."""

    number: int
    noted_at: datetime
    known: int
    """Which of the things said it is about: the number of the row in which it was said."""
    what: Literal["said", "undone"]
    who: str
    told: Mapping[str, Any] = field(default_factory=dict)
    """What was said; and `events`, each as JSON."""

    @property
    def events(self) -> list[Event]:
        """What it became, as the log was given it."""
        place = Place(source=BOARD, position=self.number, stored_at=self.noted_at)
        return [event for message in self.told["events"] for event in _READER.read(message.encode(), place).events]


class KnownLog:
    """The rows, kept in the database; safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database, self._lock = database, threading.RLock()
        rows = database.cursor().sql(_ALL).to_arrow_table().to_pylist()
        self._notes = [
            Note(**row | {"noted_at": aware(row["noted_at"]), "told": json.loads(row["told"])}) for row in rows
        ]

    @property
    def notes(self) -> Sequence[Note]:
        """All of them, the oldest first."""
        with self._lock:
            return tuple(self._notes)

    @property
    def next_number(self) -> int:
        """That of the next row."""
        with self._lock:
            return len(self._notes) + 1

    def keep(self, note: Note) -> None:
        """Add a row."""
        row = asdict(note) | {
            "noted_at": naive(note.noted_at), "told": json.dumps(dict(note.told), ensure_ascii=False, allow_nan=False),
        }  # fmt: skip
        with self._lock, self._database.transaction() as cursor:
            cursor.register("incoming", pa.Table.from_pylist([row], _SCHEMA))
            cursor.execute(_ADD)
            cursor.unregister("incoming")
            self._notes.append(note)


def as_told(events: Iterable[Event]) -> list[str]:
    """Events as a row holds them; `Note.events` gives them back."""
    return [written(event, pseudonyms=True).decode() for event in events]
