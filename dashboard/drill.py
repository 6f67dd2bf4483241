"""An exercise under way: what the instructor puts in, what players decide at the desk, and what each did to the world.

    exercise = Exercise(Drill(world), clock, script, how, record)
    exercise.join(desk, study, situation, workers, hospital)      # once the house is wired
    feed = exercise.feed(log, stop)                               # the only way from the world into the sandbox's log
    exercise.put(inject); exercise.view("?view=nurses")

The world is the fabricated hospital's, whose law is not the twin's. What a manager adopts at the desk is done to it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dashboard.drill_acts import acts_of
from dashboard.drill_advice import Advice, advised
from dashboard.drill_record import keep, record_of
from dashboard.drill_script import AnyInject, EndInject, OutageInject, plain
from forecast.compare_view import Named
from forecast.desk import Desk
from forecast.ensemble import Run
from forecast.exercise_view import DecisionMade, ExerciseView, HappenedView, InjectView
from forecast.proposals import Proposal
from forecast.situation import Situation
from forecast.study import Study
from ingest.clock import Clock
from ingest.errors import EdtwinError
from ingest.log import EventLog
from ingest.sources.feed import Feed
from twin.fabricated_drill import STEP_MIN, Drill
from twin.hospital import Hospital

logger = logging.getLogger(__name__)

MODE = "exercise"
MEASURES = ("ed_census", "ed_waiting", "ed_boarders")
SOURCE = "exercise"
_MIN = timedelta(minutes=1)


@dataclass(eq=False)
class Decision:
    """A decision at the desk, and what became of it."""

    at: datetime
    proposal: Proposal
    acts: tuple[int, ...]
    lacks: tuple[str, ...]
    advice: dict[str, Advice] = field(default_factory=dict)
    """By point of view."""
    fault: str | None = None
    measured: tuple[int, tuple[HappenedView, ...]] | None = None
    """What happened since, and up to which quarter of an hour that was counted."""


@dataclass(frozen=True)
class Players:
    """What an exercise needs of the house in which it is held."""

    desk: Desk
    study: Study
    situation: Callable[[], Situation | None]
    workers: Executor | None
    hospital: Hospital


class Exercise:
    """One exercise; safe to be called from several threads."""

    def __init__(
        self, drill: Drill, clock: Clock, script: Sequence[AnyInject], how: Run, *, speed: float, record: Path | None
    ) -> None:
        self.drill, self._clock, self._how, self._speed, self._record = drill, clock, how, speed, record
        self._lock = threading.RLock()
        self._scheduled = list(script)
        self._injects: list[InjectView] = []
        self._decisions: list[Decision] = []
        self._players: Players | None = None
        self._silent_until: datetime | None = None
        self._ended_at: datetime | None = None

    def join(self, players: Players) -> None:
        """Let players act on the world through a desk."""
        self._players = players

    def feed(self, log: EventLog, stop: threading.Event) -> Feed:
        """What brings the world's events into the sandbox's log."""
        return Feed(log, SOURCE, self.drill.live(self._clock, stop, self._each), stop)

    # --- the instructor -------------------------------------------------------------------------------------------

    def put(self, inject: AnyInject, by: Literal["script", "instructor"] = "instructor") -> None:
        """Put an inject in, now. Raises EdtwinError for one that cannot be; then nothing was done."""
        with self._lock:
            if self._ended_at is not None:
                raise EdtwinError("the exercise is over")
            act = inject.act(seed=len(self._injects) + 1)
            if act is not None:
                self.drill.act(act)
            now = self.drill.now_at
            if isinstance(inject, OutageInject):
                self.drill.silence(inject.hours)
                self._silent_until = now + timedelta(hours=inject.hours)
            if isinstance(inject, EndInject):
                self._ended_at = now
            self._injects.append(InjectView(now, plain(inject), by))
        self.save()

    def plan(self, inject: AnyInject) -> None:
        """Put an inject in later, `at_min` minutes after the beginning."""
        with self._lock:
            self._scheduled = sorted([*self._scheduled, inject], key=lambda one: one.at_min)

    # --- what goes on by itself -------------------------------------------------------------------------------------

    def _each(self) -> bool:
        """What is due is put in, what was decided is done; False when the exercise is over."""
        with self._lock:
            passed_min = (self.drill.now_at - self.drill.begun_at) / _MIN
            while self._scheduled and self._scheduled[0].at_min <= passed_min and self._ended_at is None:
                self.put(self._scheduled.pop(0), "script")
            self._look_at_the_desk()
            return self._ended_at is None

    def _look_at_the_desk(self) -> None:
        if self._players is None:
            return
        known = {one.proposal.name for one in self._decisions}
        for name, one in self._players.desk.proposals.items():
            if one.decision is not None and name not in known:
                self._decided(self._players, one)

    def _decided(self, players: Players, one: Proposal) -> None:
        """What was adopted is done to the world; what the twin would have advised is worked out beside it."""
        acts, lacks = acts_of(one)
        numbers = []
        for act in acts:
            try:
                numbers.append(self.drill.act(act))
            except EdtwinError as fault:
                lacks = (*lacks, str(fault))
        decision = Decision(self.drill.now_at, one, tuple(numbers), lacks)
        self._decisions.append(decision)
        situation = players.situation()
        threading.Thread(target=self._advise, args=(decision, players, situation), name="advice", daemon=True).start()

    def _advise(self, decision: Decision, players: Players, situation: Situation | None) -> None:
        try:
            if situation is None:
                decision.fault = "the twin had no forecast yet"
            else:
                decision.advice = advised(decision.proposal, players.desk, situation, players.study, self._how,
                                          players.workers)  # fmt: skip
        except EdtwinError as fault:
            decision.fault = str(fault)
        except Exception as fault:  # the exercise goes on; the page says so
            logger.exception("what the twin would have advised could not be worked out")
            decision.fault = type(fault).__name__
        self.save()

    # --- told -------------------------------------------------------------------------------------------------------

    def view(self, query: str = "") -> ExerciseView:
        """The exercise as it stands, its advice from the point of view that an address asks for."""
        players = self._players
        study = players.study if players else None
        views = study.points_of_view.views if study else {}
        asked = next((name for name in views if f"view={name}" in query), next(iter(views), ""))
        with self._lock:
            now, begun = self.drill.now_at, self.drill.begun_at
            silent = self._silent_until if self._silent_until and self._silent_until > now else None
            return ExerciseView(
                made_at=now, zone=players.hospital.zone if players else "UTC",
                hospital=players.hospital.name if players else "", mode=MODE, begun_at=begun,
                ended_at=self._ended_at, speed=self._speed, injects=tuple(self._injects),
                scheduled=tuple(InjectView(begun + i.at_min * _MIN, plain(i), "script") for i in self._scheduled),
                decisions=tuple(self._made(one, asked, now) for one in self._decisions), silent_until=silent,
                counts=self.drill.count_now(), view=asked,
                views=tuple(Named(one.name, one.fr, one.en) for one in views.values()),
            )  # fmt: skip

    def _made(self, one: Decision, view: str, now: datetime) -> DecisionMade:
        decision, proposal = one.proposal.decision, one.proposal
        assert decision is not None
        advice = one.advice.get(view)
        over = (now - one.at) / _MIN
        return DecisionMade(
            at=one.at, proposal=int(proposal.name.rpartition("-")[2]), words=proposal.words, reason=decision.reason,
            who=decision.who, what=decision.what, lacks=one.lacks, advice=advice, fault=one.fault,
            happened=self._happened(one, now), over_min=over,
        )  # fmt: skip

    def _happened(self, one: Decision, now: datetime) -> tuple[HappenedView, ...]:
        """What happened since against what would have, in the same world without it."""
        first = int((one.at - self.drill.begun_at) / _MIN // STEP_MIN)
        if not one.acts:
            return ()
        quarter = int((now - self.drill.begun_at) / _MIN // STEP_MIN)
        if quarter <= first:
            return ()
        if one.measured is None or one.measured[0] != quarter:
            lived, other = self.drill.lived(now), self.drill.lived(now, without=one.acts)
            found = tuple(
                HappenedView(m, float(np.mean(lived[m][first:])), float(np.mean(other[m][first:]))) for m in MEASURES
            )
            one.measured = (quarter, found)
        return one.measured[1]

    def save(self) -> None:
        """Keep the debrief's record."""
        if self._record is not None:
            with self._lock:
                keep(self._record, self.record())

    def record(self) -> dict[str, Any]:
        """All that the debrief tells, from every point of view, as plain values."""
        views = self._players.study.points_of_view.views if self._players else {"": None}
        return record_of({name: self.view(f"view={name}") for name in views})
