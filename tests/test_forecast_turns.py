"""Turns of the house's clock, and the trigger that wakes the scheduler for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from forecast.turns import OnClock, turn_of
from ingest.clock import SimulatedClock

AT = datetime(2026, 3, 2, 13, 7, 23, tzinfo=UTC)
NOW = datetime(2030, 1, 1, tzinfo=UTC)
"""The world's time, which has nothing to do with the house's."""
TEN = timedelta(minutes=10)


def test_a_turn_begins_at_each_whole_multiple() -> None:
    first = AT.replace(minute=0, second=0)
    number = turn_of(first, TEN)
    minutes = (0, 9.99, 10, 19.99, 20)
    assert [turn_of(first + timedelta(minutes=m), TEN) - number for m in minutes] == [0, 0, 1, 1, 2]


def test_it_fires_at_once_then_at_the_next_multiple_of_the_houses_clock() -> None:
    clock = SimulatedClock(AT, speed=600.0)
    trigger = OnClock(clock, TEN)
    with clock.held():
        assert trigger.get_next_fire_time(None, NOW) == NOW
        until_s = (trigger.get_next_fire_time(NOW, NOW) - NOW).total_seconds()
        assert abs(until_s - 157.0 / 600.0) < 0.01  # 13:10 is 2 min 37 s away


def test_on_a_multiple_it_waits_for_the_next() -> None:
    clock = SimulatedClock(AT.replace(minute=10, second=0), speed=1.0)
    trigger = OnClock(clock, TEN)
    with clock.held():
        trigger.get_next_fire_time(None, NOW)
        assert abs((trigger.get_next_fire_time(NOW, NOW) - NOW).total_seconds() - 600.0) < 1.0


def test_a_clock_that_stands_still_is_looked_at_again_within_the_hour() -> None:
    trigger = OnClock(SimulatedClock(AT), TEN)
    trigger.get_next_fire_time(None, NOW)
    assert trigger.get_next_fire_time(NOW, NOW) == NOW + timedelta(hours=1)
