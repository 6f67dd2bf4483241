"""Journals, and houses that hang on one, for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingest import indexer
from ingest.clock import Clock, SimulatedClock
from ingest.database import Database
from ingest.formats import Format
from ingest.indexer import Indexer, JournalledLog
from ingest.instants import Instants
from ingest.journal import Entry, Journal
from ingest.journal_frames import Again
from ingest.log import EventLog, Extract, Intake, Position, Rejected
from ingest.messages import NONE_LATER, read_messages
from ingest.pipeline import Answer, Pipeline, Receipt
from tests.fake_format import FakeFormat, message
from tests.logs import AT, HOUR, departed
from twin.state import State, fold

OF_AN_ERASURE = ("rewriting", "erasing", "retaining")
"""What the failpoints are of that only an erasure comes to."""
OF_MENDING = "mending"
"""And of those that only the opening of a damaged database comes to (`test_dashboard_mending.py`)."""


def entry(text: bytes = b"hello", source: str = "adt", offset: int | None = None) -> Entry:
    """A record to be."""
    return Entry(format="fake", source=source, payload=text, offset=offset)


def line(number: int, kind: str = "arrive", visit: str | None = None, minute: int = 0, unit: str = "er") -> Entry:
    """A message of the fake format, as it is journalled."""
    return entry(message(number, kind, visit, minute, unit))


def opened(folder: Path, clock: Clock | None = None, **options: object) -> Journal:
    """A journal, without the reserve that a small disk would not have."""
    return Journal.open(folder, Instants(clock or SimulatedClock(AT)), **{"reserve_bytes": 0, **options})  # type: ignore[arg-type]


@dataclass
class SmallHouse:
    """A log that hangs on a journal."""

    log: JournalledLog
    journal: Journal
    indexer: Indexer


@contextmanager
def house(
    folder: Path,
    clock: Clock | None = None,
    *,
    database: Path | None = None,
    form: Format | None = None,
    later: dict[int, Again] | None = None,
) -> Iterator[SmallHouse]:
    """A log in memory, or in a file, and the journal of the folder."""
    clock, reads = clock or SimulatedClock(AT), form or FakeFormat()
    with Database.open(database, threads=1) as held:
        log = JournalledLog(held, clock)
        with Journal.open(folder, log.instants, reserve_bytes=0) as journal:
            indexer = Indexer(journal, log, lambda record: reads, NONE_LATER if later is None else later)
            log.follow(journal, indexer)
            try:
                yield SmallHouse(log, journal, indexer)
            finally:
                indexer.close()


def taken_in(h: SmallHouse, extracted_at: datetime, *visits: str, offset: int) -> None:
    """An extract that holds the exits of some visits."""
    extract = Extract(source="er", digest=f"{offset}", extracted_at=extracted_at, first_at=AT - HOUR)
    rejected = [Rejected(position=offset, place=f"f.csv:row {offset}", reason="malformed")]
    events = [departed(v, position=n, source="er") for n, v in enumerate(visits)]
    h.log.append(
        events, Position(source="er", offset=offset, detail="d"), extract=extract, complete_visits=True,
        intake=Intake(read=len(visits) + 2, ignored=1, rejected=rejected),
    )  # fmt: skip
    h.log.finish(extract)


Views = dict[datetime, tuple[pa.Table, str]]


def views(log: EventLog, instants: Sequence[datetime]) -> Views:
    """Every column of every row, and the hash of the state, as known at each instant."""
    out = {}
    for at in instants:
        table = log.read_table(known_at=at)
        out[at] = table, fold(State(), log.read_versions(None, at)).hash
    return out


def let_events_be_known(monkeypatch: pytest.MonkeyPatch, when: Callable[[Any], datetime]) -> None:
    """A mutant of the indexer: what messages tell is known from another instant on than that of their journalling."""
    read = read_messages

    def otherwise(*given: Any) -> Any:
        told = read(*given)
        column = told.table.schema.get_field_index("known_at")
        field = told.table.schema.field(column)
        instants = pa.array([when(told)] * told.table.num_rows, field.type)
        object.__setattr__(told, "table", told.table.set_column(column, field, instants))
        return told

    monkeypatch.setattr(indexer, "read_messages", otherwise)


def tell_before_the_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant of the pipeline: receipts come before the messages are on the disk."""
    written = Pipeline._write

    def early(self: Pipeline, group: list) -> None:  # type: ignore[type-arg]
        for waiting in group:
            waiting.receipts.set_result([Receipt(answer=Answer.ACCEPTED, number=0) for _ in waiting.entries])
        written(self, group)

    monkeypatch.setattr(Pipeline, "_write", early)
