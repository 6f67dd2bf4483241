"""Journals, and houses that hang on one, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest.clock import Clock, SimulatedClock
from ingest.database import Database
from ingest.formats import Format
from ingest.indexer import Indexer, JournalledLog
from ingest.instants import Instants
from ingest.journal import Entry, Journal
from ingest.journal_frames import Again
from ingest.messages import NONE_LATER
from ingest.pipeline import Answer, Pipeline, Receipt
from tests.fake_format import FakeFormat, message
from tests.logs import AT


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


def tell_before_the_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant of the pipeline: receipts come before the messages are on the disk."""
    written = Pipeline._write

    def early(self: Pipeline, group: list) -> None:  # type: ignore[type-arg]
        for waiting in group:
            waiting.receipts.set_result([Receipt(answer=Answer.ACCEPTED, number=0) for _ in waiting.entries])
        written(self, group)

    monkeypatch.setattr(Pipeline, "_write", early)
