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
from ingest.clock import WallClock, stopwatch
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
READY, STEP_S = "ready", 60.0
"""What a consumer says that reads; how long it may take from one step to the next."""
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
    """A consumer that says each step that it has made, and "ready" once it reads."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=consume, args=(task, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def until_ready(said: Connection) -> None:
    """Raises AssertionError for a consumer that dies, is stopped, or makes no step for a minute.

    How long all of it takes is not asked: on a machine with other work even the imports may take a minute.
    """
    step, quiet_since = "", stopwatch()
    while step != READY:
        if said.poll(0.2):
            try:
                step, quiet_since = said.recv(), stopwatch()
            except EOFError:
                raise AssertionError(f"the consumer has died after {step!r}") from None
        assert not step.startswith(State.STOPPED.value), step
        assert stopwatch() - quiet_since < STEP_S, f"the consumer makes no step after {step!r}"


def consume(task: Task, parent: Connection) -> None:
    """Until it is killed, or its parent has gone. One that makes no step says where each thread stands."""
    step = _Steps(parent)
    step("begun")
    with Database.open(task.folder / "edtwin.duckdb", schemas=(SCHEMA_SQL,)) as database:
        log = JournalledLog(database, WallClock())
        with Journal.open(task.folder / "journal", log.instants, reserve_bytes=0) as journal:
            indexer = Indexer(journal, log, lambda record: FORM if record.format == FORM.name else None)
            log.follow(journal, indexer)
            step("opened")
            pipeline = Pipeline(journal)
            indexer.start()
            pipeline.start()
            keeper = VARIANTS[task.variant](pipeline, journal, task.folder)
            stop = threading.Event()
            source = KafkaSource(Link(brokers=(task.broker,)), Topic(task.topic, FORM), keeper, WallClock(), stop)
            source.start()
            told = source.status
            while told.state is not State.LIVE:
                if source.status != told:
                    told = source.status
                    step(f"{told.state.value} {told.sentence}")
                threading.Event().wait(0.005)
            step(READY)
            while not parent.poll(0.2):
                pass
            stop.set()
            source.join(10)
            pipeline.stop()
            indexer.stop()


class _Steps:
    """Tells the parent each step; where none follows within 45 s, the stacks of all threads are printed."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent

    def __call__(self, step: str) -> None:
        faulthandler.cancel_dump_traceback_later()
        if step != READY:
            faulthandler.dump_traceback_later(STEP_S * 0.75)
        self._parent.send(step)


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
