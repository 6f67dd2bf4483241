"""What the tests of the source would see: variants of it that jump silently, each caught in the act.

Each is a known mistake; what it journals is what `tests/test_ingest_sources_kafka.py` says must not be journalled.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from ingest.sources import kafka, kafka_places
from ingest.sources.kafka import KafkaSource, State
from ingest.sources.kafka_places import Places
from tests.kafka_broker import LEAKY, Broker
from tests.kafka_journals import keeping, sent_messages
from tests.test_ingest_sources_kafka import made_anew, offsets, read_all, reading, remove_before, send, until

pytestmark = LEAKY
Change = Callable[..., None]


@pytest.fixture
def reads_with(monkeypatch: pytest.MonkeyPatch) -> Change:
    """Other settings of the consumer."""

    def change(**settings: Any) -> None:
        monkeypatch.setattr(kafka, "READING", {**kafka.READING, **settings})

    return change


@pytest.mark.parametrize("reset", ["none", "earliest"])
def test_a_consumer_that_resets_by_itself_jumps_over_what_was_removed(
    broker: Broker, tmp_path: Path, reads_with: Change, monkeypatch: pytest.MonkeyPatch, reset: str
) -> None:
    """Removed between two polls of a session, where only the poll itself can tell."""
    reads_with(auto_offset_reset=reset)
    open_gate, polled = threading.Event(), KafkaSource._polled
    open_gate.set()
    monkeypatch.setattr(KafkaSource, "_polled", lambda *given: open_gate.wait(20) and polled(*given))
    topic, sent = broker.topic(), sent_messages(20)
    send(broker, topic, sent[:5])
    with keeping(tmp_path) as kept, reading(broker, kept, topic) as source:
        until(lambda: kept.journal.last == 5)
        open_gate.clear()
        threading.Event().wait(1.2)  # a poll that is under way comes back with nothing
        send(broker, topic, sent[5:])
        remove_before(broker, topic, 12)
        open_gate.set()
        until(lambda: source.status.state is State.STOPPED or kept.journal.last > 5)
        assert offsets(kept.records())[5:] == ([] if reset == "none" else list(range(12, 20)))


def test_a_consumer_of_what_is_uncommitted_sees_what_was_aborted(
    broker: Broker, tmp_path: Path, reads_with: Change
) -> None:
    reads_with(isolation_level="read_uncommitted")
    topic = broker.topic()
    producer = KafkaProducer(bootstrap_servers=broker.address, transactional_id=f"of {topic}")
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(topic, sent_messages(1)[0])
    producer.flush()
    producer.abort_transaction()
    producer.close()
    assert len(read_all(broker, tmp_path, topic, 1)) == 1


def test_a_source_that_does_not_ask_which_topic_it_was_reads_on_in_another(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KafkaSource, "_check_same", lambda *_: None)
    monkeypatch.setattr(Places, "_check_not_recreated", lambda *_: None)
    topic, sent = broker.topic(), sent_messages(40)
    send(broker, topic, sent[:10])
    with keeping(tmp_path) as kept, reading(broker, kept, topic):
        until(lambda: kept.journal.last == 10)
        made_anew(broker, topic)
        send(broker, topic, sent[10:])
        until(lambda: kept.journal.last > 10)


def test_a_source_that_does_not_look_at_its_last_record_reads_on_in_what_was_written_anew(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_places, "_is_another", lambda *_: False)
    topic, sent = broker.topic(), sent_messages(40)
    send(broker, topic, sent[:10])
    send(broker, topic, sent[10:20])
    read_all(broker, tmp_path, topic, 20)
    broker.kill()
    (segment,) = (broker.folder / "logs" / f"{topic}-0").glob("*.log")
    with segment.open("r+b") as file:
        file.truncate(segment.stat().st_size * 2 // 3)
    broker.start()
    send(broker, topic, sent[20:])
    assert len(read_all(broker, tmp_path, topic, 21)) > 20, "ten records of the new ones are never read"
