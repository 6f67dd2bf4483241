"""An exercise under way: what the instructor puts in, what players decide at the desk, and what each did to the world.

    exercise = Exercise(world, clock, script, how, speed=60, record=file)
    exercise.join(players)                      # once the house is wired
    feed = exercise.feed(log, stop)             # the only way from the world into the sandbox's log
    exercise.put(inject); exercise.plan(inject, 20); exercise.cancel(3); exercise.view("?view=nurses")

The world is one of `drill_world.py`. What a manager adopts at the desk is done to it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from dashboard.drill_acts import put_into, require_possible
from dashboard.drill_decisions import Decisions, Players
from dashboard.drill_record import keep, record_of
from dashboard.drill_script import AnyInject, EndInject, OutageInject, plain
from dashboard.drill_world import DrillWorld
from forecast.compare_view import Named
from forecast.ensemble import Run
from forecast.exercise_view import ExerciseView, InjectView
from ingest.clock import Clock
from ingest.errors import EdtwinError
from ingest.log import EventLog
from ingest.sources.feed import Feed
from ingest.sources.paced import paced

MODE = "exercise"
SOURCE = "exercise"
MOST_SCHEDULED = 200
_MIN = timedelta(minutes=1)
By = Literal["script", "instructor"]


@dataclass(frozen=True)
class Scheduled:
    """An inject that is to come."""

    number: int
    at: datetime
    inject: AnyInject
    by: By


class Exercise:
    """One exercise; safe to be called from several threads."""

    def __init__(
        self, drill: DrillWorld, clock: Clock, script: Sequence[AnyInject], how: Run, *, speed: float,
        record: Path | None,
    ) -> None:  # fmt: skip
        """Raises EdtwinError for a script that asks for what this world cannot know."""
        self.drill, self._clock, self._speed, self._record = drill, clock, speed, record
        self._lock = threading.RLock()
        self._scheduled: list[Scheduled] = []
        self._numbered = self._changed = 0
        self._injects: list[InjectView] = []
        self._decisions = Decisions(drill, how, self.save)
        self._players: Players | None = None
        self._silent_until: datetime | None = None
        self._ended_at: datetime | None = None
        for inject in script:
            self.plan(inject, inject.at_min, "script")

    def join(self, players: Players) -> None:
        """Let players act on the world through a desk."""
        with self._lock:
            self._decisions.join(players)
            self._players = players

    def feed(self, log: EventLog, stop: threading.Event) -> Feed:
        """What brings the world's events into the sandbox's log."""
        told = paced(self.drill, self._clock, stop, self._each)
        return Feed(log, SOURCE, told, stop, is_whole=self.drill.law == "own")

    # --- the instructor -------------------------------------------------------------------------------------------

    def put(self, inject: AnyInject, by: By = "instructor") -> None:
        """Put an inject in, now. Raises EdtwinError for one that cannot be; then nothing was done."""
        with self._lock:
            self._require_going_on()
            put_into(self.drill, inject, seed=len(self._injects) + 1)
            now = self.drill.now_at
            if isinstance(inject, OutageInject):
                self.drill.silence(inject.hours)
                self._silent_until = now + timedelta(hours=inject.hours)
            if isinstance(inject, EndInject):
                self._ended_at = now
            self._told(InjectView(now, plain(inject), by))
        self.save()

    def plan(self, inject: AnyInject, in_min: float, by: By = "instructor") -> int:
        """Put an inject in later, so many minutes from now; its number. Raises EdtwinError for one that cannot be."""
        with self._lock:
            self._require_going_on()
            require_possible(self.drill, inject)
            if len(self._scheduled) >= MOST_SCHEDULED:
                raise EdtwinError(f"{MOST_SCHEDULED} injects are to come already: cancel one first")
            self._numbered, self._changed = self._numbered + 1, self._changed + 1
            one = Scheduled(self._numbered, self.drill.now_at + in_min * _MIN, inject, by)
            self._scheduled = sorted([*self._scheduled, one], key=lambda one: (one.at, one.number))
            return one.number

    def cancel(self, number: int) -> None:
        """Do not put in what was to come under a number. Raises EdtwinError where nothing is to come under it."""
        with self._lock:
            left = [one for one in self._scheduled if one.number != number]
            if len(left) == len(self._scheduled):
                raise EdtwinError(f"nothing is to come under the number {number}")
            self._scheduled, self._changed = left, self._changed + 1

    def _require_going_on(self) -> None:
        if self._ended_at is not None:
            raise EdtwinError("the exercise is over")

    def _told(self, inject: InjectView) -> None:
        self._injects.append(inject)
        self._changed += 1

    # --- what goes on by itself -------------------------------------------------------------------------------------

    def _each(self) -> bool:
        """What is due is put in, what was decided is done; False when the exercise is over."""
        with self._lock:
            while self._scheduled and self._scheduled[0].at <= self.drill.now_at and self._ended_at is None:
                self._due(self._scheduled.pop(0))
            self._decisions.look()
            if self.drill.is_over and self._ended_at is None:
                self.put(EndInject(kind="end"), "script")
            return self._ended_at is None

    def _due(self, one: Scheduled) -> None:
        """Put it in; one that cannot be any more stands in the timeline with the reason, and the exercise goes on."""
        try:
            self.put(one.inject, one.by)
        except EdtwinError as fault:
            self._told(InjectView(self.drill.now_at, plain(one.inject), one.by, fault=str(fault)))

    # --- told -------------------------------------------------------------------------------------------------------

    @property
    def units(self) -> Sequence[str]:
        """Wards whose beds can be closed."""
        return self.drill.units

    @property
    def pools(self) -> Sequence[str]:
        """Pools of staff of whom some can be away."""
        return self.drill.pools

    @property
    def names(self) -> dict[str, tuple[str, str]]:
        """What the hospital calls its units and its pools of staff, in French and in English."""
        if self._players is None:
            return {}
        hospital = self._players.hospital
        units = {one.name: (one.fr, one.en) for one in hospital.units}
        return units | {one.name: (one.fr, one.en) for one in hospital.rosters}

    def view(self, query: str = "") -> ExerciseView:
        """The exercise as it stands, its advice from the point of view that an address asks for."""
        players = self._players
        study = players.study if players else None
        views = study.points_of_view.views if study else {}
        asked = next((name for name in views if f"view={name}" in query), next(iter(views), ""))
        with self._lock:
            now = self.drill.now_at
            silent = self._silent_until if self._silent_until and self._silent_until > now else None
            return ExerciseView(
                # a page is filled anew when this changes: what the instructor does counts as a moment
                made_at=now + self._changed * timedelta.resolution, zone=players.hospital.zone if players else "UTC",
                hospital=players.hospital.name if players else "", mode=MODE, begun_at=self.drill.begun_at,
                ended_at=self._ended_at, speed=self._speed, injects=tuple(self._injects),
                scheduled=tuple(self._to_come()), decisions=self._decisions.made(asked),
                silent_until=silent, held=self._decisions.held,
                counts=self.drill.count_now(), law=self.drill.law, names=self.names, view=asked,
                views=tuple(Named(one.name, one.fr, one.en) for one in views.values()),
            )  # fmt: skip

    def _to_come(self) -> list[InjectView]:
        return [InjectView(one.at, plain(one.inject), one.by, one.number) for one in self._scheduled]

    def save(self) -> None:
        """Keep the debrief's record."""
        if self._record is not None:
            with self._lock:
                keep(self._record, self.record())

    def record(self) -> dict[str, Any]:
        """All that the debrief tells, from every point of view, as plain values."""
        views = self._players.study.points_of_view.views if self._players else {"": None}
        first = self.view("")
        made = {name: replace(first, decisions=self._decisions.made(name), view=name) for name in views}
        return record_of(made)
