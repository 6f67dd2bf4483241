"""A recorded period on a topic: a visit on one partition, now as its time, and read again as the same events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from ingest.clock import SimulatedClock, WallClock
from ingest.errors import LinkError
from ingest.event_json import EventJson, written
from ingest.events import Arrived, Cancelled, Departed, Event, EventId, Moved, UnitId, VisitEvent, VisitId
from ingest.formats import Place
from ingest.sources.kafka_link import Link
from ingest.sources.kafka_out import EventsOut, events_out, send_recording
from ingest.sources.replay import Recording
from tests.kafka_broker import LEAKY, Broker
from tests.test_ingest_sources_kafka import until

pytestmark = LEAKY

OLD = datetime(2020, 3, 1, tzinfo=UTC)
LATE = SimulatedClock(datetime(2100, 1, 1, tzinfo=UTC))
SHORT = {"retention.ms": "3600000"}


def history() -> list[Event]:
    """Twenty visits of years ago; the first arrival is cancelled at the end."""
    told: list[Event] = []
    for n in range(20):
        at, visit = OLD + timedelta(minutes=n), VisitId(f"v{n}")
        told.append(Arrived(event_id=EventId(f"{visit}/a"), occurred_at=at, known_at=at, visit=visit))
        told.append(Departed(event_id=EventId(f"{visit}/d"), occurred_at=at, known_at=at, visit=visit, to="home"))
    at = OLD + timedelta(hours=1)
    told.append(Cancelled(event_id=EventId("v0/c"), occurred_at=at, known_at=at, target=EventId("v0/a")))
    return told


def records_of(broker: Broker, topic: str) -> list[ConsumerRecord]:
    consumer = KafkaConsumer(bootstrap_servers=broker.address, auto_offset_reset="earliest", group_id=None)
    try:
        consumer.assign([TopicPartition(topic, p) for p in range(3)])
        ends = consumer.end_offsets(list(consumer.assignment()))
        found: list[ConsumerRecord] = []
        while any(consumer.position(at) < end for at, end in ends.items()):
            found += [record for records in consumer.poll(500).values() for record in records]
        return found
    finally:
        consumer.close()


@contextmanager
def out_to(broker: Broker, topic: str) -> Iterator[EventsOut]:
    with events_out(Link(brokers=(broker.address,)), topic) as out:
        yield out


def test_a_replay_is_read_again_as_the_same_events_in_each_visits_order(broker: Broker) -> None:
    topic, told = broker.topic(partitions=3, configs=SHORT), history()
    with out_to(broker, topic) as out:
        assert send_recording(Recording(told), LATE, out) == {"sent": len(told), "without_message": 0}
    form = EventJson(None)
    by_partition: defaultdict[int, list[Event]] = defaultdict(list)
    for record in records_of(broker, topic):
        place = Place(source="k", position=record.offset, stored_at=WallClock().now())
        by_partition[record.partition] += form.read(record.value, place).events
    again = [replace(e, source="", position=0, known_at=None) for es in by_partition.values() for e in es]
    assert sorted(again, key=lambda e: e.event_id) == [
        replace(e, known_at=None) for e in sorted(told, key=lambda e: e.event_id)
    ]
    assert len(by_partition) > 1
    for events in by_partition.values():
        kinds = [e.kind for e in events if isinstance(e, VisitEvent) and e.visit == "v0"]
        assert kinds in ([], ["Arrived", "Departed"])
        ids: list[str] = [e.event_id for e in events]
        assert "v0/c" not in ids or "v0/a" in ids[: ids.index("v0/c")], "a cancellation follows what it strikes"


def test_retention_goes_by_now_and_not_by_the_years_that_are_replayed(broker: Broker) -> None:
    """With the mutant whose records bear the events' own times: the broker takes them for old and drops them."""
    topics = broker.topic(partitions=3, configs=SHORT), broker.topic(partitions=3, configs=SHORT)
    for topic, of in zip(topics, (EventsOut, _Historic), strict=True):
        with Link(brokers=(broker.address,)).producer() as producer:
            of(producer, topic).send(history())
    until(lambda: not records_of(broker, topics[1]), 30)
    now_ms = WallClock().now().timestamp() * 1000
    kept = records_of(broker, topics[0])
    assert len(kept) == len(history())
    assert all(abs(record.timestamp - now_ms) < 60_000 for record in kept)


def test_an_event_that_no_receiver_would_take_is_counted_and_the_others_are_sent(broker: Broker) -> None:
    topic, told = broker.topic(partitions=3), history()[:3]
    blank = Moved(event_id=EventId("b"), occurred_at=OLD, known_at=OLD, visit=VisitId("v0"), unit=UnitId("Ward A"))
    with out_to(broker, topic) as out:
        assert send_recording(Recording([told[0], blank, *told[1:]]), LATE, out) == {"sent": 3, "without_message": 1}
    assert len(records_of(broker, topic)) == 3


class _Historic(EventsOut):
    def _sent(self, event: Event) -> Any:
        value = written(event, pseudonyms=True)
        at_ms = int(event.occurred_at.timestamp() * 1000)
        return self._producer.send(self._topic, value, timestamp_ms=at_ms)


def test_what_cannot_be_reached_is_said_in_a_sentence(broker: Broker) -> None:
    with pytest.raises(LinkError, match=r"Kafka is not reached at 127\.0\.0\.1:1: ConnectionRefused"):
        events_out(Link(brokers=("127.0.0.1:1",)), "t").__enter__()
    with pytest.raises(LinkError, match="the topic nowhere does not exist"):
        events_out(Link(brokers=(broker.address,)), "nowhere").__enter__()
