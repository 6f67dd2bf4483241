"""Feeds and replays: every batch stored once with its position, every event delivered when it became known."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from ingest.clock import SimulatedClock
from ingest.errors import EventError
from ingest.events import Event
from ingest.sources.feed import Feed
from ingest.sources.replay import Recording
from tests.logs import AT, HOUR, MINUTE, departed, memory_log, tell

EVENTS: list[Event] = [
    departed(name, occurred_at=AT + i * HOUR, known_at=AT + i * HOUR + MINUTE) for i, name in enumerate("abcd")
]


def fed(batches: Sequence[Sequence[Event]], stop: threading.Event | None = None) -> tuple[list[Event], int | None]:
    """What a log holds after a feed of the batches, and how far it has read."""
    log, _ = memory_log(AT + 10 * HOUR)
    Feed(log, "adt", batches, stop or threading.Event()).run()
    position = log.position("adt")
    return log.read(), position.offset if position else None


# ----------------------------------------------------------------------------------------------------------- feeds


def test_every_batch_is_stored_with_its_position() -> None:
    events, offset = fed([EVENTS[:1], [], EVENTS[1:3]])
    assert [e.event_id for e in events] == [e.event_id for e in EVENTS[:3]]
    assert offset == 3


def test_what_comes_live_is_known_when_it_is_stored() -> None:
    events, _ = fed([EVENTS])
    assert {e.known_at == e.stored_at for e in events} == {True}
    assert {e.known_at for e in events} != {e.known_at for e in EVENTS}


def test_a_feed_goes_on_where_its_source_stood() -> None:
    log, _ = memory_log(AT + 10 * HOUR)
    for batch in (EVENTS[:2], EVENTS[2:]):
        Feed(log, "adt", [batch], threading.Event()).run()
    position = log.position("adt")
    assert position is not None
    assert (position.offset, log.length()) == (4, 4)


def test_a_stopped_feed_stores_no_more() -> None:
    stop = threading.Event()

    def batches() -> Iterator[list[Event]]:
        yield EVENTS[:1]
        stop.set()
        yield EVENTS[1:]

    log, _ = memory_log(AT + 10 * HOUR)
    Feed(log, "adt", batches(), stop).run()
    assert log.length() == 1


def test_a_feed_that_fails_keeps_what_it_stored_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def batches() -> Iterator[list[Event]]:
        yield EVENTS[:1]
        raise EventError("half a message")

    log, _ = memory_log(AT + 10 * HOUR)
    feed = Feed(log, "adt", batches(), threading.Event())
    with caplog.at_level(logging.ERROR):
        feed.start()
        feed.join(10.0)
    assert log.length() == 1
    assert "the source adt has failed" in caplog.text


# --------------------------------------------------------------------------------------------------------- replays


def recording() -> Recording:
    """The recording of a log that was told everything by an earlier feed."""
    log, clock = memory_log(AT)
    for event in EVENTS:
        clock.advance_to(event.known_at or AT)
        tell(log, event)
    return Recording.of(log, None, AT + 10 * HOUR)


def test_a_recording_is_split_at_an_instant_without_loss() -> None:
    whole = recording()
    cut = whole.events[1].known_at
    assert cut is not None
    assert [*whole.before(cut).events, *whole.after(cut).events] == list(whole.events)
    assert len(whole.before(cut).events) == 2
    assert whole.span == (whole.events[0].known_at, whole.events[-1].known_at)


def test_a_recording_holds_what_became_known_in_a_period() -> None:
    log, clock = memory_log(AT)
    for event in EVENTS:
        clock.advance_to(event.known_at or AT)
        tell(log, event)
    first, second = (e.known_at for e in Recording.of(log, None, AT + 10 * HOUR).events[:2])
    assert second is not None
    assert [e.known_at for e in Recording.of(log, first, second).events] == [second]


def test_each_event_is_delivered_when_the_clock_reaches_its_instant() -> None:
    clock = SimulatedClock(AT - HOUR)
    batches = recording().deliver(clock, threading.Event())
    for hour in range(4):
        clock.advance_to(AT + hour * HOUR + 2 * MINUTE)
        assert [e.visit for e in next(batches) if hasattr(e, "visit")] == ["abcd"[hour]]
    assert next(batches, None) is None


def test_what_is_overdue_comes_in_one_batch() -> None:
    clock = SimulatedClock(AT + 2 * HOUR + 2 * MINUTE)
    assert len(next(recording().deliver(clock, threading.Event()))) == 3


def test_a_replay_that_is_stopped_ends_without_delivering() -> None:
    stop = threading.Event()
    stop.set()
    assert list(recording().deliver(SimulatedClock(AT - HOUR), stop)) == []


def test_at_a_speed_the_gaps_are_kept_in_proportion() -> None:
    clock = SimulatedClock(AT, speed=36_000.0)
    seen = [clock.now() for _ in recording().deliver(clock, threading.Event())]
    due = [e.known_at for e in recording().events if e.known_at is not None]
    assert all(timedelta(0) <= at - told for at, told in zip(seen, due, strict=False))
    assert 1 <= len(seen) <= 4
