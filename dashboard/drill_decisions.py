"""What players decide at the desk of an exercise: done to its world, ended there, advised on, and measured.

decisions = Decisions(world, how, saved=exercise.save)
decisions.join(players); decisions.look()     # at every step of the world
decisions.made("nurses")                      # as the debrief tells them
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf

import numpy as np

from dashboard.drill_acts import Begun, begin, cut, decided
from dashboard.drill_advice import Advice, advised
from dashboard.drill_world import STEP_MIN, DrillWorld, Lived
from forecast.desk import Desk
from forecast.ensemble import Run
from forecast.exercise_view import DecisionMade, HappenedView
from forecast.proposals import Proposal
from forecast.situation import Situation
from forecast.study import Study
from ingest.errors import EdtwinError
from twin.hospital import Hospital
from twin.scenarios import Scenario

logger = logging.getLogger(__name__)

Held = Callable[[Proposal, datetime], Scenario | None]
MEASURES = ("ed_census", "ed_waiting", "ed_boarders")
_MIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Players:
    """What an exercise needs of the house in which it is held."""

    desk: Desk
    study: Study
    situation: Callable[[], Situation | None]
    workers: Executor | None
    hospital: Hospital
    held: Held = Proposal.carried_at
    """What holds at an instant of a proposal that was adopted before."""


@dataclass(eq=False)
class Decision:
    """A decision at the desk, and what became of it."""

    at: datetime
    proposal: Proposal
    begun: Begun
    advice: dict[str, Advice] = field(default_factory=dict)
    """By point of view."""
    fault: str | None = None
    ended_at: datetime | None = None
    """When it was ended at the desk, before its time."""
    measured: tuple[int, tuple[HappenedView, ...]] | None = None
    """What happened since, and up to which quarter of an hour that was counted."""


class Decisions:
    """All that were made, the oldest first; called by one thread at a time."""

    def __init__(self, world: DrillWorld, how: Run, saved: Callable[[], None]) -> None:
        self._world, self._how, self._saved = world, how, saved
        self._made: list[Decision] = []
        self._before: dict[str, Begun] = {}
        """What was decided before the exercise began, with what its world does of it from the beginning on."""
        self.held: tuple[str, ...] = ()
        """Of that what still holds, in words."""
        self._over: set[str] = set()
        self._lived: tuple[int, Lived] | None = None
        self._players: Players | None = None

    def join(self, players: Players) -> None:
        """Follow a desk. What was decided at it before is no decision of the exercise; what holds of it is done."""
        at = self._world.begun_at
        for name, one in players.desk.proposals.items():
            if one.decision is not None:
                held, until = players.held(one, at), one.decision.until
                until_min = (until - at) / _MIN if until else inf
                self._before[name] = begin(self._world, cut(held.change.changes, until_min) if held else [])
                self.held += (one.words,) if self._before[name].numbers else ()
        self._players = players

    def look(self) -> None:
        """Do to the world what was decided since the last time, and let end what was ended."""
        if self._players is None:
            return
        there = self._players.desk.proposals
        known = {one.proposal.name: one for one in self._made}
        for name, one in there.items():
            if one.decision is None:
                continue
            if name not in known and name not in self._before:
                self._decided(self._players, one)
            elif name not in self._over:
                self._ended(name, one, known.get(name))

    def _decided(self, players: Players, one: Proposal) -> None:
        """What was adopted is done to the world; what the twin would have advised is worked out beside it."""
        decision = Decision(self._world.now_at, one, begin(self._world, decided(one)))
        self._made.append(decision)
        situation = players.situation()
        threading.Thread(target=self._advise, args=(decision, players, situation), name="advice", daemon=True).start()

    def _ended(self, name: str, one: Proposal, decision: Decision | None) -> None:
        """What the desk ends before its time ends in the world."""
        assert one.decision is not None
        until = one.decision.until
        if until is None or until > self._world.now_at:
            return
        self._over.add(name)
        self._world.end((decision.begun if decision else self._before[name]).numbers)
        if decision is not None:
            decided_so = decision.proposal.decision
            was_to_end = decided_so.until if decided_so else None
            decision.ended_at = self._world.now_at if was_to_end != until else None
            decision.measured = None
        self._saved()

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
        self._saved()

    # --- told -------------------------------------------------------------------------------------------------------

    def made(self, view: str) -> tuple[DecisionMade, ...]:
        """Every decision, its advice from a point of view."""
        now = self._world.now_at
        return tuple(self._told(one, view, now) for one in self._made)

    def _told(self, one: Decision, view: str, now: datetime) -> DecisionMade:
        decision, proposal = one.proposal.decision, one.proposal
        assert decision is not None
        return DecisionMade(
            at=one.at, proposal=int(proposal.name.rpartition("-")[2]), words=proposal.words, reason=decision.reason,
            who=decision.who, what=decision.what, lacks=one.begun.lacks, advice=one.advice.get(view), fault=one.fault,
            happened=self._happened(one, now), over_min=(now - one.at) / _MIN, ended_at=one.ended_at,
        )  # fmt: skip

    def _happened(self, one: Decision, now: datetime) -> tuple[HappenedView, ...]:
        """What happened since against what would have, in the same world without it."""
        first = int((one.at - self._world.begun_at) / _MIN // STEP_MIN)
        quarter = int((now - self._world.begun_at) / _MIN // STEP_MIN)
        if not one.begun.numbers or quarter <= first:
            return ()
        if one.measured is None or one.measured[0] != quarter:
            lived, other = self._as_lived(quarter, now), self._world.lived(now, without=one.begun.numbers)
            found = tuple(
                HappenedView(m, float(np.mean(lived[m][first:])), float(np.mean(other[m][first:])))
                for m in MEASURES if m in lived
            )  # fmt: skip
            one.measured = (quarter, found)
        return one.measured[1]

    def _as_lived(self, quarter: int, now: datetime) -> Lived:
        """What happened up to a quarter of an hour, worked out once for all decisions: nothing changes the past."""
        if self._lived is None or self._lived[0] != quarter:
            self._lived = quarter, self._world.lived(now)
        return self._lived[1]
