"""The one clock: now, sleeping and zones."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.clock import Clock, SimulatedClock, WallClock, local, resolve, stopwatch

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_wall_clock_goes_on_and_is_aware() -> None:
    clock = WallClock()
    first, second = clock.now(), clock.now()
    assert first <= second
    assert first.tzinfo is UTC
    assert clock.wall_seconds_until(second - HOUR) < 0 < clock.wall_seconds_until(second + HOUR)


def test_a_stopwatch_never_goes_back() -> None:
    readings = [stopwatch() for _ in range(5)]
    assert readings == sorted(readings)


def test_a_clock_of_speed_zero_stands_until_it_is_moved_and_never_goes_back() -> None:
    clock = SimulatedClock(AT)
    assert clock.now() == clock.now() == AT
    clock.advance_to(AT + HOUR)
    clock.advance_to(AT)
    assert clock.now() == AT + HOUR
    assert clock.wall_seconds_until(AT + 2 * HOUR) == float("inf")
    assert clock.wall_seconds_until(AT) <= 0


def test_a_clock_runs_at_its_speed_and_is_held_inside_the_block() -> None:
    clock = SimulatedClock(AT, speed=3600)
    assert clock.sleep_until(AT + timedelta(minutes=2))
    assert clock.now() >= AT + timedelta(minutes=2)
    with clock.held():
        first = clock.now()
        WallClock().sleep_until(WallClock().now() + timedelta(milliseconds=20))
        with clock.held():
            assert clock.now() == first
        assert clock.now() == first
    assert clock.wall_seconds_until(first + HOUR) == pytest.approx(1, abs=0.5)
    assert clock.sleep_until(first + timedelta(seconds=1))


@pytest.mark.parametrize("clock", [SimulatedClock(AT), SimulatedClock(AT, speed=1), WallClock()])
def test_a_sleeper_can_be_woken(clock: Clock) -> None:
    wake = threading.Event()
    wake.set()
    assert clock.sleep_until(clock.now() + HOUR, wake) is False
    assert clock.sleep_until(clock.now() - HOUR, wake) is True


def test_a_sleeper_sees_that_the_clock_was_moved() -> None:
    clock = SimulatedClock(AT)
    slept: list[bool] = []
    sleeper = threading.Thread(target=lambda: slept.append(clock.sleep_until(AT + HOUR)))
    sleeper.start()
    clock.advance_to(AT + HOUR)
    sleeper.join(5)
    assert slept == [True]


def test_a_start_without_a_zone_and_a_negative_speed_are_refused() -> None:
    with pytest.raises(ValueError, match="start must be aware"):
        SimulatedClock(AT.replace(tzinfo=None))
    with pytest.raises(ValueError, match="speed must be 0 or more, but is -1"):
        SimulatedClock(AT, speed=-1)


PARIS = "Europe/Paris"


@pytest.mark.parametrize(
    ("naive", "utc", "flag"),
    [
        (datetime(2026, 1, 15, 12), datetime(2026, 1, 15, 11, tzinfo=UTC), None),
        (datetime(2026, 7, 15, 12), datetime(2026, 7, 15, 10, tzinfo=UTC), None),
        (datetime(2026, 10, 25, 1, 59), datetime(2026, 10, 24, 23, 59, tzinfo=UTC), None),
        (datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "ambiguous"),
        (datetime(2026, 10, 25, 3, 0), datetime(2026, 10, 25, 2, 0, tzinfo=UTC), None),
        (datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "missing"),
        (datetime(2026, 3, 29, 3, 0), datetime(2026, 3, 29, 1, 0, tzinfo=UTC), None),
    ],
)
def test_local_times_around_the_clock_changes(naive: datetime, utc: datetime, flag: str | None) -> None:
    assert resolve(naive, PARIS) == (utc, flag)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)), st.sampled_from([PARIS, "America/Toronto", "UTC"]))
@settings(max_examples=100)
def test_a_local_time_that_exists_once_comes_back(naive: datetime, zone: str) -> None:
    utc, flag = resolve(naive, zone)
    shown = local(utc, zone).replace(tzinfo=None)
    assert utc.tzinfo is UTC
    assert (shown == naive) == (flag != "missing")
    assert shown - naive in {timedelta(0), HOUR}
