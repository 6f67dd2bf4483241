"""How fast a topic comes into the log: `python -m tests.bench_kafka [messages]`, against a broker of its own.

Everything is in one process, as in the house: reading, hashing, journal, log. The messages are there before it starts.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path

from kafka import KafkaProducer

from ingest.clock import WallClock, stopwatch
from ingest.database import SCHEMA_SQL, Database
from ingest.indexer import Indexer, JournalledLog
from ingest.journal import Journal
from ingest.pipeline import Pipeline
from ingest.sources.kafka import KafkaSource, Topic
from ingest.sources.kafka_link import Link
from tests.kafka_broker import Broker, missing, new_broker
from tests.kafka_child import FORM
from tests.kafka_journals import Keeping, sent_messages

WINDOW_S = 600.0


def from_topic_to_log(broker: Broker, folder: Path, count: int, *, hashed: bool = True) -> tuple[float, float]:
    """Seconds until so many messages of a topic are journalled, and until they are in the log."""
    topic = broker.topic(partitions=2)
    producer = KafkaProducer(bootstrap_servers=broker.address, linger_ms=20, batch_size=256 * 1024)
    for n, message in enumerate(sent_messages(count, pseudonyms=hashed)):
        producer.send(topic, message, partition=n % 2)
    producer.flush()
    producer.close()
    with Database.open(folder / "edtwin.duckdb", schemas=(SCHEMA_SQL,)) as database:
        log = JournalledLog(database, WallClock())
        with Journal.open(folder / "journal", log.instants, reserve_bytes=0) as journal:
            indexer = Indexer(journal, log, lambda record: FORM if record.format == FORM.name else None)
            log.follow(journal, indexer)
            return _timed(broker, topic, journal, indexer, log, count)


def _timed(
    broker: Broker, topic: str, journal: Journal, indexer: Indexer, log: JournalledLog, count: int
) -> tuple[float, float]:
    pipeline, stop = Pipeline(journal), threading.Event()
    pipeline.start()
    indexer.start()
    keeping = Keeping(pipeline, journal)
    source = KafkaSource(Link(brokers=(broker.address,)), Topic(topic, FORM), keeping, WallClock(), stop)
    began_s = stopwatch()
    source.start()
    while journal.last < count and stopwatch() - began_s < WINDOW_S:
        threading.Event().wait(0.01)
    journalled_s = stopwatch() - began_s
    while log.length() < count and stopwatch() - began_s < WINDOW_S:
        threading.Event().wait(0.05)
    indexed_s = stopwatch() - began_s
    stop.set()
    source.join(10)
    pipeline.stop()
    indexer.stop()
    assert log.length() == count
    return journalled_s, indexed_s


def main(count: int) -> None:
    """Measure and tell."""
    if why_not := missing():
        sys.exit(why_not)
    with tempfile.TemporaryDirectory() as folder:
        broker = new_broker(Path(folder) / "broker")
        try:
            for hashed, told in ((True, "pseudonyms already"), (False, "numbers to be hashed")):
                home = Path(folder) / told.split()[0]
                journalled_s, indexed_s = from_topic_to_log(broker, home, count, hashed=hashed)
                print(f"{told}: {count / journalled_s:.0f} events/s journalled, {count / indexed_s:.0f} in the log")
        finally:
            broker.kill()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
