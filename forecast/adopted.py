"""What the forecast carries of adopted proposals, what is foreseen of them, and what they then did.

What was adopted is part of "as usual" until it ends, or until the feed tells it: a ward that reports its beds after a
decision to open some has them counted already. When a change is adopted the twin is run on with it and without it; two
days after its window is over, its truth is taken and the effect told (`realised.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf, isfinite
from typing import Any

import numpy as np

from forecast.calibrated import Recalibration
from forecast.desk import Desk
from forecast.ensemble import Run
from forecast.issue import Times, issue
from forecast.past import truth
from forecast.placebos import MEMBERS, WINDOW, Placebos
from forecast.promises import PROMISED, foreseen_of
from forecast.proposals import Proposal
from forecast.realised import AS_TOLD, Effect, Habit, Promise, as_plain, distance, realised
from forecast.situation import Situation
from forecast.values import Array, Forecast, Members, Series
from ingest.errors import EdtwinError
from ingest.events import BOARD, BedsCounted, StaffOnDuty
from twin.calibrate import Calibration
from twin.changes import EVERY_WARD, LARGEST_WARDS, CapacityChange
from twin.errors import ScenarioError
from twin.hospital import BED, Hospital
from twin.scenarios import Scenario, carrying, scenario_from
from twin.setting import Setting
from twin.state import State

logger = logging.getLogger(__name__)

WITHOUT = "without_adopted"
"""The scenario of a cycle that leaves out what was adopted."""
LONGEST = timedelta(hours=24)
"""A window is no longer: beyond it, too much else happens."""
SETTLED = timedelta(days=2)
"""How long after a window its truth is taken: most exits are told by then."""
STEP = timedelta(minutes=15)
_MIN = timedelta(minutes=1)


class Adopted:
    """What a loop does for the desk."""

    def __init__(self, desk: Desk, placebos: Placebos | None = None) -> None:
        """With `placebos`, effects are told as surely as windows without any change allow."""
        self.desk, self._placebos = desk, placebos
        self.faults: dict[str, str] = {}
        """Why the forecast does not carry an adopted change, by proposal; empty where it carries all."""

    def scenarios(
        self, wall: Sequence[Scenario], state: State, now: datetime, hospital: Hospital, horizon_min: float
    ) -> tuple[Scenario, ...]:
        """The wall's scenarios with what was adopted in each; and, second, as usual without it, where there is any.

        What cannot be run any more beside one of them, such as nurses taken away whom the night does not have, is left
        out, and `faults` says why: a decision does not stop the forecasts.
        """
        held = self._possible(self._held(state, now), wall, now, hospital, horizon_min)
        if not held:
            return tuple(wall)
        words = " ".join(one.change.fr for one in held)
        without = scenario_from(WITHOUT, words, {})
        said = {"fr": f"Sans ce qui a été adopté : {words}", "en": f"Without what was adopted: {words}"}
        without = replace(without, change=without.change.model_copy(update=said))
        usual, *others = (carrying(scenario, held) for scenario in wall)
        return (usual, without, *others)

    def _possible(
        self, held: Sequence[Scenario], wall: Sequence[Scenario], now: datetime, hospital: Hospital, horizon_min: float
    ) -> list[Scenario]:
        """Of what holds, one after the other, that which can be run with every scenario of the wall."""
        usual = Setting(hospital.capacities(hospital.pools, now, horizon_min))
        kept: list[Scenario] = []
        self.faults = {}
        for one in held:
            try:
                for scenario in wall:
                    whole = carrying(scenario, [*kept, one]).at(now, hospital.zone)
                    whole.apply(usual, hospital, horizon_min)
                kept.append(one)
            except ScenarioError as fault:
                logger.warning("the forecast cannot carry %s: %s", one.name, fault)
                self.faults[one.name] = str(fault)
        return kept

    def _held(self, state: State, now: datetime, *, but: str | None = None) -> list[Scenario]:
        """What holds now and is not told by the feed, but that of one proposal."""
        there = self.desk.proposals
        rest = ((there[name], one) for name in there if name != but and (one := there[name].carried_at(now)))
        return [left for proposal, one in rest if (left := untold(one, proposal, state, now)).change.changes]

    def foresee(
        self, situation: Situation, state: State, how: Run, times: Times, usual: Scenario, *,
        recalibration: Recalibration, rivals: Mapping[str, Mapping[str, Series]], executor: Executor | None,
    ) -> None:  # fmt: skip
        """Keep what is foreseen of every change that was adopted since the last time."""
        for name, one in self.desk.proposals.items():
            carried = one.carried_at(times.as_of)
            if one.promise is not None or carried is None or name in self.faults:
                continue
            base = carrying(usual, self._held(state, times.as_of, but=name))
            changed = replace(carrying(base, [carried]), name=name)
            told = issue(
                situation, [base, changed], how, times, recalibration=recalibration, rivals=rivals, executor=executor
            )
            assert told.members is not None
            window_min = _window_min(one, carried, times.as_of, how)
            self.desk.promised(name, _promise(told.members[base.name], told.members[name], times.as_of, window_min))

    def watch(self, usual: Members, now: datetime) -> None:
        """Keep what is foreseen as usual of a window that begins now, if it is time for another one."""
        if self._placebos is not None and self._placebos.is_due(now):
            few = Members(usual.lead_min, {m: v[:, :MEMBERS] for m, v in usual.measures.items()})
            self._placebos.keep(now, _promise(few, few, now, min(WINDOW / _MIN, float(usual.lead_min[-1]))))

    def look(
        self, forecast: Forecast, situation: Situation, state: State, how: Run, times: Times, usual: Scenario, *,
        recalibration: Recalibration, rivals: Mapping[str, Mapping[str, Series]], executor: Executor | None,
    ) -> None:  # fmt: skip
        """After a forecast: tell what changes did, keep a window without any, foresee what was adopted since."""
        self.measure(state, situation.calibration, times.as_of)
        if forecast.members is not None:
            self.watch(next(iter(forecast.members.values())), times.as_of)
        self.foresee(situation, state, how, times, usual, recalibration=recalibration, rivals=rivals, executor=executor)

    def measure(self, state: State, calibration: Calibration, now: datetime) -> None:
        """Tell the effect of every change whose window is over and whose truth is settled; first, of none."""
        self._settle(state, calibration, now)
        habits = self._placebos.habits() if self._placebos is not None else {}
        for name, one in self.desk.proposals.items():
            if one.state == "adopted" and one.promise is not None and _over_at(one.promise) + SETTLED <= now:
                try:
                    effects = list(_effects(one.promise, state, calibration, now, habits))
                except EdtwinError as fault:
                    logger.warning("what %s did cannot be told: %s", name, fault)
                    continue
                self.desk.measured(name, {"effects": [as_plain(effect) for effect in effects]})

    def _settle(self, state: State, calibration: Calibration, now: datetime) -> None:
        if self._placebos is None:
            return
        for one in self._placebos.pending():
            if _over_at(one.told) + SETTLED <= now:
                came = _came(one.told, state, calibration, now)
                far = {m: distance(*what[:2], came=what[2], came_then=what[3]) for m, what in came}
                self._placebos.settle(one, {m: value for m, value in far.items() if isfinite(value)})


def untold(rest: Scenario, proposal: Proposal, state: State, now: datetime) -> Scenario:
    """What the feed has not told since the decision, of what is left of it now.

    Beds that were counted after it have its change in the count. A forecast takes staff from the roster, whatever was
    counted; only a count that is told for a later time holds from then on, and has the change in it. What people say
    is closed or absent, beside what was adopted, has not.
    """
    assert proposal.decision is not None
    beds, ahead = _beds_counted(state, proposal.decision.at), _staff_ahead(state, now)
    cut = (_until(one, ahead.get(one.pool, inf)) for one in rest.change.capacity if not _is_counted(one, beds))
    kept = tuple(one for one in cut if one is not None)
    return replace(rest, change=rest.change.model_copy(update={"capacity": kept}))


def _beds_counted(state: State, since: datetime) -> set[str]:
    """Wards' pools of which a count was told."""
    found = (e for e in state.places if isinstance(e, BedsCounted) and e.occurred_at > since)
    return {BED + e.unit for e in found if e.source != BOARD}


def _staff_ahead(state: State, now: datetime) -> dict[str, float]:
    """In how many minutes the first count begins that is told for later, by pool."""
    found = (e for e in state.places if isinstance(e, StaffOnDuty) and e.occurred_at > now)
    later = [e for e in found if e.source != BOARD]
    later.sort(key=lambda e: e.occurred_at, reverse=True)
    return {e.pool: (e.occurred_at - now) / _MIN for e in later}


def _is_counted(change: CapacityChange, beds: set[str]) -> bool:
    return bool(beds) if change.pool in (LARGEST_WARDS, EVERY_WARD) else change.pool in beds


def _until(change: CapacityChange, minute: float) -> CapacityChange | None:
    """A change up to a minute; None where it begins later."""
    if change.end_min <= minute:
        return change
    return change.model_copy(update={"until_min": minute}) if change.from_min < minute else None


def _window_min(one: Proposal, carried: Scenario, as_of: datetime, how: Run) -> float:
    """How long an effect is looked at: while the change lasts, within the horizon."""
    ends = [change.end_min for change in carried.change.changes]
    decided = (one.decision.until - as_of) / _MIN if one.decision and one.decision.until else how.horizon_min
    longest = min(max(ends), decided, how.horizon_min, LONGEST / _MIN)
    return max(longest // how.step_min, 1.0) * how.step_min


def _promise(without: Members, with_it: Members, as_of: datetime, window_min: float) -> dict[str, Any]:
    """As it is kept."""
    within = without.lead_min <= window_min
    cut = [Members(of.lead_min[within], {m: v[within] for m, v in of.measures.items()}) for of in (without, with_it)]
    measures, came = {}, None
    for measure, promise, came_of in foreseen_of(cut[0], cut[1]):
        measures[measure] = {"without": _listed(promise.without), "with": _listed(promise.with_it)}
        came = None if came_of is None else _listed(came_of)
    return {"as_of": as_of.isoformat(), "window_min": window_min, "measures": measures, "came": came}


def _listed(values: Array) -> list[float]:
    return [round(float(value), 4) for value in values]


def _over_at(told: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(told["as_of"]) + float(told["window_min"]) * _MIN


def _effects(
    told: Mapping[str, Any], state: State, calibration: Calibration, now: datetime, habits: Mapping[str, Habit]
) -> Iterator[Effect]:
    """What happened in a promise's window, against what would have happened."""
    for measure, (promise, observed, came, came_then) in _came(told, state, calibration, now):
        by_habit = habits.get(measure, AS_TOLD)
        yield realised(measure, promise, observed, came=came, came_then=came_then, by_habit=by_habit)


def _came(
    told: Mapping[str, Any], state: State, calibration: Calibration, now: datetime
) -> Iterator[tuple[str, tuple[Promise, float, Array | None, float]]]:
    """By measure, what was promised of a window, what came, and arrivals: each member's, and how many there were."""
    begun, over = datetime.fromisoformat(told["as_of"]), _over_at(told)
    times = [begun + k * STEP for k in range(1, int((over - begun) / STEP) + 1)]
    came = truth(state, calibration, times, now)
    arrived = sum(1 for v in state.visits.values() if v.arrived_at is not None and begun < v.arrived_at <= over)
    for measure in PROMISED:
        if measure in told["measures"] and measure in came:
            said = told["measures"][measure]
            promise = Promise(np.array(said["without"]), np.array(said["with"]))
            arrivals = None if told["came"] is None else np.array(told["came"])
            yield measure, (promise, float(np.mean(came[measure])), arrivals, float(arrived))
