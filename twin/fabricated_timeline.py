"""The course of time in the fabricated hospital: what is due when, the wall clock of the place, the facts noted.

Time is minutes from an origin, a local midnight. Everything that will happen is an entry of one heap. A fact is what
truly happened; how it is recorded, late or never, is the business of `twin/fabricated_records.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ingest.events import Event, UnitId
from twin.fabricated_chance import Dice
from twin.fabricated_facts import HOUR_MIN, NIGHT, STAY_STEPS, Delay


class Fact(NamedTuple):
    """What truly happened: `key` is the visit's number, or the unit or pool; `place` the unit it happened in."""

    at_min: float
    kind: type[Event]
    key: int | str
    place: UnitId | None
    fields: dict[str, Any]


Action = Callable[[Any], None]
Entry = tuple[float, int, Action, Any, Delay | None, float]
"""Due at, order, what, on whom, and for what can be drawn again: the delay and when it began."""


class Timeline:
    """The heap, the present minute, and the hour, weekday and date on the wall."""

    def __init__(self, origin_at: datetime, zone: str) -> None:
        self.origin_at = origin_at
        self.now = 0.0
        self.hour = 0
        self.weekday = 0
        self.day_of_year = 1
        self.month_day = (1, 1)
        self.facts: list[Fact] | None = []
        self.slower = 1.0
        """On the steps of a stay (`STAY_STEPS`)."""
        self._zone = zone
        self._heap: list[Entry] = []
        self._order = 0

    def at(self, minute: float, action: Action, subject: Any = None) -> None:
        """Do `action(subject)` at a fixed minute."""
        self._order += 1
        heappush(self._heap, (minute, self._order, action, subject, None, 0.0))

    def after(self, delay: Delay, action: Action, subject: Any, dice: Dice, factor: float = 1.0) -> None:
        """Do `action(subject)` when a delay drawn now, times a factor, has passed."""
        longer = self.slower if delay in STAY_STEPS else 1.0
        drawn = Delay(delay.median_min * factor * longer, delay.sigma)
        due = self.now + dice.lognormal(drawn.median_min, drawn.sigma)
        self._order += 1
        heappush(self._heap, (due, self._order, action, subject, drawn, self.now))

    def run_until(self, minute: float) -> None:
        """Let everything happen that is due by the minute."""
        heap = self._heap
        while heap and heap[0][0] <= minute:
            entry = heappop(heap)
            self.now = entry[0]
            entry[2](entry[3])
        self.now = minute

    def redraw(self, dice: Dice) -> None:
        """Draw the rest of every delay under way anew, given how long it has lasted; fixed times stay."""
        self._heap = [self._redrawn(entry, dice) for entry in self._heap]
        heapify(self._heap)

    def forget(self, action: Action) -> None:
        """Take every entry of an action off the heap."""
        self._heap = [entry for entry in self._heap if entry[2] != action]
        heapify(self._heap)

    def note(self, kind: type[Event], key: int | str, place: UnitId | None = None, **fields: Any) -> None:
        """Write down a fact; a run whose facts nobody reads has `facts` None."""
        if self.facts is not None:
            self.facts.append(Fact(self.now, kind, key, place, fields))

    def read_wall_clock(self) -> bool:
        """Set hour, weekday and date to the local ones of now; True when a new day has begun."""
        wall = (self.origin_at + timedelta(minutes=self.now)).astimezone(ZoneInfo(self._zone))
        before = self.month_day
        self.hour, self.weekday, self.day_of_year = wall.hour, wall.weekday(), wall.timetuple().tm_yday
        self.month_day = (wall.month, wall.day)
        return self.month_day != before

    @property
    def hour_ends(self) -> float:
        """The minute at which the present hour ends."""
        return (self.now // HOUR_MIN + 1.0) * HOUR_MIN

    @property
    def night(self) -> bool:
        return self.hour in NIGHT

    def _redrawn(self, entry: Entry, dice: Dice) -> Entry:
        _, order, action, subject, delay, began = entry
        if delay is None:
            return entry
        due = self.now + dice.lognormal_rest(delay.median_min, delay.sigma, self.now - began)
        return (due, order, action, subject, delay, began)
