"""The consumer that is killed: a topic into journal and log in a process of its own, and its two wrong variants.

`split` keeps the position in a file of its own, written after the data: a kill between the two makes a message come
twice. `early` writes it before the data: a kill between the two loses one.
"""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from ingest.bookkeeping import Position
from ingest.clock import WallClock
from ingest.database import SCHEMA_SQL, Database
from ingest.event_json import EventJson
from ingest.formats import Format
from ingest.indexer import Indexer, JournalledLog
from ingest.journal import Journal
from ingest.pipeline import Message, Pipeline, Receipt
from ingest.pseudonyms import Pseudonyms
from ingest.sources.kafka import KafkaSource, State, Topic
from ingest.sources.kafka_link import Link

Variant = Literal["right", "split", "early"]
FORM = EventJson(Pseudonyms(b"s" * 32, "north"))
BETWEEN_S = 0.02
"""What a wrong variant does between its two writes takes so long."""
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.kafka_child"])


@dataclass(frozen=True)
class Task:
    """What a consumer reads, and where it keeps it."""

    folder: Path
    broker: str
    topic: str
    variant: Variant = "right"


def start(task: Task) -> tuple[multiprocessing.process.BaseProcess, Connection]:
    """A consumer that says "ready" once it reads."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=consume, args=(task, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def consume(task: Task, parent: Connection) -> None:
    """Until it is killed, or its parent has gone. One that does not get ready says where it stands."""
    faulthandler.dump_traceback_later(45)
    with Database.open(task.folder / "edtwin.duckdb", schemas=(SCHEMA_SQL,)) as database:
        log = JournalledLog(database, WallClock())
        with Journal.open(task.folder / "journal", log.instants, reserve_bytes=0) as journal:
            indexer = Indexer(journal, log, lambda record: FORM if record.format == FORM.name else None)
            log.follow(journal, indexer)
            pipeline = Pipeline(journal)
            indexer.start()
            pipeline.start()
            keeper = VARIANTS[task.variant](pipeline, journal, task.folder)
            stop = threading.Event()
            source = KafkaSource(Link(brokers=(task.broker,)), Topic(task.topic, FORM), keeper, WallClock(), stop)
            source.start()
            while source.status.state is State.STARTING:
                threading.Event().wait(0.005)
            faulthandler.cancel_dump_traceback_later()
            parent.send("ready" if source.status.state is State.LIVE else source.status.sentence)
            while not parent.poll(0.2):
                pass
            stop.set()
            source.join(10)
            pipeline.stop()
            indexer.stop()


class Right:
    """The position is the journal's: one write for both."""

    def __init__(self, pipeline: Pipeline, journal: Journal, folder: Path) -> None:
        self.pipeline, self.journal, self.file = pipeline, journal, folder / "positions.json"

    def receive_many(self, messages: Sequence[Message], form: Format, source: str) -> list[Receipt]:
        return self.pipeline.receive_many(messages, form, source)

    def positions(self) -> dict[str, Position]:
        return self.journal.positions()


class Split(Right):
    """The data, then the position."""

    def receive_many(self, messages: Sequence[Message], form: Format, source: str) -> list[Receipt]:
        receipts = self._data(messages, form)
        threading.Event().wait(BETWEEN_S)
        self._note(source, messages[-1])
        return receipts

    def positions(self) -> dict[str, Position]:
        noted = json.loads(self.file.read_text()) if self.file.exists() else {}
        return {source: Position(source=source, offset=o, detail=d) for source, (o, d) in noted.items()}

    def _data(self, messages: Sequence[Message], form: Format) -> list[Receipt]:
        return self.pipeline.receive_many([Message(m.content) for m in messages], form, "data alone")

    def _note(self, source: str, last: Message) -> None:
        noted = {s: (p.offset, p.detail) for s, p in self.positions().items()} | {source: (last.offset, last.detail)}
        draft = self.file.with_suffix(".new")
        draft.write_text(json.dumps(noted))
        os.replace(draft, self.file)


class Early(Split):
    """The position, then the data."""

    def receive_many(self, messages: Sequence[Message], form: Format, source: str) -> list[Receipt]:
        self._note(source, messages[-1])
        threading.Event().wait(BETWEEN_S)
        return self._data(messages, form)


VARIANTS: dict[Variant, type[Right]] = {"right": Right, "split": Split, "early": Early}
