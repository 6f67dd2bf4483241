"""A fabricated world in which an exercise is held: acts are put into it while it runs, and it can be lived again.

    drill = FabricatedDrill(world)                         # from where the world is now
    drill.act(act); drill.go_on(until)                     # what is to be heard of it since the last time
    drill.end([3])                                        # the act of number 3 ends now
    drill.lived(until)                                    # what happened, counted every 15 minutes
    drill.lived(until, without=[3])                       # what would have, but for the act of number 3

What happens follows from where the exercise began and from the acts at their minutes, so the same hospital lived again
with the same acts is the same to the last patient; without one of them it is the world in which it was not done.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from ingest.events import Arrived, Event
from twin.fabricated_acts import Act, Pool, begin, end, require_unit
from twin.fabricated_facts import HOUR_MIN
from twin.fabricated_hospital import WARDS
from twin.fabricated_house import House
from twin.fabricated_world import World

STEP_MIN = 15.0


@dataclass(frozen=True)
class Done:
    """An act, or the end of the one of a number, and the minute of the world at which it was."""

    minute: float
    number: int
    act: Act | None
    """None for its end."""


class FabricatedDrill:
    """The world of an exercise; acts may come from any thread."""

    law: Literal["own", "twin"] = "own"

    def __init__(self, world: World) -> None:
        self._world, self._lock = world, threading.RLock()
        self._origin = world.snapshot()
        self._done: list[Done] = []
        self._acts = 0
        self._silent_until_min = 0.0
        self.begun_at = world.now_at

    @property
    def now_at(self) -> datetime:
        """How far the world has come."""
        with self._lock:
            return self._world.now_at

    @property
    def is_over(self) -> bool:
        """It goes on without end."""
        return False

    @property
    def units(self) -> Sequence[str]:
        """Wards whose beds can be closed."""
        return WARDS

    @property
    def pools(self) -> Sequence[str]:
        """Pools of staff of whom some can be away."""
        return get_args(Pool)

    @property
    def done(self) -> tuple[Done, ...]:
        """The acts so far, and their ends."""
        with self._lock:
            return tuple(self._done)

    def check(self, act: Act) -> None:
        """Raise FabricationError for an act that cannot be."""
        require_unit(act)

    def act(self, act: Act) -> int:
        """Begin an act now; its number. Raises FabricationError for one that cannot be; then nothing was done."""
        self.check(act)
        with self._lock:
            number = self._acts
            self._world.begin(act, number)
            self._acts += 1
            self._done.append(Done(self._world.minute, number, act))
            return number

    def end(self, numbers: Collection[int]) -> None:
        """Let acts of these numbers end now; one that is over stays as it is."""
        with self._lock:
            for number in numbers:
                self._world.end(number)
                self._done.append(Done(self._world.minute, number, None))

    def silence(self, hours: float) -> None:
        """From now on nothing is heard of the world; what happens meanwhile is told at the end, at once."""
        with self._lock:
            self._silent_until_min = self._world.minute + hours * HOUR_MIN

    @property
    def is_silent(self) -> bool:
        """Is nothing heard of it at the moment?"""
        with self._lock:
            return self._world.minute < self._silent_until_min

    def count_now(self) -> dict[str, int]:
        """The truth, now."""
        with self._lock:
            return self._world.count_now()

    def go_on(self, until: datetime) -> list[Event]:
        """Let the world go on; what is to be heard of it since the last time."""
        with self._lock:
            return self._world.run_until(until)

    def lived(self, until: datetime, *, without: Collection[int] = ()) -> dict[str, npt.NDArray[np.float64]]:
        """The truth every 15 minutes since the beginning, `(time,)` each: `ed_census`, `ed_waiting`, `ed_boarders`, and
        `arrivals` since the beginning; with every act, or but for those of some numbers."""
        house = House.go_on(self._origin)
        house.timeline.facts = []
        acts = [one for one in self.done if one.number not in without]
        last = self._origin.minute + (until - self.begun_at) / timedelta(minutes=1)
        counts = []
        for minute in np.arange(self._origin.minute + STEP_MIN, last + 1e-6, STEP_MIN):
            while acts and acts[0].minute <= minute:
                _again(house, acts.pop(0))
            house.run_until(float(minute))
            came = sum(fact.kind is Arrived for fact in house.timeline.facts)
            counts.append({**house.count_now(), "arrivals": came})
        names = ("ed_census", "ed_waiting", "ed_boarders", "arrivals")
        return {name: np.array([at[name] for at in counts], dtype=float) for name in names}


def _again(house: House, one: Done) -> None:
    """Do to a house what was done, at its minute."""
    house.run_until(one.minute)
    if one.act is None:
        end(house, one.number)
    else:
        begin(house, one.act, one.number)
