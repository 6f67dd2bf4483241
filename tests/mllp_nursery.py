"""A process that starts houses with an MLLP port, one after the other, to be killed: `python -m tests.mllp_nursery`.

Arguments: the folder, the port (0: any), mutants. For each line on standard input it forks a house on the same folder
and prints "PID PORT" when that listens, "ended" when it is no more. Everything is imported once: a start is quick.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb

from dashboard.keeper import EXIT_STATUS, Keeper
from dashboard.readiness import Readiness
from ingest import bookkeeping, failpoints
from ingest.backup import DATABASE, JOURNAL
from ingest.clock import WallClock
from ingest.database import Database, losses_heard
from ingest.indexer import Indexer, JournalledLog
from ingest.journal import Journal
from ingest.messages import Journalled
from ingest.pipeline import Answer, Pipeline, Receipt
from ingest.sources.mllp import Limits, Link, MllpServer
from tests.fake_format import FakeHl7
from tests.journals import OF_AN_ERASURE, OF_MENDING
from tests.logs import AT, TICK

ENDED = "ended"
"""What is printed when a house is no more."""
DEATHS = "deaths"
"""The file in which houses note at which failpoint they die."""
_ALWAYS = ExitStack()
DIES_AFTER = 40
"""Records after which a mutant that kills itself does so."""


def answer_before_the_disk() -> None:
    """Senders are told what is only in memory."""
    written = Pipeline._write

    def early(self: Pipeline, group: Any) -> None:
        for waiting in group:
            waiting.receipts.set_result([Receipt(answer=Answer.ACCEPTED, number=0) for _ in waiting.entries])
        threading.Event().wait(0.05)
        written(self, [type(waiting)(waiting.entries, type(waiting.receipts)()) for waiting in group])

    Pipeline._write = early  # type: ignore[method-assign]


def offset_in_a_second_transaction() -> None:
    """What messages told is committed, and the process dies before it commits how far the journal is indexed."""
    stored = bookkeeping.store_messages

    def alone(cursor: Any, messages: Any, *others: Any) -> None:
        stored(cursor, messages, *others)
        cursor.commit()
        _die_at(messages.journalled.number)
        cursor.begin()

    bookkeeping.store_messages = alone  # type: ignore[assignment]


def offset_before_the_data() -> None:
    """How far the journal is indexed is committed, and the process dies before it commits what the messages told."""
    checked, indexed = bookkeeping.check_forward, bookkeeping.store_indexed

    def early(cursor: Any, position: Any) -> None:
        checked(cursor, position)
        indexed(cursor, Journalled(number=position.offset, stored_at=AT + position.offset * TICK))
        cursor.commit()
        _die_at(position.offset)
        cursor.begin()

    bookkeeping.check_forward = early
    bookkeeping.store_indexed = lambda *given: None


def at_every_failpoint() -> None:
    """No mutant: each house dies at the failpoint after the one at which the house before it died, and says so."""
    told = Path(sys.argv[1]) / DEATHS
    deaths = len(told.read_text().splitlines()) if told.exists() else 0
    names, reached = sorted(name for name in failpoints.NAMES if not name.startswith((OF_MENDING, *OF_AN_ERASURE))), [0]

    def watch(name: str) -> None:
        if name != names[deaths % len(names)]:
            return
        reached[0] += 1
        if reached[0] > deaths // len(names):  # the first time, and later in later rounds
            with told.open("a") as file:
                file.write(f"{name}\n")
            os.kill(os.getpid(), signal.SIGKILL)

    _ALWAYS.enter_context(failpoints.watched(watch))


def small_disk() -> None:
    """No mutant: a house on a disk that fills up. It says what was refused and how it stands, on another disk; whoever
    keeps its database ends it where that is lost, as `edtwin up` is ended."""
    faulthandler.register(signal.SIGUSR1)  # where it stands, for whoever looks at one that is stuck
    told, wal = Path(os.environ["EDTWIN_TEST_TOLD"]), os.environ["EDTWIN_TEST_WAL"]
    connect, starts, tells, refuses = duckdb.connect, Indexer.start, Indexer._tell, Pipeline._tell

    def note(what: str) -> None:
        with (told / "bitten").open("a") as file:
            file.write(f"{what}\n")

    def connected(path: Any, read_only: bool = False, *, config: Any = None) -> Any:
        return connect(path, read_only, {**(config or {}), "wal_autocheckpoint": wal})

    def told_of_the_index(self: Indexer, error: Exception) -> None:
        note(f"index:{type(error.__cause__ or error).__name__}")
        tells(self, error)

    def told_of_the_journal(self: Pipeline, trouble: str) -> None:
        if trouble:
            note("journal")
        refuses(self, trouble)

    def started(self: Indexer) -> None:
        starts(self)
        keeper = Keeper(Path(sys.argv[1]), 1 << 20, end=lambda: os._exit(EXIT_STATUS))
        readiness = Readiness(self._log, lambda: True, WallClock())
        _ALWAYS.enter_context(losses_heard(lambda _: note("lost")))
        _ALWAYS.enter_context(losses_heard(keeper.hear))
        threading.Thread(target=keeper.keep, args=(readiness, threading.Event()), daemon=True).start()
        threading.Thread(target=stand, args=(self,), daemon=True).start()

    def stand(indexer: Indexer) -> None:
        while True:
            fresh = told / f"stands.{os.getpid()}"
            fresh.write_text(json.dumps({"fault": indexer.fault, "lag": indexer.lag, "number": indexer.number}))
            fresh.replace(told / "stands")
            threading.Event().wait(0.05)

    duckdb.connect = connected  # type: ignore[assignment]
    Indexer.start = started  # type: ignore[method-assign]
    Indexer._tell, Pipeline._tell = told_of_the_index, told_of_the_journal  # type: ignore[method-assign]


def _die_at(number: int) -> None:
    marker = Path(sys.argv[1]) / "died"
    if number >= DIES_AFTER and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def house(folder: Path, port: int) -> None:
    """Take messages until killed; ends when the nursery does."""
    with Database.open(folder / DATABASE, threads=1) as database:
        log = JournalledLog(database, WallClock())
        with Journal.open(folder / JOURNAL, log.instants, reserve_bytes=0, segment_bytes=20_000) as journal:
            form = FakeHl7()
            indexer = Indexer(journal, log, lambda record: form)
            indexer.catch_up()
            indexer.start()
            pipeline = Pipeline(journal)
            pipeline.start()
            server = MllpServer(pipeline, form, WallClock(), Link(port=port), limits=Limits(per_peer=20))
            server.start()
            print(f"{os.getpid()} {server.port}", flush=True)
            signal.pause()


def main(folder: str, port: str, *mutants: str) -> None:
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            for mutant in mutants:
                globals()[mutant]()
            house(Path(folder), int(port))
        os.waitpid(child, 0)
        print(ENDED, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
