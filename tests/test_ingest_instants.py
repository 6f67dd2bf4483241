"""Batches and views do not cross: a view waits for the batch it must hold, a batch comes after every view."""

from __future__ import annotations

import threading
from datetime import timedelta

from ingest.clock import SimulatedClock
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
