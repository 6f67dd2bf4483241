"""The world of an exercise in a real hospital: one run of the twin from where the hospital stood, on luck of its own.

    drill = DrawnDrill(situation, seed)                    # a pure function of these and of the acts at their minutes
    number = drill.act(CapacityChange(pool="doctor", add=2, until_min=480))
    drill.end([number])
    drill.lived(until, without=[number])

An act is a change of the scenario language, in minutes from when it is begun. The run is made again with it on the same
luck: what happened before stays the same to the last patient, and what comes after is told as ordinary events. The law
is the twin's own, so such a world cannot show where the twin errs.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from math import inf
from typing import Literal

import numpy as np

from forecast.drawn_changes import changes_of, require_there
from forecast.drawn_events import Tale
from forecast.ensemble import Run, applied_to, drawn, milestones_of
from forecast.situation import Situation
from forecast.values import Array
from ingest.events import Event
from twin.asked import staffed
from twin.changes import Windowed
from twin.errors import ScenarioError
from twin.fate import Fate, cast
from twin.kernel import run
from twin.law import Discharging, Law
from twin.measures import measure
from twin.minutes import Minutes
from twin.setting import Setting, check_staff, with_change
from twin.story import Story, Visits

MOST_DAYS = 14
"""An exercise lasts no longer: luck is drawn for so long."""
VICTIMS = 1500
"""How many may come of all crises of an exercise: luck is drawn for each."""
STEP_MIN = 15.0
_AHEAD_MIN = 360.0
"""So far the run is made ahead of the world's clock; then it is made again, further."""
_MIN = timedelta(minutes=1)
_DAY_MIN = 1440.0
_COUNTED = ("ed_census", "ed_waiting", "ed_boarders")
_SEED = 0xD211


@dataclass(frozen=True)
class Done:
    """A change, the minute at which it was begun, and that at which it was ended before its time."""

    minute: float
    change: Windowed
    ended_min: float = inf


def seed_of(base: int) -> int:
    """The seed of an exercise's world: none that a forecast ever has."""
    return int(np.random.SeedSequence([base, _SEED]).generate_state(2, np.uint64)[0]) | 1 << 63


class DrawnDrill:
    """The world; acts may come from any thread."""

    law: Literal["own", "twin"] = "twin"

    def __init__(self, situation: Situation, seed: int) -> None:
        self._situation, self._lock = situation, threading.RLock()
        self.begun_at = situation.as_of
        self._minutes = Minutes(self.begun_at)
        self._how = Run(1, MOST_DAYS * _DAY_MIN, seed=seed)
        [self._present], self._luck = drawn(situation, self._how, range(1), reserve=VICTIMS)
        usual = applied_to(situation, None, self._how)
        # an empty change of discharges from the beginning: wards' clocks are worked out alike with one and without
        self._usual = replace(usual, law=Law(discharging=(Discharging(),)))
        self._done: list[Done] = []
        self._now_min = 0.0
        self._silent_until_min = 0.0
        self._tale = Tale(situation, self._present, self._usual.capacity)
        self._ran = self._run([])

    # --- what can be done -------------------------------------------------------------------------------------------

    @property
    def units(self) -> Sequence[str]:
        """Wards whose beds can be closed: those whose number is known, and for which patients queue."""
        c = self._situation.calibration
        return tuple(u.name for u in c.hospital.wards if u.name in c.beds_known and u.pool in c.path.pools)

    @property
    def pools(self) -> Sequence[str]:
        """Pools of staff that patients queue for and whose number is known."""
        c = self._situation.calibration
        people = {pool for pools in c.hospital.professions.values() for pool in pools}
        return tuple(pool for pool in staffed(c.path) if pool in people & c.hospital.told)

    def check(self, act: Windowed) -> None:
        """Raise ScenarioError for a change that moves nothing here."""
        require_there(self._situation, act, units=self.units, pools=self.pools)

    def act(self, act: Windowed) -> int:
        """Begin a change now; its number. Raises ScenarioError for one that cannot be; then nothing was done."""
        self.check(act)
        with self._lock:
            self._change([*self._done, Done(self._now_min, act)])
            return len(self._done) - 1

    def end(self, numbers: Collection[int]) -> None:
        """Let changes of these numbers end now."""
        with self._lock:
            now = self._now_min
            ended = [
                replace(one, ended_min=min(one.ended_min, now)) if number in numbers else one
                for number, one in enumerate(self._done)
            ]
            if ended != self._done:
                self._change(ended)

    def silence(self, hours: float) -> None:
        """From now on nothing is heard of the world; what happens meanwhile is told at the end, at once."""
        with self._lock:
            self._silent_until_min = self._now_min + hours * 60.0

    # --- how it goes on ---------------------------------------------------------------------------------------------

    @property
    def now_at(self) -> datetime:
        """How far the world has come."""
        with self._lock:
            return self._minutes.at(self._now_min)

    @property
    def done(self) -> tuple[Done, ...]:
        """The acts so far; the number of one is its place."""
        with self._lock:
            return tuple(self._done)

    @property
    def is_silent(self) -> bool:
        """Is nothing heard of it at the moment?"""
        with self._lock:
            return self._now_min < self._silent_until_min

    @property
    def is_over(self) -> bool:
        """Has it come to the end of the luck that was drawn?"""
        with self._lock:
            return self._now_min >= self._how.horizon_min

    def go_on(self, until: datetime) -> list[Event]:
        """Let the world go on; what is to be heard of it since the last time, in order."""
        with self._lock:
            self._now_min = max(self._now_min, min(self._minutes.of(until), self._how.horizon_min))
            if self._now_min > self._ran.until_min - STEP_MIN and self._ran.until_min < self._how.until_min:
                self._ran = self._run(self._done)
            return self._tale.told(self._ran.story, self._ran.fate, self._ran.setting.capacity, self._now_min)

    def count_now(self) -> dict[str, int]:
        """The truth, now: those counts that the path tells."""
        with self._lock:
            counted = self._counted(self._ran, np.array([self._now_min]))
        return {name: int(counted[name][0]) for name in _COUNTED if name in counted}

    def lived(self, until: datetime, *, without: Collection[int] = ()) -> dict[str, Array]:
        """The truth every 15 minutes since the beginning, `(time,)` each: what `count_now` counts, and `arrivals` since
        the beginning; with every act, or but for those of some numbers."""
        last = min(self._minutes.of(until), self._how.horizon_min)
        grid = np.arange(STEP_MIN, last + 1e-6, STEP_MIN)
        ran = self._run(self.done, without, until_min=last + 1.0)
        counted = self._counted(ran, grid)
        return {name: counted[name] for name in (*_COUNTED, "arrivals") if name in counted}

    # --- one run ----------------------------------------------------------------------------------------------------

    def _change(self, done: Sequence[Done]) -> None:
        """Take acts for done; raises ScenarioError where the world cannot be run with them."""
        self._require_staff(done)
        self._ran = self._run(done)
        self._done = list(done)

    def _run(self, done: Sequence[Done], without: Collection[int] = (), until_min: float | None = None) -> _Ran:
        c, setting = self._situation.calibration, self._setting(done, without)
        ahead = min(self._now_min + _AHEAD_MIN, self._how.until_min) if until_min is None else until_min
        fate = cast(c.path, c.parameters, self._luck, self._present, setting.demand, setting.law)
        return _Ran(setting, fate, run(setting.capacity, c.path, fate, self._present, ahead), ahead)

    def _require_staff(self, done: Sequence[Done]) -> None:
        """Raise ScenarioError for acts that leave no doctor or no nurse, or bring too many."""
        hospital, setting = self._situation.calibration.hospital, self._setting(done, ())
        check_staff(self._usual, setting, hospital, self._how.until_min)
        if setting.demand.victims > VICTIMS:
            raise ScenarioError(f"the victims of an exercise may be {VICTIMS}, but are {setting.demand.victims}")

    def _setting(self, done: Sequence[Done], without: Collection[int]) -> Setting:
        """The usual setting with every act but those of some numbers."""
        hospital, setting = self._situation.calibration.hospital, self._usual
        for number, one in enumerate(done):
            ended_min = one.minute if number in without else one.ended_min
            for change in changes_of(one.change, one.minute, ended_min, self._usual.capacity, hospital):
                setting = with_change(setting, change, hospital)
        return setting

    def _counted(self, ran: _Ran, grid_min: Array) -> dict[str, Array]:
        milestones = milestones_of(self._situation.calibration)
        counted = measure(ran.visits, grid_min, milestones=milestones)
        came = np.sort(ran.visits.arrived_min[ran.visits.arrived_min > 0.0])
        return counted | {"arrivals": np.searchsorted(came, grid_min, side="right").astype(np.float64)}


@dataclass(frozen=True, eq=False)
class _Ran:
    """A run of the world, up to a minute."""

    setting: Setting
    fate: Fate
    story: Story
    until_min: float

    @cached_property
    def visits(self) -> Visits:
        return Visits.of(self.story, self.fate.acuity)
