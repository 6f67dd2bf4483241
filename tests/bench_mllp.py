"""How fast messages are taken by MLLP and found in the log: `python -m tests.bench_mllp [SECONDS OF THE BURST]`.

A house in a process of its own, on a disk; senders in this one. The messages are of the fake format: what a format of
the world costs to split and to read comes on top.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np

from ingest.clock import WallClock, stopwatch
from ingest.database import Database
from ingest.indexer import Indexer, JournalledLog
from ingest.journal import Journal
from ingest.pipeline import Message, Pipeline
from ingest.sources.mllp import Link, MllpServer
from ingest.sources.mllp_client import MllpClient
from tests.campaigns import Nursery, found
from tests.fake_format import FakeHl7, hl7
from tests.processes import resident_mb

CONNECTIONS = 8


@dataclass
class Timed:
    """Senders on some connections, each at a pace or as fast as it is answered; seconds to each answer."""

    port: int
    per_s: float | None
    seconds: float
    answers_s: list[float] = field(default_factory=list)
    visits: list[str] = field(default_factory=list)

    def run(self, first: int = 0) -> float:
        """Messages a second that were taken."""
        began = stopwatch()
        threads = [threading.Thread(target=self._send, args=(first + n,)) for n in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(self.answers_s) / (stopwatch() - began)

    def _send(self, number: int) -> None:
        clock, began, sent = WallClock(), stopwatch(), 0
        start = clock.now()
        with MllpClient("127.0.0.1", self.port) as client:
            while stopwatch() - began < self.seconds:
                if self.per_s is not None:
                    clock.sleep_until(start + timedelta(seconds=sent * CONNECTIONS / self.per_s))
                visit = f"s{number}-{sent}"
                at = stopwatch()
                assert client.send(hl7(number * 10_000_000 + sent, visit=visit, minute=sent % 1000)) == "AA"
                self.answers_s.append(stopwatch() - at)
                self.visits.append(visit)
                sent += 1

    def ms(self, percent: float) -> float:
        """A percentile of the time to an answer."""
        return float(np.percentile(self.answers_s, percent)) * 1000


@dataclass(frozen=True)
class Burst:
    """What a burst came to."""

    per_s: float
    answer_p99_ms: float
    grown_mb: float
    lost: int
    doubled: int
    messages: int


def burst(folder: Path, seconds: float, per_s: float = 1000.0) -> Burst:
    """Messages at a pace over eight connections; what was lost of them, and how much the process grew."""
    with Nursery(folder) as nursery:
        nursery.start()
        Timed(nursery.port, 50.0, 2.0).run(first=100)
        before_mb, peak_mb, ended = resident_mb(nursery.pid), [0.0], threading.Event()

        def watch() -> None:
            while not ended.wait(0.2):
                peak_mb.append(resident_mb(nursery.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        timed = Timed(nursery.port, per_s, seconds)
        reached = timed.run()
        ended.set()
        watcher.join()
    left = found(folder, timed.visits, 1)
    return Burst(reached, timed.ms(99), max(peak_mb) - before_mb, left.lost, left.doubled, len(timed.visits))


@contextmanager
def served(folder: Path) -> Iterator[tuple[JournalledLog, MllpServer]]:
    """A house in this process."""
    form = FakeHl7()
    with Database.open(folder / "log.duckdb") as database:
        log = JournalledLog(database, WallClock())
        with Journal.open(folder / "journal", log.instants, reserve_bytes=0) as journal:
            indexer, pipeline = Indexer(journal, log, lambda record: form), Pipeline(journal)
            server = MllpServer(pipeline, form, WallClock(), Link(port=0))
            for part in (indexer, pipeline, server):
                part.start()
            try:
                yield log, server
            finally:
                server.stop()
                pipeline.stop()
                indexer.stop()
                indexer.close()


def seen_after_ms(folder: Path, messages: int, per_s: float = 10.0) -> list[float]:
    """From when a message is sent to when a view of the log holds it, for messages at a pace."""
    times, clock = [], WallClock()
    with served(folder) as (log, server), MllpClient("127.0.0.1", server.port) as client:
        start = clock.now()
        for n in range(messages):
            clock.sleep_until(start + timedelta(seconds=n / per_s))
            began = stopwatch()
            client.send(hl7(n, minute=n % 1000))
            while log.length() <= n:
                log.read_table(known_at=clock.now(), since=clock.now())
            times.append((stopwatch() - began) * 1000)
    return times


def rebuilt_per_s(folder: Path, messages: int) -> float:
    """Messages a second from a journal into an empty log."""
    form = FakeHl7()
    with Database.open(None) as first:
        log = JournalledLog(first, WallClock())
        with Journal.open(folder, log.instants, reserve_bytes=0) as journal:
            pipeline = Pipeline(journal)
            pipeline.start()
            for n in range(0, messages, 500):
                some = [Message(hl7(i, visit=f"v{i // 5}", minute=i % 40_000)) for i in range(n, n + 500)]
                pipeline.receive_many(some, form, "mllp")
            pipeline.stop()
    with Database.open(folder / "log.duckdb") as database:
        log = JournalledLog(database, WallClock())
        with Journal.open(folder, log.instants, reserve_bytes=0) as journal:
            indexer = Indexer(journal, log, lambda record: form)
            began = stopwatch()
            count = indexer.catch_up()
            indexer.close()
            return count / (stopwatch() - began)


def main(seconds: float) -> None:
    def told(what: str, value: str) -> None:
        print(f"| {what} | {value} |", flush=True)

    with _folder() as folder, Nursery(folder) as nursery:
        nursery.start()
        timed = Timed(nursery.port, None, 10.0)
        told("taken over 8 connections, messages a second", f"{timed.run():,.0f}")
        paced = Timed(nursery.port, 50.0, 10.0)
        paced.run(first=50)
        told("answer at 50 a second: median, 99 in 100", f"{paced.ms(50):.1f} ms, {paced.ms(99):.0f} ms")
    with _folder() as folder:
        times = seen_after_ms(folder, 200)
        told("sent to seen in a view, at 10 a second: median, 99 in 100",
             f"{np.percentile(times, 50):.0f} ms, {np.percentile(times, 99):.0f} ms")  # fmt: skip
    with _folder() as folder:
        told("rebuild, messages a second", f"{rebuilt_per_s(folder, 100_000):,.0f}")
    with _folder() as folder:
        came = burst(folder, seconds)
        told(
            f"burst of {seconds:.0f} s: messages a second, answer 99 in 100",
            f"{came.per_s:,.0f}, {came.answer_p99_ms:.0f} ms",
        )
        told("of which lost, doubled; growth of the process", f"{came.lost}, {came.doubled}; {came.grown_mb:.0f} MB")


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
