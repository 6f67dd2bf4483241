"""A fabricated hospital that goes on: run it up to now for its history, then live from now, in one and the same world.

`twin/fabricate.py` is the front door.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from ingest.clock import Clock
from ingest.events import Arrived, Departed, EnteredWard, Event, Moved
from twin.fabricated_acts import Act, begin, end
from twin.fabricated_facts import DAY_MIN
from twin.fabricated_hospital import UNITS, FabricatedHospital, FabricationError, LevelShift
from twin.fabricated_house import House, Snapshot, hidden_start
from twin.fabricated_records import EXITS, Faults, Habits, Recorder, ends_visit
from twin.fabricated_stores import Stores, Truth
from twin.fabricated_timeline import Fact

Progress = Callable[[float], None]
"""Told the share of the work that is done, 0 to 1."""

_ROUNDING = timedelta(microseconds=1)
"""Instants are whole microseconds: one later, what is due has been reached."""
_LOOK_AHEAD_MIN = 1.0
"""Live, the world is run at most this far ahead of the clock."""
_STRIDE_MIN = 1440.0


class World:
    """One fabricated hospital from `start` on, determined by its seed.

    Patients inside at `start` have their history told: those in the department from their arrival, those in a ward by
    the time they entered it. With a `shift` the level changes on the way. With `stores` its stocks are counted and
    deliveries told (1: full stocks, less: lean ones); whatever else happens and is told is the same. `facts` holds all
    that truly happened since, if `keep_facts`.
    """

    def __init__(
        self,
        hospital: FabricatedHospital,
        start: datetime,
        seed: int,
        *,
        faults: Faults | None = None,
        habits: Habits | None = None,
        shift: LevelShift | None = None,
        keep_facts: bool = False,
        stores: float = 0.0,
    ) -> None:
        if start.tzinfo is None:
            raise FabricationError(f"start must be aware, but is {start}")
        self.hospital, self.seed = hospital, seed
        self.start_at = start.astimezone(UTC)
        self.origin_at = hidden_start(hospital, self.start_at)
        self.facts: list[Fact] = []
        self._keep_facts = keep_facts
        self._house = House(hospital, self.start_at, seed)
        start_min = self._minute(self.start_at)
        self._recorder = Recorder(
            self.origin_at, start_min, hospital.zone, seed, habits or Habits(), faults or Faults()
        )
        self._stores = (
            Stores(self.origin_at, hospital.zone, seed, keep_truth=keep_facts, lean=stores) if stores else None
        )
        self._begin(start_min)
        if shift is not None:
            self._house.timeline.at(start_min + shift.after_days * DAY_MIN, self._house.shift_level, shift)

    @property
    def now_at(self) -> datetime:
        """The instant up to which the hospital has been run."""
        return self._recorder.at(self._house.minute)

    def run_until(self, instant: datetime, progress: Progress | None = None) -> list[Event]:
        """Let time pass; the events delivered since the last call, in that order. An instant in the past gives none."""
        begin, end = self._house.minute, self._minute(instant)
        while self._house.minute < end:
            self._advance(min(end, self._house.minute + _STRIDE_MIN))
            if progress is not None:
                progress((self._house.minute - begin) / (end - begin))
        return self._recorder.delivered_until(end)

    def rest(self) -> list[Event]:
        """What has happened and is yet to be delivered."""
        return self._recorder.delivered_until(float("inf"))

    def live(self, clock: Clock, stop: threading.Event) -> Iterator[list[Event]]:
        """Without end: the events delivered since the last batch, as soon as the clock reaches them; ends at `stop`."""
        while not stop.is_set():
            due = self._recorder.next_min
            if due is not None and due <= self._house.minute:
                instant = self._recorder.at(due) + _ROUNDING
                if not clock.sleep_until(instant, stop):
                    return
                if batch := self.run_until(max(instant, clock.now())):
                    yield batch
            else:
                self._advance(self._house.minute + _LOOK_AHEAD_MIN)

    @property
    def minute(self) -> float:
        """The same in minutes since the hidden start."""
        return self._house.minute

    def begin(self, act: Act, number: int) -> None:
        """What is done to the hospital, from now on; by its number it can be ended."""
        begin(self._house, act, number)

    def end(self, number: int) -> None:
        """What was begun under a number ends now."""
        end(self._house, number)

    def snapshot(self) -> Snapshot:
        """The true state, now: what the oracle runs on from."""
        return self._house.snapshot()

    def count_now(self) -> dict[str, int]:
        """The truth, now: `ed_census`, `ed_waiting` (not yet seen) and `ed_boarders`."""
        return self._house.count_now()

    def _advance(self, minute: float) -> None:
        self._house.run_until(minute)
        facts = self._house.take_facts()
        if self._stores is not None:
            told = self._stores.follow(facts, minute)
            facts = sorted([*facts, *told], key=lambda fact: fact.at_min) if told else facts
        self._recorder.record(facts)
        if self._keep_facts:
            self.facts += facts

    @property
    def stores_truth(self) -> Truth | None:
        """What the stores truly held and were asked for, if it is kept."""
        return self._stores.truth if self._stores is not None else None

    def _begin(self, start_min: float) -> None:
        """Run the hidden days, tell of the patients inside, and count beds and staff."""
        self._house.run_until(start_min)
        hidden = self._house.take_facts()
        inside = told_at_start(hidden)
        self._house.count_all()
        inside += self._house.take_facts()
        if self._stores is not None:
            self._stores.follow(hidden, start_min)
            inside += self._stores.open(start_min)
        self._recorder.record(inside)
        if self._keep_facts:
            self.facts += inside

    def _minute(self, instant: datetime) -> float:
        return (instant - self.origin_at).total_seconds() / 60.0


def told_at_start(hidden: list[Fact]) -> list[Fact]:
    """Of the hidden days' facts, what the feed tells of those still inside."""
    gone = {fact.key for fact in hidden if ends_visit(fact)}
    in_ward = {fact.key for fact in hidden if fact.kind is EnteredWard or fact.kind is Departed} - gone
    left_ed = {fact.key for fact in hidden if fact.kind in EXITS}
    in_department = {fact.key for fact in hidden if fact.kind is Arrived} - left_ed
    told = []
    for fact in hidden:
        if fact.key in in_department or (fact.key in in_ward and _on_ward(fact)):
            told.append(fact)
        elif fact.key in in_ward and fact.kind is Departed:
            entry = {"unit": fact.fields["unit"], "planned": False}
            told.append(Fact(fact.at_min, EnteredWard, fact.key, fact.fields["unit"], entry))
    return told


def _on_ward(fact: Fact) -> bool:
    return fact.kind is EnteredWard or (fact.kind is Moved and fact.fields["unit"] in UNITS)
