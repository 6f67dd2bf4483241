"""A journal with its pipeline, for the tests of sources: messages to send, and what was kept of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.bookkeeping import Position
from ingest.clock import WallClock
from ingest.event_json import written
from ingest.events import EventId, Triaged, VisitId
from ingest.formats import Format
from ingest.instants import Instants
from ingest.journal import Journal
from ingest.journal_frames import Record
from ingest.pipeline import Answer, Message, Pipeline, Receipt

AT = datetime(2026, 3, 29, 12, tzinfo=UTC)


def sent_messages(count: int, *, pseudonyms: bool = True) -> list[bytes]:
    """Messages each of its own event, the same every time."""
    return [sent_message(n, pseudonyms=pseudonyms) for n in range(count)]


def sent_message(n: int, *, pseudonyms: bool = True) -> bytes:
    """The message of the nth event."""
    at = AT + timedelta(seconds=n)
    triaged = Triaged(event_id=EventId(f"e/{n}"), occurred_at=at, visit=VisitId(f"v{n}"), acuity="3")
    return written(triaged, pseudonyms=pseudonyms)


@dataclass
class Keeping:
    """The pipeline and its journal, as a source sees them; `held` makes the journal refuse."""

    pipeline: Pipeline
    journal: Journal
    held: threading.Event = field(default_factory=threading.Event)
    refused: int = 0

    def receive_many(self, messages: Sequence[Message], form: Format, source: str) -> list[Receipt]:
        if self.held.is_set():
            self.refused += 1
            return [Receipt(answer=Answer.UNAVAILABLE) for _ in messages]
        return self.pipeline.receive_many(messages, form, source)

    def positions(self) -> dict[str, Position]:
        return self.journal.positions()

    def records(self) -> list[Record]:
        return all_records(self.journal)


def all_records(journal: Journal) -> list[Record]:
    """The whole journal."""
    tail, found = journal.tail(), list[Record]()
    while records := tail.read():
        found += records
    tail.close()
    return found


@contextmanager
def keeping(folder: Path) -> Iterator[Keeping]:
    """A journal in a folder, open for as long as the block runs."""
    with Journal.open(folder / "journal", Instants(WallClock()), reserve_bytes=0) as journal:
        pipeline = Pipeline(journal)
        pipeline.start()
        try:
            yield Keeping(pipeline, journal)
        finally:
            pipeline.stop()
