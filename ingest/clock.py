"""The one clock: the only source of now, of sleeping, and of zones.

`WallClock` is the world's. `SimulatedClock` runs from a stated instant at a stated speed, can be held (a late
cycle is waited for) and can be stepped by hand (speed 0); replay, exercise and tests use it. Nothing else in the
house calls `datetime.now`, `time` or `random`: `tests/test_lint.py` holds it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """What every part of the house knows of time."""

    def now(self) -> datetime:
        """The present instant, aware UTC."""

    def sleep_until(self, instant: datetime, wake: threading.Event | None = None) -> bool:
        """Wait until the instant; True when it came, False when `wake` was set before."""

    def wall_seconds_until(self, instant: datetime) -> float:
        """Seconds of the world's time until the instant comes; 0 or less when it has come."""


class WallClock:
    """The world's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep_until(self, instant: datetime, wake: threading.Event | None = None) -> bool:
        return _sleep(self, instant, wake)

    def wall_seconds_until(self, instant: datetime) -> float:
        return (instant - self.now()).total_seconds()


class SimulatedClock:
    """A clock that starts at an instant and runs `speed` times as fast as the world's.

    Speed 0 stands still until `advance_to`. `held()` stops it while a block runs, so that a replay waits for a late
    cycle. The time never goes back.
    """

    def __init__(self, start: datetime, *, speed: float = 0.0) -> None:
        if start.tzinfo is None:
            raise ValueError(f"start must be aware, but is {start}")
        if speed < 0:
            raise ValueError(f"speed must be 0 or more, but is {speed}")
        self._lock = threading.RLock()
        self._moved = threading.Condition(self._lock)
        self._base = start.astimezone(UTC)
        self._since = time.monotonic()
        self._speed = speed
        self._holders = 0

    def now(self) -> datetime:
        with self._lock:
            return self._base + self._run()

    def advance_to(self, instant: datetime) -> None:
        """Jump forward to the instant; an instant already past is a no-op."""
        with self._moved:
            self._settle()
            self._base = max(self._base, instant)
            self._moved.notify_all()

    @contextmanager
    def held(self) -> Iterator[None]:
        """The clock stands still inside the block; blocks may overlap."""
        with self._lock:
            self._settle()
            self._holders += 1
        try:
            yield
        finally:
            with self._moved:
                self._settle()
                self._holders -= 1
                self._moved.notify_all()

    def sleep_until(self, instant: datetime, wake: threading.Event | None = None) -> bool:
        return _sleep(self, instant, wake)

    def wall_seconds_until(self, instant: datetime) -> float:
        with self._lock:
            remaining = (instant - self.now()).total_seconds()
            if remaining <= 0:
                return remaining
            return remaining / self._speed if self._speed else float("inf")

    def _run(self) -> timedelta:
        if self._holders or not self._speed:
            return timedelta(0)
        return timedelta(seconds=(time.monotonic() - self._since) * self._speed)

    def _settle(self) -> None:
        self._base, self._since = self._base + self._run(), time.monotonic()


_LONGEST_NAP_S = 0.2


def _sleep(clock: Clock, instant: datetime, wake: threading.Event | None) -> bool:
    """Naps short enough that a held, advanced or stepped clock, and a wake, are seen soon."""
    waiter = wake or threading.Event()
    while (remaining_s := clock.wall_seconds_until(instant)) > 0:
        if waiter.wait(min(remaining_s, _LONGEST_NAP_S)):
            return False
    return True


def stopwatch() -> float:
    """Seconds on a clock that only goes forward, for measuring how long work takes."""
    return time.monotonic()


def local(instant: datetime, zone: str) -> datetime:
    """The instant as wall-clock time in a zone."""
    return instant.astimezone(ZoneInfo(zone))


def resolve(naive: datetime, zone: str) -> tuple[datetime, str | None]:
    """A local time without offset as UTC, and a flag: None, "ambiguous" or "missing".

    The repeated hour of autumn is taken as its first passage (fold 0) and flagged; the hour that spring skips is
    moved forward by the gap and flagged.
    """
    tz = ZoneInfo(zone)
    first = naive.replace(tzinfo=tz, fold=0).astimezone(UTC)
    second = naive.replace(tzinfo=tz, fold=1).astimezone(UTC)
    if first == second:
        return first, None
    missing = first.astimezone(tz).replace(tzinfo=None) != naive
    return first, "missing" if missing else "ambiguous"
