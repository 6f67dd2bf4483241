"""Which topic a name stands for at this moment: a topic that was removed and made anew has another id."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kafka import KafkaAdminClient


@dataclass(frozen=True)
class TopicFacts:
    """Which topic of a name it is, and how many partitions it has."""

    topic_id: str
    partitions: int


class MissingTopicError(Exception):
    """The cluster has no such topic; it is not made here."""


def topic_facts(admin: KafkaAdminClient, topic: str) -> TopicFacts:
    """The topic's id and partitions, asked now. Raises MissingTopicError, KafkaError."""
    (found,) = admin.describe_topics([topic])
    if found["error_code"] or not found["partitions"]:
        raise MissingTopicError(f"the topic {topic} does not exist")
    return TopicFacts(str(UUID(str(found["topic_id"]))), len(found["partitions"]))
