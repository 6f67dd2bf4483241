"""The campaign: a consumer killed with -9 again and again while messages come, and the broker killed in between.

    found = campaign(broker, folder, kills=20, variant="right")
    found.lost, found.double       # of the messages that were sent

A kill is counted from "ready", so that it meets a consumer that reads. At the end the last one reads to the end.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import numpy as np
from kafka import KafkaProducer

from ingest.clock import SimulatedClock, stopwatch
from ingest.database import SCHEMA_SQL, Database
from ingest.instants import Instants
from ingest.journal import Journal
from ingest.log import EventLog
from tests.kafka_broker import Broker
from tests.kafka_child import FORM, Task, Variant, start, until_ready
from tests.kafka_journals import all_records, sent_message

LATER = datetime(2100, 1, 1, tzinfo=UTC)
A_TURN = 10
"""Messages sent at once, and how many seconds apart."""
TURN_S = 0.01
SENT_S = 600.0
"""How long Kafka may take to acknowledge, while it is killed and started on a machine that is busy otherwise."""


@dataclass(frozen=True)
class Found:
    """What a campaign found in the journal and in the log, of so many messages sent."""

    sent: int
    lost: int
    double: int
    in_log: int
    met: int
    """Kills that met a consumer in the middle of what had come."""


def campaign(
    broker: Broker, folder: Path, *, kills: int, seed: int, variant: Variant = "right", broker_kills: int = 0
) -> Found:
    """Kill and start again; what became of the messages."""
    topic = broker.topic(partitions=2)
    task = Task(folder, broker.address, topic, variant)
    luck = np.random.default_rng(seed)
    restarts = {(n + 1) * kills // (broker_kills + 1) for n in range(broker_kills)}
    met = 0
    with sending(broker, topic) as sent:
        for kill in range(kills):
            if kill in restarts:
                broker.kill()
                broker.start()
            met += _killed(task, float(luck.uniform(0.05, 0.5)), sent)
    _drained(task, len(sent))
    return _found(folder, sent, met)


@contextmanager
def sending(broker: Broker, topic: str) -> Iterator[list[bytes]]:
    """Messages sent while the block runs; the list grows with what Kafka has acknowledged, and is whole at the end."""
    stop, sent = threading.Event(), list[bytes]()
    producer = KafkaProducer(bootstrap_servers=broker.address, acks="all", delivery_timeout_ms=int(SENT_S * 1000))

    def send() -> None:
        for n in count(0, A_TURN):
            turn = [sent_message(n + k) for k in range(A_TURN)]
            for acknowledged in [producer.send(topic, m, partition=n // A_TURN % 2) for m in turn]:
                acknowledged.get(SENT_S)
            sent.extend(turn)
            if stop.wait(TURN_S):
                return

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join(SENT_S)
        producer.close()
    assert not thread.is_alive()


def _killed(task: Task, after_s: float, sent: Sequence[bytes]) -> bool:
    """A consumer killed so long after it was ready and more had come to it; True where it had."""
    process, pipe = start(task)
    with pipe:
        until_ready(pipe)
        before, began_s = len(sent), stopwatch()
        while len(sent) == before and stopwatch() - began_s < SENT_S:
            threading.Event().wait(0.005)
        threading.Event().wait(after_s)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(10)
        return len(sent) > before


def _drained(task: Task, count: int) -> None:
    """A last consumer that is let live until nothing more comes."""
    process, pipe = start(task)
    with pipe:
        until_ready(pipe)
        size, quiet_since = -1, stopwatch()
        while stopwatch() - quiet_since < 1.0:
            now = sum(file.stat().st_size for file in (task.folder / "journal").iterdir())
            if now != size:
                size, quiet_since = now, stopwatch()
            threading.Event().wait(0.05)
        pipe.send("end")
        process.join(60)
        assert process.exitcode == 0


def _found(folder: Path, sent: Sequence[bytes], met: int) -> Found:
    with Journal.open(folder / "journal", Instants(SimulatedClock(LATER)), reserve_bytes=0) as journal:
        kept = Counter(record.payload for record in all_records(journal))
    with Database.open(folder / "edtwin.duckdb", schemas=(SCHEMA_SQL,)) as database:
        in_log = EventLog(database, SimulatedClock(LATER)).length()
    wanted = {FORM.kept(message).payload for message in sent}
    return Found(len(sent), len(wanted - set(kept)), sum(n - 1 for n in kept.values()), in_log, met)
