"""What the house says on Kafka: a recorded period again, event by event.

The record's timestamp is the instant of sending and never the event's: a broker's retention goes by it, and would drop
what looks old. A visit's events share a key, so that they share a partition and keep their order.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from ingest.clock import Clock
from ingest.errors import EventError, LinkError
from ingest.event_json import written
from ingest.events import Cancelled, Event, EventId, VisitEvent
from ingest.sources.kafka_link import Link, told
from ingest.sources.kafka_topics import MissingTopicError, topic_facts
from ingest.sources.replay import Recording

logger = logging.getLogger(__name__)

AT_ONCE = 5_000
LONGEST_S = 600.0
"""How long a record is tried: a broker that is started again meanwhile loses nothing."""


class EventsOut:
    """Sends events to a topic; `sent` counts those that all replicas have, `unsaid` those that JSON cannot tell."""

    def __init__(self, producer: KafkaProducer, topic: str) -> None:
        self._producer, self._topic = producer, topic
        self._keys: dict[EventId, str] = {}
        self.sent = self.unsaid = 0

    def send(self, events: Sequence[Event]) -> None:
        """All of them, in their order; raises LinkError where Kafka does not take one in ten minutes."""
        try:
            for first in range(0, len(events), AT_ONCE):
                some = events[first : first + AT_ONCE]
                for record in [record for event in some if (record := self._sent(event)) is not None]:
                    record.get(LONGEST_S)
                    self.sent += 1
        except KafkaError as error:
            raise LinkError(
                f"Kafka has not taken the events on {self._topic} after the first {self.sent}: {told(error)}"
            ) from error

    def _sent(self, event: Event) -> Any:
        key = self._key(event).encode()
        try:
            message = written(event, pseudonyms=True)
        except EventError as error:
            logger.warning("%s", error)
            self.unsaid += 1
            return None
        return self._producer.send(self._topic, message, key=key)

    def _key(self, event: Event) -> str:
        """The visit; of a cancellation its target's, so that it comes after it."""
        if isinstance(event, Cancelled):
            return self._keys.get(event.target, event.target)
        key = event.visit if isinstance(event, VisitEvent) else event.kind
        self._keys[event.event_id] = key
        return key


@contextmanager
def events_out(link: Link, topic: str) -> Iterator[EventsOut]:
    """A way to a topic that exists; raises LinkError where it is not reached."""
    longest_ms = int(LONGEST_S * 1000)
    try:
        with link.admin() as admin:
            topic_facts(admin, topic)
        with link.producer(linger_ms=5, delivery_timeout_ms=longest_ms, max_block_ms=longest_ms) as producer:
            yield EventsOut(producer, topic)
    except MissingTopicError as error:
        raise LinkError(f"Kafka at {', '.join(link.brokers)} cannot take events: {error}") from error
    except (KafkaError, OSError) as error:
        raise LinkError(f"Kafka is not reached at {', '.join(link.brokers)}: {told(error)}") from error


def send_recording(recording: Recording, clock: Clock, out: EventsOut) -> dict[str, int]:
    """Each event when it became known; how many were sent, and how many have no message."""
    for batch in recording.deliver(clock, threading.Event()):
        out.send(batch)
    return {"sent": out.sent, "without_message": out.unsaid}
