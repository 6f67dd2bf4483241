"""Batches and views do not cross: a view waits for the batch it must hold, a batch comes after every view."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from ingest.clock import SimulatedClock
from ingest.errors import BehindError
from ingest.instants import NEVER, TICK, Instants
from tests.logs import AT, HOUR


def test_a_batch_is_stored_now_after_the_batch_and_the_views_before() -> None:
    clock = SimulatedClock(AT)
    instants = Instants(clock)
    with instants.storing(after=NEVER) as first:
        assert first == AT
    with instants.storing(after=AT + HOUR) as second:
        assert second == AT + HOUR + TICK
    clock.advance_to(AT + 2 * HOUR)
    instants.view(AT + 2 * HOUR)
    with instants.storing(after=second) as third:
        assert third == AT + 2 * HOUR + TICK


def test_a_view_of_the_future_is_not_made_yet() -> None:
    instants = Instants(SimulatedClock(AT))
    instants.view(AT + HOUR)
    with instants.storing(after=NEVER) as instant:
        assert instant == AT + TICK


def test_a_view_waits_for_the_batch_that_it_must_hold_and_for_no_other() -> None:
    clock = SimulatedClock(AT)
    instants = Instants(clock)
    made = threading.Event()

    def look() -> None:
        instants.view(AT)
        made.set()

    with instants.storing(after=NEVER) as instant:
        assert instant == AT
        instants.view(AT - timedelta(seconds=1))
        viewer = threading.Thread(target=look)
        viewer.start()
        assert not made.wait(0.05)
    assert made.wait(5)
    viewer.join()


def test_a_batch_that_fails_lets_the_views_go_on() -> None:
    instants = Instants(SimulatedClock(AT))
    try:
        with instants.storing(after=NEVER):
            raise RuntimeError
    except RuntimeError:
        instants.view(AT)


# -------------------------------------------------------------------------------------------------------- the journal


def journalled(instants: Instants, count: int = 1) -> list[datetime]:
    with instants.journalling(count, after=NEVER) as first:
        return [first + n * TICK for n in range(count)]


def waits(instants: Instants, known_at: datetime, ended: Callable[[], None]) -> bool:
    """Does a view at the instant wait until something has ended?"""
    made = threading.Event()

    def look() -> None:
        instants.view(known_at)
        made.set()

    viewer = threading.Thread(target=look)
    viewer.start()
    waited = not made.wait(0.05)
    ended()
    assert made.wait(5)
    viewer.join()
    return waited


def test_a_view_waits_for_what_is_journalled_and_not_indexed() -> None:
    instants = Instants(SimulatedClock(AT))
    first, second = journalled(instants, 2)
    assert waits(instants, second, lambda: instants.indexed(second))
    assert not waits(instants, second, lambda: None)
    (third,) = journalled(instants)
    assert third > second
    instants.view(first)


def test_a_view_of_the_past_waits_for_no_later_record() -> None:
    clock = SimulatedClock(AT)
    instants = Instants(clock)
    (first,) = journalled(instants)
    instants.indexed(first)
    clock.advance_to(AT + HOUR)
    journalled(instants)
    instants.view(AT + HOUR / 2)


def test_a_record_is_stored_after_every_view_and_every_batch() -> None:
    instants = Instants(SimulatedClock(AT))
    instants.view(AT)
    with instants.storing(after=NEVER) as batch:
        pass
    (record,) = journalled(instants)
    with instants.storing(after=NEVER) as later:
        assert AT < batch < record < later


def test_a_record_that_could_not_be_written_is_not_waited_for() -> None:
    instants = Instants(SimulatedClock(AT))
    (first,) = journalled(instants)
    with pytest.raises(OSError, match="full"), instants.journalling(3, after=NEVER):
        raise OSError("full")
    instants.indexed(first)
    instants.view(AT + HOUR)


def test_views_go_on_though_records_never_end() -> None:
    """A view waits for what was there when it came, and not for what comes while it waits."""
    clock = SimulatedClock(AT)
    instants = Instants(clock)
    (first,) = journalled(instants)

    def more() -> None:
        clock.advance_to(AT + HOUR)
        journalled(instants)
        instants.indexed(first)

    assert waits(instants, AT + 2 * HOUR, more)


def test_a_journal_that_was_opened_is_waited_for_from_where_it_is_indexed() -> None:
    instants = Instants(SimulatedClock(AT))
    instants.resume(AT - HOUR, AT - HOUR / 2)
    instants.view(AT - HOUR)
    assert waits(instants, AT, lambda: instants.indexed(AT - HOUR / 2))


def test_a_view_does_not_wait_for_ever() -> None:
    instants = Instants(SimulatedClock(AT), longest_wait_s=0.01)
    journalled(instants)
    with pytest.raises(BehindError, match="journalled and not yet indexed"):
        instants.view(AT + HOUR)
