"""Forecasts on a topic: as the command prints them, and never in the way of a cycle."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from kafka import KafkaConsumer, TopicPartition

from forecast import loop as module
from forecast.archive import SCHEMA_SQL as FORECAST_SQL
from forecast.archive import Archive
from forecast.ensemble import Run
from forecast.issue import as_json
from forecast.loop import Loop, Rhythm, Site
from forecast.pages import Published
from forecast.publication import Publisher
from forecast.values import Forecast
from ingest.clock import SimulatedClock, stopwatch
from ingest.database import Database
from ingest.errors import LinkError
from ingest.sources.kafka_link import Link
from tests.histories import NOON, Remembered, hospital, scenarios, whole_log
from tests.kafka_broker import LEAKY, Broker
from tests.test_forecast_issue import said
from tests.test_ingest_sources_kafka import until

pytestmark = LEAKY
NOWHERE = Link(brokers=("127.0.0.1:1",))
CLOCK = SimulatedClock(NOON)


@contextmanager
def publishing(link: Link, topic: str) -> Iterator[Publisher]:
    stop = threading.Event()
    publisher = Publisher(link, topic, "General", stop, CLOCK)
    publisher.start()
    try:
        yield publisher
    finally:
        stop.set()
        publisher.join(30)


def published(broker: Broker, topic: str, count: int) -> list[tuple[bytes, bytes]]:
    consumer = KafkaConsumer(bootstrap_servers=broker.address, auto_offset_reset="earliest", group_id=None)
    consumer.assign([TopicPartition(topic, 0)])
    found: list[tuple[bytes, bytes]] = []
    while len(found) < count:
        found += [(r.key, r.value) for records in consumer.poll(500).values() for r in records]
    consumer.close()
    return found


def test_what_is_published_is_what_the_command_prints(broker: Broker) -> None:
    topic, forecast = broker.topic(), said()
    with publishing(Link(brokers=(broker.address,)), topic) as publisher:
        publisher.offer(forecast)
        until(lambda: publisher.counts.published == 1)
    [(key, content)] = published(broker, topic, 1)
    assert (key, json.loads(content)) == (b"General", json.loads(json.dumps(as_json(forecast))))


def test_a_broker_that_is_away_is_counted_and_the_next_forecast_is_tried(broker: Broker) -> None:
    topic = broker.topic()
    broker.kill()
    with publishing(Link(brokers=(broker.address,)), topic) as publisher:
        publisher.offer(said())
        until(lambda: publisher.counts.failed == 1)
        assert publisher.counts == Published(topic, failed=1, last_error="ConnectionRefused")
        broker.start()
        publisher.offer(said())
        until(lambda: publisher.counts.published == 1, 30)
        assert publisher.counts == Published(topic, published=1, failed=1, last_at=NOON)


def test_a_topic_that_does_not_exist_is_counted_and_not_made(broker: Broker) -> None:
    topic = f"{broker.topic()}-nowhere"
    with publishing(Link(brokers=(broker.address,)), topic) as publisher:
        publisher.offer(said())
        until(lambda: publisher.counts.failed == 1)
        assert publisher.counts.last_error == f"the topic {topic} does not exist"
    with broker.admin() as admin:
        assert topic not in admin.list_topics()


def test_only_the_newest_waits() -> None:
    publisher = Publisher(NOWHERE, "t", "General", threading.Event(), CLOCK)
    for _ in range(3):
        publisher.offer(said())
    assert publisher.counts == Published("t", overtaken=2)


def cycle_of(told: object) -> Loop:
    """A loop after one turn, whose forecasts are told to something."""
    with Database.open(None, [FORECAST_SQL], threads=1) as database, ThreadPoolExecutor(1) as workers:
        site = Site(hospital(), tuple(scenarios("as_usual")), "fabricated")
        loop = Loop(
            whole_log(), Archive(database), site, workers, SimulatedClock(NOON), how=Run(members=2, horizon_min=60.0),
            rhythm=Rhythm(), told=told,  # type: ignore[arg-type]
        )  # fmt: skip
        loop.turn()
        return loop


def test_a_failed_publication_never_fails_or_delays_a_cycle(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the mutant that publishes within the cycle."""
    monkeypatch.setattr(module, "Memory", Remembered)
    with publishing(NOWHERE, "t") as publisher:
        loop = cycle_of(publisher.offer)
        assert (loop.counts.done, loop.counts.failed) == (1, 0)
        until(lambda: publisher.counts.failed == 1)

    def inline(_: Forecast) -> None:
        raise LinkError("Kafka is not reached")

    assert cycle_of(inline).counts.failed == 1


def test_an_offer_takes_no_time() -> None:
    forecast = replace(said(), members={})
    with publishing(NOWHERE, "t") as publisher:
        began_s = stopwatch()
        for _ in range(100):
            publisher.offer(forecast)
        assert stopwatch() - began_s < 0.5
