"""A topic of Kafka into the journal: each record with its place in one durable write, and resumed from there.

    source = KafkaSource(link, Topic("ed.events", EventJson(pseudonyms)), Keeper(pipeline, journal), clock, stop)
    source.start()
    source.status          # starting, live, away or stopped, in a sentence

One session of a topic:

1. Reach the cluster; find the topic, its id and its partitions.
2. See that each partition still holds what comes next (`ingest/sources/kafka_places.py`); go there.
3. Take what has come; see that the topic is still the one it was taken for.
4. Journal it, each record with its place: all of it, or none. Nothing is ever asked back from Kafka.
5. Tell Kafka how far we are, so that others see the lag.

A broker that goes away ends the session; another begins, with growing pauses of up to five seconds. A partition that
does not hold what comes next ends the source, which says so: whether to go on is a person's decision (`accept_gap`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Protocol

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import CorruptRecordError, KafkaError, LogTruncationError, OffsetOutOfRangeError
from kafka.structs import OffsetAndMetadata

from ingest.bookkeeping import Position
from ingest.clock import Clock, stopwatch
from ingest.errors import EdtwinError, GapError, LinkError
from ingest.formats import Format
from ingest.pipeline import Answer, Message, Receipt
from ingest.sources.kafka_link import Link, told
from ingest.sources.kafka_places import Place, Places, detail_of
from ingest.sources.kafka_topics import MissingTopicError, TopicFacts, topic_facts

logger = logging.getLogger(__name__)

POLL_MS = 500
LOOK_S = 2.0
"""How often the cluster is asked about the topic while nothing comes, and how often it is told how far we are."""
RECORDS = 2_000
"""At most so many of a poll: what waits for one sync of the journal."""
READING: Mapping[str, Any] = {
    "enable_auto_commit": False, "auto_offset_reset": "none", "isolation_level": "read_committed",
    "allow_auto_create_topics": False, "max_poll_records": RECORDS, "fetch_max_bytes": 16 * 1024 * 1024,
    "fetch_max_wait_ms": POLL_MS - 100,
}  # fmt: skip
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Topic:
    """A topic to be read, and the format of its records."""

    name: str
    form: Format
    accept_gap: bool = False
    """A person has decided to go on from the first record that is there, whatever is missing."""


class State(Enum):
    """How a source stands."""

    STARTING = "starting"
    LIVE = "live"
    AWAY = "away"
    """Not reached, or not kept: it is tried again and again."""
    STOPPED = "stopped"
    """Somebody must decide: it is not tried again."""


@dataclass(frozen=True)
class Status:
    """How a source stands since when, in a sentence; what it has journalled since it was started; its lag."""

    state: State
    since: datetime
    sentence: str = ""
    journalled: int = 0
    faulty: int = 0
    lag: int | None = None
    """Records of the topic that are not journalled yet; None where that is not known."""
    heard_at: datetime | None = None
    """When Kafka last answered."""


class Keeper(Protocol):
    """The pipeline and the journal, as far as a source needs them."""

    def receive_many(self, messages: Sequence[Message], form: Format, source: str) -> list[Receipt]:
        """All of them on the disk, or none."""
        ...

    def positions(self) -> dict[str, Position]:
        """Where every source stands in the journal."""
        ...


class _NotKeptError(Exception):
    """The journal did not take a batch: it must be read again."""


class KafkaSource:
    """One topic, read in a thread of its own until it is stopped."""

    def __init__(self, link: Link, topic: Topic, keeper: Keeper, clock: Clock, stop: threading.Event) -> None:
        self._link, self._topic, self._keeper, self._clock, self._stop = link, topic, keeper, clock, stop
        self._places = Places(topic.name, keeper.positions, accept_gap=topic.accept_gap)
        self._status = Status(State.STARTING, clock.now())
        self._thread = threading.Thread(target=self.run, name=f"kafka {topic.name}", daemon=True)

    @property
    def name(self) -> str:
        """What it is called where its status is shown."""
        return f"kafka:{self._topic.name}"

    @property
    def status(self) -> Status:
        """How it stands at this moment."""
        return self._status

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for its end."""
        self._thread.join(timeout_s)

    def run(self) -> None:
        """Session after session, until it is stopped or a gap is found."""
        pauses = iter(PAUSES_S)
        while not self._stop.is_set():
            try:
                self._session()
            except (GapError, LinkError) as fault:
                self._becomes(State.STOPPED, str(fault))
                return
            except (KafkaError, OSError, EdtwinError, MissingTopicError, _NotKeptError) as fault:
                if self._status.state is State.LIVE:
                    pauses = iter(PAUSES_S)
                self._becomes(State.AWAY, _why(fault))
            except Exception as fault:  # the house goes on, and shows that this source does not
                logger.exception("the source %s has failed", self.name)
                self._becomes(State.STOPPED, f"it has failed ({type(fault).__name__})")
                return
            self._clock.sleep_until(self._clock.now() + timedelta(seconds=next(pauses, PAUSES_S[-1])), self._stop)

    # --- a session --------------------------------------------------------------------------------------------------

    def _session(self) -> None:
        with ExitStack() as clients:
            admin = clients.enter_context(self._link.admin())  # 1
            facts = topic_facts(admin, self._topic.name)
            consumer = clients.enter_context(self._link.consumer(group_id=f"edtwin.{self._topic.name}", **READING))
            places = self._places.found(consumer, facts)  # 2
            self._becomes(State.LIVE, "")
            for batch in self._batches(consumer, admin, facts):
                self._check_same(admin, facts)  # 3
                for partition, records in batch.items():
                    places[partition] = self._keep(places[partition], records)  # 4

    def _batches(
        self, consumer: KafkaConsumer, admin: KafkaAdminClient, facts: TopicFacts
    ) -> Iterator[dict[int, list[ConsumerRecord]]]:
        """What comes, by partition, until the source is stopped; step 5 between batches."""
        looked_s = stopwatch()
        while not self._stop.is_set():
            found = self._polled(consumer)
            if found:
                yield {at.partition: records for at, records in found.items()}
            if stopwatch() - looked_s > LOOK_S:
                self._link.knock()
                self._check_same(admin, facts)
                self._tell(consumer)  # 5
                looked_s = stopwatch()

    def _polled(self, consumer: KafkaConsumer) -> Mapping[TopicPartition, list[ConsumerRecord]]:
        try:
            return consumer.poll(timeout_ms=POLL_MS)  # type: ignore[no-any-return]
        except (OffsetOutOfRangeError, LogTruncationError) as error:
            # the next session's step 2 says what is missing, or finds that nothing is
            raise _NotKeptError(f"Kafka no longer has what comes next ({told(error)})") from error
        except CorruptRecordError as error:
            raise GapError(f"{self.name} has a record that is damaged on the broker: {error}") from error

    def _check_same(self, admin: KafkaAdminClient, facts: TopicFacts) -> None:
        """What was polled before this question came from the topic that the answer names."""
        if topic_facts(admin, self._topic.name) != facts:
            raise _NotKeptError("the topic has changed")
        self._status = replace(self._status, heard_at=self._clock.now())

    def _keep(self, place: Place, records: Sequence[ConsumerRecord]) -> Place:
        """The records journalled, each with its place; the place after them."""
        messages = [Message(record.value or b"", record.offset, detail_of(record)) for record in records]
        receipts = self._keeper.receive_many(messages, self._topic.form, place.source)
        if not all(receipt.is_kept for receipt in receipts):
            raise _NotKeptError("the journal cannot be written")
        if any(receipt.answer is Answer.REPEATED for receipt in receipts):
            raise _NotKeptError(f"{place.source} was journalled further than was known")
        faulty = sum(receipt.answer is Answer.FAULTY for receipt in receipts)
        now = self._status
        self._status = replace(now, journalled=now.journalled + len(receipts), faulty=now.faulty + faulty)
        return replace(place, following=records[-1].offset + 1)

    def _tell(self, consumer: KafkaConsumer) -> None:
        """The lag, for us and for those who watch Kafka. What is committed is never read back."""
        stands = {at: consumer.position(at, timeout_ms=1000) for at in consumer.assignment()}
        ends = consumer.end_offsets(list(stands), timeout_ms=1000)
        self._status = replace(self._status, lag=sum(ends[at] - stand for at, stand in stands.items()))
        consumer.commit_async({at: OffsetAndMetadata(stand, "", -1) for at, stand in stands.items()})

    def _becomes(self, state: State, sentence: str) -> None:
        """The new state, told once in the log file."""
        now = self._status
        if (state, sentence) == (now.state, now.sentence):
            return
        if state is State.STOPPED:
            logger.error("%s is stopped: %s", self.name, sentence)
        elif state is State.AWAY and now.state is not State.AWAY:
            logger.warning("%s is away: %s", self.name, sentence)
        since = now.since if state is now.state else self._clock.now()
        self._status = replace(now, state=state, since=since, sentence=sentence, lag=None)


def _why(fault: Exception) -> str:
    if isinstance(fault, KafkaError | OSError):
        return f"Kafka is not reached ({told(fault)})"
    return str(fault)
