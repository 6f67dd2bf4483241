"""What came of each source, as the log tells it: in steps that add up, and what waits in the quarantine."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ingest.bookkeeping import Account
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.events import Arrived, EventId, Moved, UnitId, VisitId
from ingest.instants import NEVER
from ingest.links import LinkNow
from ingest.log import EventLog, Intake, Position, Rejected
from ingest.sources.kafka_places import source_of
from ingest.traffic import added
from tests.boards import MADE_AT as NOW

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def arrived(visit: str, at: datetime, position: int, **said: Any) -> Arrived:
    return Arrived(event_id=EventId(f"a{visit}"), occurred_at=at, visit=VisitId(visit), position=position,
                   source="adt", **said)  # fmt: skip


def moved(visit: str, at: datetime, position: int, unit: str) -> Moved:
    return Moved(event_id=EventId(f"m{visit}"), occurred_at=at, visit=VisitId(visit), position=position,
                 source="adt", unit=UnitId(unit))  # fmt: skip


def bad(position: int, reason: str) -> Rejected:
    return Rejected(position=position, place=f"adt@{position}", reason=reason)


def test_steps_add_up_and_each_is_read_once() -> None:
    clock = SimulatedClock(NOW)
    with Database.open(None, threads=1) as database:
        log = EventLog(database, clock)
        traffic = log.traffic()
        assert traffic.stands() == (None, 0)
        log.append([arrived("1", NOW, 1)], Position(source="adt", offset=1), intake=Intake(read=3, ignored=1))
        first_at, first = traffic.stands()
        assert first_at is not None
        clock.advance_to(NOW + HOUR)
        log.append([moved("1", NOW, 4, "er")], Position(source="adt", offset=4),
                   intake=Intake(read=2, rejected=[bad(5, "no_msh")]))  # fmt: skip
        second_at, second = traffic.stands()
        assert second_at is not None
        [one], [two] = traffic.came(NEVER, first_at), traffic.came(first_at, second_at)
        [both] = traffic.came(NEVER, second_at)
        assert added(one.account, two.account) == both.account == Account(
            read=5, stored=2, duplicate=1, ignored=1, rejected=1
        )  # fmt: skip
        assert (one.last_at, two.last_at) == (first_at, second_at)
        assert [(t.kind, t.unit) for t in traffic.told(0, first)] == [("Arrived", None)]
        assert [(t.kind, t.unit) for t in traffic.told(first, second)] == [("Moved", "er")]
        assert traffic.came(second_at, second_at) == []


def test_hours_count_messages_and_not_events() -> None:
    with Database.open(None, threads=1) as database:
        log = EventLog(database, SimulatedClock(NOW))
        log.append([arrived("1", NOW, 7), moved("1", NOW, 7, "er"), moved("2", NOW, 8, "er")],
                   Position(source="adt", offset=8))  # fmt: skip
        traffic = log.traffic()
        assert [(h.source, h.count) for h in traffic.by_hour(NOW - HOUR, NOW + HOUR)] == [("adt", 2)]
        assert [(h.kind, h.unit, h.count) for h in traffic.parts_by_hour(NOW - HOUR, NOW + HOUR)] == [
            ("Arrived", None, 1), ("Moved", "er", 2),
        ]  # fmt: skip


def test_delays_are_those_of_what_came_live() -> None:
    """What an extract tells was known before it was stored here: its delay says nothing of a link."""
    with Database.open(None, threads=1) as database:
        log = EventLog(database, SimulatedClock(NOW))
        old = arrived("1", NOW - HOUR, 1, known_at=NOW - HOUR)
        live = arrived("2", NOW - HOUR, 2, recorded_at=NOW - MINUTE)
        log.append([old, live], Position(source="adt", offset=2))
        [delay] = log.traffic().lately(NOW - HOUR, 2)
        assert (delay.told_at, delay.recorded_at) == (NOW - MINUTE, NOW - MINUTE)


def test_what_waits_is_counted_by_reason_with_its_first_its_last_and_some_places() -> None:
    clock = SimulatedClock(NOW)
    with Database.open(None, threads=1) as database:
        log = EventLog(database, clock)
        for n in range(1, 6):
            clock.advance_to(NOW + n * HOUR)
            rejected = [bad(n, "no_msh"), *([bad(100, "in_future")] if n == 5 else [])]
            log.append([], Position(source="adt", offset=n), intake=Intake(read=2, rejected=rejected))
        many, one = log.traffic().waiting()
        assert (many.reason, many.count, many.first_at, many.last_at) == ("no_msh", 5, NOW + HOUR, NOW + 5 * HOUR)
        assert many.places == ("adt@5", "adt@4", "adt@3")
        assert (one.reason, one.count) == ("in_future", 1)


def test_a_topic_tells_of_its_partitions_and_of_no_other_topic() -> None:
    topic = LinkNow(name="kafka:ed.events", kind="kafka")
    mine = [
        source_of("ed.events", partition, "48c1f0aa-0000", generation) for partition, generation in ((0, 1), (11, 2))
    ]
    others = [source_of("ed.events2", 0, "48c1f0aa"), "ed.events[0]", "mllp"]
    assert [topic.tells(name) for name in (*mine, *others)] == [True, True, False, False, False]
    assert LinkNow(name="mllp", kind="mllp").tells("mllp")
