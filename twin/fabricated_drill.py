"""A fabricated world in which an exercise is held: acts are put into it while it runs, and it can be lived again.

    drill = Drill(world)                                  # from where the world is now
    for batch in drill.live(clock, stop, each=poll): ...  # `poll` may call drill.act(..), drill.silence(hours)
    drill.lived(until)                                    # what happened, counted every 15 minutes
    drill.lived(until, without=(3,))                      # what would have, but for the act of number 3

What happens follows from where the exercise began and from the acts at their minutes, so the same hospital lived again
with the same acts is the same to the last patient; without one of them it is the world in which it was not done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from ingest.clock import Clock
from ingest.events import Arrived, Event
from twin.fabricated_acts import Act, begin
from twin.fabricated_facts import HOUR_MIN
from twin.fabricated_house import House
from twin.fabricated_world import World

PACE = timedelta(seconds=30)
"""So often, of the world's time, the world goes on."""
STEP_MIN = 15.0


@dataclass(frozen=True)
class Done:
    """An act, and the minute of the world at which it was begun."""

    minute: float
    at: datetime
    act: Act


class Drill:
    """The world of an exercise; acts may come from any thread."""

    def __init__(self, world: World) -> None:
        self._world, self._lock = world, threading.RLock()
        self._origin = world.snapshot()
        self._done: list[Done] = []
        self._silent_until_min = 0.0
        self.begun_at = world.now_at

    @property
    def now_at(self) -> datetime:
        """How far the world has come."""
        with self._lock:
            return self._world.now_at

    @property
    def done(self) -> tuple[Done, ...]:
        """The acts so far; the number of one is its place."""
        with self._lock:
            return tuple(self._done)

    def act(self, act: Act) -> int:
        """Begin an act now; its number. Raises FabricationError for one that cannot be; then nothing was done."""
        with self._lock:
            self._world.begin(act)
            self._done.append(Done(self._world.minute, self._world.now_at, act))
            return len(self._done) - 1

    def silence(self, hours: float) -> None:
        """From now on nothing is heard of the world; what happens meanwhile is told at the end, at once."""
        with self._lock:
            self._silent_until_min = self._world.minute + hours * HOUR_MIN

    def count_now(self) -> dict[str, int]:
        """The truth, now."""
        with self._lock:
            return self._world.count_now()

    def live(self, clock: Clock, stop: threading.Event, each: Callable[[], bool]) -> Iterator[list[Event]]:
        """What the feed delivers, as the clock goes on, until `stop`, or until `each` says that it is over.

        `each` is called before the world goes on.
        """
        held: list[Event] = []
        while clock.sleep_until(self.now_at + PACE, stop) and not stop.is_set():
            if not each():
                return
            with self._lock:
                held += self._world.run_until(clock.now())
                silent = self._world.minute < self._silent_until_min
            if held and not silent:
                yield held
                held = []

    def lived(self, until: datetime, *, without: Collection[int] = ()) -> dict[str, np.ndarray]:
        """The truth every 15 minutes since the beginning, `(time,)` each: `ed_census`, `ed_waiting`, `ed_boarders`, and
        `arrivals` since the beginning; with every act, or but for those of some numbers."""
        house = House.go_on(self._origin)
        house.timeline.facts = []
        acts = [one for number, one in enumerate(self.done) if number not in without]
        last = self._origin.minute + (until - self.begun_at) / timedelta(minutes=1)
        counts = []
        for minute in np.arange(self._origin.minute + STEP_MIN, last + 1e-6, STEP_MIN):
            while acts and acts[0].minute <= minute:
                one = acts.pop(0)
                house.run_until(one.minute)
                begin(house, one.act)
            house.run_until(float(minute))
            came = sum(fact.kind is Arrived for fact in house.timeline.facts)
            counts.append({**house.count_now(), "arrivals": came})
        names = ("ed_census", "ed_waiting", "ed_boarders", "arrivals")
        return {name: np.array([at[name] for at in counts], dtype=float) for name in names}
