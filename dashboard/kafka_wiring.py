"""What a house has of Kafka, by its settings; imported only where there are brokers, since kafka-python is heavy."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kafka.errors import KafkaError

from dashboard.errors import CommandError
from dashboard.formats import format_of
from dashboard.house import House
from dashboard.settings import Settings
from forecast.publication import Publisher
from ingest.bookkeeping import Position
from ingest.errors import LinkError
from ingest.formats import Format
from ingest.pipeline import Message, Pipeline, Receipt
from ingest.pseudonyms import Pseudonyms
from ingest.sources.kafka import KafkaSource, Topic
from ingest.sources.kafka_link import Link, told
from ingest.sources.kafka_out import EventsOut, events_out
from ingest.sources.kafka_topics import MissingTopicError, topic_facts

# what the library says of a broker that is away is said by the source's status, once
logging.getLogger("kafka").setLevel(logging.CRITICAL)


class _Keeper:
    """The pipeline and the journal of a house, as a source sees them."""

    def __init__(self, house: House, pipeline: Pipeline) -> None:
        self._house, self._pipeline = house, pipeline

    def receive_many(self, messages: Sequence[Message], form: Format, source: str) -> list[Receipt]:
        return self._pipeline.receive_many(messages, form, source)

    def positions(self) -> dict[str, Position]:
        return self._house.journal.positions()


def link_of(settings: Settings, brokers: tuple[str, ...] | None = None) -> Link:
    """How Kafka is reached; raises LinkError for settings that do not go together or are not safe."""
    return Link(
        brokers=brokers or settings.kafka_brokers, security=settings.kafka_security, ca_file=settings.kafka_ca,
        cert_file=settings.kafka_cert, key_file=settings.kafka_key, mechanism=settings.kafka_mechanism,
        user=settings.kafka_user, password_file=settings.kafka_password_file,
        allow_insecure=settings.kafka_allow_insecure,
    )  # fmt: skip


def sources_of(
    house: House, pipeline: Pipeline, pseudonyms: Pseudonyms, accept_gap: Sequence[str], stop: threading.Event
) -> list[KafkaSource]:
    """A source a topic; `accept_gap` names topics that a person lets go on although records are missing."""
    settings, link = house.settings, link_of(house.settings)
    keeper = _Keeper(house, pipeline)
    topics = [
        Topic(name, format_of(form, settings, pseudonyms), accept_gap=name in accept_gap)
        for name, form in settings.topic_formats.items()
    ]
    return [KafkaSource(link, topic, keeper, house.clock, stop) for topic in topics]


def looked_at(settings: Settings) -> str:
    """What the cluster has of the settings' topics; raises LinkError where it is not reached or one is not there."""
    wanted = [*settings.topic_formats, *filter(None, [settings.kafka_forecasts_topic])]
    try:
        with link_of(settings).admin() as admin:
            counts = {topic: topic_facts(admin, topic).partitions for topic in wanted}
    except (KafkaError, OSError) as error:
        raise LinkError(f"Kafka is not reached at {', '.join(settings.kafka_brokers)}: {told(error)}") from error
    except MissingTopicError as error:
        raise LinkError(str(error)) from error
    topics = ", ".join(f"{topic} ({count} partitions)" for topic, count in counts.items())
    return f"{', '.join(settings.kafka_brokers)} by {settings.kafka_security}; {topics or 'no topics'}"


@contextmanager
def out_of(settings: Settings, to: str) -> Iterator[EventsOut]:
    """A way to `BROKER/TOPIC`, by the settings' certificates and password. Raises CommandError, LinkError."""
    broker, _, topic = to.partition("/")
    if not broker or not topic:
        raise CommandError(f"a topic must be named like 127.0.0.1:9092/ed.events, but is {to}")
    with events_out(link_of(settings, (broker,)), topic) as out:
        yield out


def publisher_of(house: House, stop: threading.Event) -> Publisher | None:
    """Publishes the house's forecasts, where the settings name a topic for them."""
    topic = house.settings.kafka_forecasts_topic
    return Publisher(link_of(house.settings), topic, house.hospital.name, stop, house.clock) if topic else None
