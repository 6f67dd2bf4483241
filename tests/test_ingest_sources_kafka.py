"""A topic into the journal, against a real broker: nothing lost, nothing twice, no silent jump, whatever is in it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from ingest.bookkeeping import Position
from ingest.clock import SimulatedClock, WallClock, stopwatch
from ingest.event_json import EventJson
from ingest.formats import Format
from ingest.journal_frames import Record
from ingest.pipeline import Message, Receipt
from ingest.pseudonyms import Pseudonyms
from ingest.sources import kafka_link
from ingest.sources.kafka import KafkaSource, State, Status, Topic
from ingest.sources.kafka_link import Link
from tests.kafka_broker import LEAKY, Broker
from tests.kafka_journals import AT, Keeping, keeping, sent_messages

pytestmark = LEAKY

FORM = EventJson(Pseudonyms(b"s" * 32, "north"))
SOON_S = 20.0


@contextmanager
def reading(broker: Broker, kept: Keeping, topic: str, *, accept_gap: bool = False) -> Iterator[KafkaSource]:
    """A source that reads while the block runs."""
    stop = threading.Event()
    link = Link(brokers=(broker.address,))
    source = KafkaSource(link, Topic(topic, FORM, accept_gap=accept_gap), kept, WallClock(), stop)
    source.start()
    try:
        yield source
    finally:
        stop.set()
        source.join(SOON_S)


def until(come: Callable[[], bool], at_most_s: float = SOON_S) -> None:
    deadline = stopwatch() + at_most_s
    while not come():
        assert stopwatch() < deadline, "it did not come in time"
        threading.Event().wait(0.02)


def send(broker: Broker, topic: str, contents: Sequence[bytes | None], *, partition: int = 0) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.address, max_request_size=4_000_000)
    for content in contents:
        producer.send(topic, content, partition=partition, key=b"" if content is None else None)
    producer.flush()
    producer.close()


def read_all(broker: Broker, folder: Path, topic: str, count: int, **options: bool) -> list[Record]:
    """The records of the folder's journal once there are so many."""
    with keeping(folder) as kept:
        with reading(broker, kept, topic, **options):
            until(lambda: kept.journal.last >= count)
        return kept.records()


def stopped(broker: Broker, folder: Path, topic: str) -> Status:
    """How the source says that it stands when it has stopped by itself."""
    with keeping(folder) as kept, reading(broker, kept, topic) as source:
        until(lambda: source.status.state is State.STOPPED)
        return source.status


def offsets(records: Sequence[Record]) -> list[int]:
    return [record.position.offset for record in records]


def test_what_comes_is_journalled_once_with_its_place(broker: Broker, tmp_path: Path) -> None:
    topic, sent = broker.topic(partitions=2), sent_messages(40)
    send(broker, topic, sent[:25], partition=0)
    send(broker, topic, sent[25:30], partition=1)
    assert len(read_all(broker, tmp_path, topic, 30)) == 30
    send(broker, topic, sent[30:], partition=1)
    records = read_all(broker, tmp_path, topic, 40)
    assert [r.payload for r in records if "[0]" in r.position.source] == [FORM.kept(m).payload for m in sent[:25]]
    assert [r.payload for r in records if "[1]" in r.position.source] == [FORM.kept(m).payload for m in sent[25:]]
    assert offsets([r for r in records if "[1]" in r.position.source]) == list(range(15))
    assert {r.format for r in records} == {"event_json"}


def test_poison_is_kept_as_a_fault_and_the_partition_moves_on(broker: Broker, tmp_path: Path) -> None:
    topic = broker.topic(configs={"max.message.bytes": "4000000"})
    good = sent_messages(2)
    poison = [b"{", b"\xff\xfe", b"x" * 70_000, b"y" * 2_000_000, None, b'{"version": 9}']
    send(broker, topic, [good[0], *poison, good[1]])
    records = read_all(broker, tmp_path, topic, 8)
    faults = ["malformed", "malformed", "too_large", "message_too_long", "malformed", "unknown_version"]
    assert [r.fault for r in records] == [None, *faults, None]
    assert max(len(r.payload) for r in records) < 1000


def test_what_is_committed_to_kafka_is_never_read_back(broker: Broker, tmp_path: Path) -> None:
    topic, sent = broker.topic(), sent_messages(10)
    send(broker, topic, sent[:6])
    assert len(read_all(broker, tmp_path, topic, 6)) == 6
    with Link(brokers=(broker.address,)).consumer(group_id=f"edtwin.{topic}") as another:
        another.commit({TopicPartition(topic, 0): OffsetAndMetadata(2, "", -1)})
    send(broker, topic, sent[6:])
    assert offsets(read_all(broker, tmp_path, topic, 10)) == list(range(10))


def test_what_was_aborted_is_not_seen(broker: Broker, tmp_path: Path) -> None:
    topic, sent = broker.topic(), sent_messages(6)
    producer = KafkaProducer(bootstrap_servers=broker.address, transactional_id=f"of {topic}")
    producer.init_transactions()
    for part, end in ((sent[:2], producer.abort_transaction), (sent[2:], producer.commit_transaction)):
        producer.begin_transaction()
        for content in part:
            producer.send(topic, content)
        producer.flush()
        end()
    producer.close()
    assert [r.payload for r in read_all(broker, tmp_path, topic, 4)] == [FORM.kept(m).payload for m in sent[2:]]


# ------------------------------------------------------------------------------------------------------------- gaps


def remove_before(broker: Broker, topic: str, offset: int) -> None:
    """As retention does."""
    with broker.admin() as admin:
        admin.delete_records({TopicPartition(topic, 0): offset})


def made_anew(broker: Broker, topic: str, partitions: int = 1) -> None:
    with broker.admin() as admin:
        admin.delete_topics([topic])
        until(lambda: admin.describe_topics([topic])[0]["error_code"] != 0)
    broker.topic(partitions, name=topic)


def test_records_removed_before_they_were_read_stop_the_source(broker: Broker, tmp_path: Path) -> None:
    topic, sent = broker.topic(), sent_messages(20)
    send(broker, topic, sent[:5])
    read_all(broker, tmp_path, topic, 5)
    send(broker, topic, sent[5:])
    remove_before(broker, topic, 12)
    status = stopped(broker, tmp_path, topic)
    assert "lacks 7 records that were removed before they were read: the next is 5, the first that is there 12" in (
        status.sentence
    )
    with keeping(tmp_path) as kept:
        assert len(kept.records()) == 5, "nothing was jumped to"
    records = read_all(broker, tmp_path, topic, 13, accept_gap=True)
    assert offsets(records) == [*range(5), *range(12, 20)], "a person has decided"


def test_records_removed_while_a_source_waits_stop_it_too(broker: Broker, tmp_path: Path) -> None:
    """All that was read is removed, and all that comes next too, while the session lives: the poll is out of range."""
    topic, sent = broker.topic(), sent_messages(20)
    send(broker, topic, sent[:5])
    with keeping(tmp_path) as kept, reading(broker, kept, topic) as source:
        until(lambda: kept.journal.last == 5)
        kept.held.set()
        send(broker, topic, sent[5:])
        until(lambda: kept.refused > 0)
        remove_before(broker, topic, 12)
        kept.held.clear()
        until(lambda: source.status.state is State.STOPPED)
        assert "lacks 7 records" in source.status.sentence
        assert len(kept.records()) == 5


@pytest.mark.parametrize("again", [3, 30])
def test_a_topic_made_anew_stops_the_source(broker: Broker, tmp_path: Path, again: int) -> None:
    """Whether it now holds fewer records than were read, or more, where a jump would not be seen by the offset."""
    topic, sent = broker.topic(), sent_messages(40)
    send(broker, topic, sent[:10])
    read_all(broker, tmp_path, topic, 10)
    made_anew(broker, topic)
    send(broker, topic, sent[10 : 10 + again])
    status = stopped(broker, tmp_path, topic)
    assert f"kafka:{topic}[0] was removed and made anew since it was last read" in status.sentence
    assert len(read_all(broker, tmp_path, topic, 10 + again, accept_gap=True)) == 10 + again
    assert len(read_all(broker, tmp_path, topic, 10 + again)) == 10 + again, "decided once, it goes on"


def test_a_topic_made_anew_that_was_accepted_stays_so_although_a_partition_is_still_empty(
    broker: Broker, tmp_path: Path
) -> None:
    topic, sent = broker.topic(partitions=2), sent_messages(8)
    for partition in range(2):
        send(broker, topic, sent[partition : partition + 1], partition=partition)
    read_all(broker, tmp_path, topic, 2)
    made_anew(broker, topic, partitions=2)
    send(broker, topic, sent[2:4], partition=1)
    read_all(broker, tmp_path, topic, 4, accept_gap=True)
    send(broker, topic, sent[4:], partition=0)
    assert len(read_all(broker, tmp_path, topic, 8)) == 8


def test_a_topic_made_anew_under_a_living_session_stops_it(broker: Broker, tmp_path: Path) -> None:
    topic, sent = broker.topic(), sent_messages(40)
    send(broker, topic, sent[:10])
    with keeping(tmp_path) as kept, reading(broker, kept, topic) as source:
        until(lambda: kept.journal.last == 10)
        made_anew(broker, topic)
        send(broker, topic, sent[10:])
        until(lambda: source.status.state is State.STOPPED)
        assert "made anew" in source.status.sentence
        assert len(kept.records()) == 10


def test_a_topic_that_does_not_exist_is_waited_for_and_not_made(broker: Broker, tmp_path: Path) -> None:
    topic = f"{broker.topic()}-later"
    with keeping(tmp_path) as kept, reading(broker, kept, topic) as source:
        until(lambda: source.status.state is State.AWAY)
        assert source.status.sentence == f"the topic {topic} does not exist"
        broker.topic(name=topic)
        send(broker, topic, sent_messages(1))
        until(lambda: kept.journal.last == 1)
        assert source.status.state is State.LIVE


def test_a_journal_that_cannot_be_written_loses_nothing(broker: Broker, tmp_path: Path) -> None:
    topic = broker.topic()
    with keeping(tmp_path) as kept, reading(broker, kept, topic) as source:
        until(lambda: source.status.state is State.LIVE)
        kept.held.set()
        send(broker, topic, sent_messages(50))
        until(lambda: source.status.state is State.AWAY)
        assert source.status.sentence == "the journal cannot be written"
        kept.held.clear()
        until(lambda: kept.journal.last == 50)
        assert offsets(kept.records()) == list(range(50))


# ----------------------------------------------------------------------------------------------------------- broker


def test_a_broker_that_was_killed_is_gone_on_with_by_itself(broker: Broker, tmp_path: Path) -> None:
    topic, sent = broker.topic(), sent_messages(60)
    with keeping(tmp_path) as kept, reading(broker, kept, topic) as source:
        for kill in range(2):
            send(broker, topic, sent[30 * kill : 30 * kill + 30])
            until(lambda: kept.journal.last >= 30 * (kill + 1), 30)  # noqa: B023
            if kill < 1:
                broker.kill()
                until(lambda: source.status.state is State.AWAY, 30)
                assert source.status.sentence.startswith("Kafka is not reached")
                broker.start()
                back_s = stopwatch()
        assert stopwatch() - back_s < 30
        assert [r.payload for r in kept.records()] == [FORM.kept(m).payload for m in sent]
        assert source.status.state is State.LIVE


def test_a_log_that_was_cut_off_stops_the_source(broker: Broker, tmp_path: Path) -> None:
    """As after a power cut: the tail of the partition is gone, and others write on in its place."""
    topic, sent = broker.topic(), sent_messages(40)
    send(broker, topic, sent[:10])
    send(broker, topic, sent[10:20])
    read_all(broker, tmp_path, topic, 20)
    broker.kill()
    (segment,) = (broker.folder / "logs" / f"{topic}-0").glob("*.log")
    with segment.open("r+b") as file:
        file.truncate(segment.stat().st_size * 2 // 3)
    broker.start()
    assert "was cut off or written anew" in stopped(broker, tmp_path, topic).sentence
    send(broker, topic, sent[20:])
    assert "was cut off or written anew" in stopped(broker, tmp_path, topic).sentence
    records = read_all(broker, tmp_path, topic, 50, accept_gap=True)
    assert {r.position.source[-2:] for r in records[20:]} == {".2"}
    assert {r.payload for r in records} == {FORM.kept(m).payload for m in sent}


def test_attempts_in_vain_leave_no_thread_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a port that takes connections and never answers; with the mutant that makes its clients as anyone would."""
    monkeypatch.setattr(kafka_link, "BOOTSTRAP_MS", 300)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        link = Link(brokers=(f"127.0.0.1:{silent.getsockname()[1]}",))
        before = threading.active_count()
        for _ in range(2):
            with pytest.raises(KafkaError), link.admin():
                pass
        assert threading.active_count() == before
        monkeypatch.setattr(kafka_link, "_made", lambda client, settings: client(**settings))
        with pytest.raises(KafkaError), link.admin():
            pass
        assert threading.active_count() > before


def test_a_broker_that_stays_away_is_away_since_it_went_whatever_it_says_meanwhile() -> None:
    """Refused, then timed out, then refused: the wall calls it stale after two minutes of all of it together."""
    clock = SimulatedClock(AT)
    source = KafkaSource(Link(brokers=("127.0.0.1:1",)), Topic("t", FORM), Nothing(), clock, threading.Event())
    for minute, said in enumerate(("refused", "timed out", "refused")):
        clock.advance_to(AT + timedelta(minutes=minute))
        source._becomes(State.AWAY, said)
    assert (source.status.since, source.status.sentence) == (AT, "refused")
    source._becomes(State.LIVE, "")
    assert source.status.since == AT + timedelta(minutes=2)


class Nothing:
    """A keeper that has nothing and takes nothing."""

    def positions(self) -> dict[str, Position]:
        return {}

    def receive_many(self, messages: Sequence[Message], form: Format, source: str) -> list[Receipt]:
        return []
