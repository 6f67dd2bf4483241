"""Where a topic is gone on with, and proof that nothing was removed, cut off or replaced in between.

The place of a record is the journal's position of its partition: the offset, and beside it the leader's epoch and the
record's timestamp. A partition's source carries the first digits of the topic's id, so a topic that is made anew is
another source; on resuming, the last record that was journalled must still be there with the same epoch and timestamp.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaTimeoutError

from ingest.bookkeeping import Position
from ingest.clock import stopwatch
from ingest.errors import GapError
from ingest.sources.kafka_topics import TopicFacts

logger = logging.getLogger(__name__)

ID_DIGITS = 8
LOOK_MS = 5_000


@dataclass(frozen=True)
class Place:
    """The source of a partition in the journal, and the offset that comes next."""

    source: str
    following: int


def source_of(topic: str, partition: int, topic_id: str, generation: int = 1) -> str:
    """The name of a partition's source; another generation after a gap that was accepted.

    >>> source_of("ed.events", 0, "48c1f0aa-0000-0000-0000-000000000000")
    'kafka:ed.events[0]@48c1f0aa'
    """
    again = f".{generation}" if generation > 1 else ""
    return f"kafka:{topic}[{partition}]@{topic_id[:ID_DIGITS]}{again}"


def detail_of(record: ConsumerRecord) -> str:
    """What tells a record from another that was put in its place; nothing of what it says."""
    return f"{record.leader_epoch}:{record.timestamp}"


class Places:
    """The places of a topic's partitions."""

    def __init__(self, topic: str, positions: Callable[[], Mapping[str, Position]], *, accept_gap: bool) -> None:
        self._topic, self._positions, self._accept_gap = topic, positions, accept_gap

    def found(self, consumer: KafkaConsumer, facts: TopicFacts) -> dict[int, Place]:
        """The place of each partition, where the consumer now stands. Raises GapError, KafkaError."""
        places = {p: self._place(consumer, facts, p) for p in range(facts.partitions)}
        consumer.assign([TopicPartition(self._topic, partition) for partition in places])
        for partition, place in places.items():
            consumer.seek(TopicPartition(self._topic, partition), place.following)
        return places

    def _place(self, consumer: KafkaConsumer, facts: TopicFacts, partition: int) -> Place:
        at = TopicPartition(self._topic, partition)
        first, end = _bounds(consumer, at)
        generation, position = self._last(facts, partition)
        source = source_of(self._topic, partition, facts.topic_id, generation)
        if position is None:
            self._check_not_recreated(facts, partition)
            return Place(source, first)
        if first > position.offset + 1:
            self._tell(f"{source} lacks {first - position.offset - 1} records that were removed before they were "
                       f"read: the next is {position.offset + 1}, the first that is there {first}")  # fmt: skip
            return Place(source, first)
        if end <= position.offset or _is_another(consumer, at, first, position):
            self._tell(f"{source} was cut off or written anew: the record {position.offset} that was read is not "
                       f"there any more, and the partition ends before {end}")  # fmt: skip
            return Place(source_of(self._topic, partition, facts.topic_id, generation + 1), first)
        return Place(source, position.offset + 1)

    def _last(self, facts: TopicFacts, partition: int) -> tuple[int, Position | None]:
        """The latest generation of a partition's source that the journal knows, and where it stands."""
        positions, generation = self._positions(), 1
        while source_of(self._topic, partition, facts.topic_id, generation + 1) in positions:
            generation += 1
        return generation, positions.get(source_of(self._topic, partition, facts.topic_id, generation))

    def _check_not_recreated(self, facts: TopicFacts, partition: int) -> None:
        """A partition that is new to the journal belongs to a new topic, or to one that is known and has grown."""
        of_topic = re.compile(rf"kafka:{re.escape(self._topic)}\[\d+\]@(\w+)(\.\d+)?")
        ids = {match[1] for name in self._positions() if (match := of_topic.fullmatch(name))}
        mine = facts.topic_id[:ID_DIGITS]
        if ids and mine not in ids:
            self._tell(f"kafka:{self._topic}[{partition}] was removed and made anew since it was last read "
                       f"(then @{', @'.join(sorted(ids))}, now @{mine})")  # fmt: skip

    def _tell(self, gap: str) -> None:
        """Raises GapError, unless somebody has decided to go on."""
        if not self._accept_gap:
            raise GapError(f"{gap}; to go on from the first record that is there: edtwin up --accept-gap {self._topic}")
        logger.warning("gone on, as was decided, although %s", gap)


def _bounds(consumer: KafkaConsumer, at: TopicPartition) -> tuple[int, int]:
    """The first offset that is there, and the one after the last."""
    first = consumer.beginning_offsets([at], timeout_ms=LOOK_MS)[at]
    end = consumer.end_offsets([at], timeout_ms=LOOK_MS)[at]
    return first, end


def _is_another(consumer: KafkaConsumer, at: TopicPartition, first: int, last: Position) -> bool:
    """True where the record that was read last is there and is not what was read; removed ones prove nothing."""
    if first > last.offset:
        return False
    consumer.assign([at])
    consumer.seek(at, last.offset)
    record = _next_record(consumer)
    return record.offset == last.offset and detail_of(record) != last.detail


def _next_record(consumer: KafkaConsumer) -> ConsumerRecord:
    began_s = stopwatch()
    while (stopwatch() - began_s) * 1000 < LOOK_MS:
        for records in consumer.poll(LOOK_MS, max_records=1).values():
            return records[0]
    raise KafkaTimeoutError("the record that was read last does not come")
