"""Turns: the whole multiples of an interval on the house's clock, and the trigger that tells the scheduler of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apscheduler.triggers.base import BaseTrigger

from ingest.clock import Clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_WAIT_S = 3600.0
"""A clock that stands still is looked at again after this."""


def turn_of(instant: datetime, every: timedelta) -> int:
    """The number of the turn in which an instant lies; turns begin at whole multiples of the interval."""
    return (instant - _EPOCH) // every


class OnClock(BaseTrigger):  # type: ignore[misc]
    """Fires at once, then whenever the house's clock should have reached its next turn.

    It may fire early: the clock may have stood still since, or the turn may lie beyond the longest wait. So whoever is
    woken asks `turn_of` whether a new turn has begun.
    """

    def __init__(self, clock: Clock, every: timedelta) -> None:
        self._clock, self._every = clock, every
        self._begun = False

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """When, on the world's clock, the house's clock will reach the next turn."""
        if not self._begun:
            self._begun = True
            return now
        turn_at = _EPOCH + (turn_of(self._clock.now(), self._every) + 1) * self._every
        return now + timedelta(seconds=min(self._clock.wall_seconds_until(turn_at), _LONGEST_WAIT_S))
