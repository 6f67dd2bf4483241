"""Runs and comparisons for the API: one at a time, in a process of their own that gives way to the forecasts.

Whoever asks while one runs waits for their turn; when too many wait, the next is told to come again (429), so that the
threads of the wall are never all taken. They stand on the ground of what-if: the situation, the luck and the
corrections of the forecast on the wall, with what was adopted at the desk in every scenario.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Executor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from dashboard.api_bodies import ComparisonsBody, RunsBody, Work
from dashboard.errors import RefusedError
from forecast.compare import as_json as compared_json
from forecast.compare import comparison, outcomes_by_stage, scenarios_json
from forecast.ensemble import Run, ensemble
from forecast.errors import OverBudgetError
from forecast.issue import as_json, issue
from forecast.outcome_runs import fault_of
from forecast.study import Study
from forecast.values import Series
from forecast.whatif import Ground
from forecast.whatif_draws import politely
from twin.scenarios import Scenario, carrying, likely, pick

WAITING = 2
"""Requests that may wait for their turn."""
RETRY_AFTER_S = 10
Catalogue = Callable[[], Mapping[str, Scenario]]
Executors = Callable[[], Executor | None]


class Turns:
    """One at a time, and a bounded number who wait; what runs members is made when it is first needed."""

    def __init__(self, workers: Executors, waiting: int = WAITING) -> None:
        self._workers, self._most = workers, 1 + waiting
        self._lock, self._mine = threading.Lock(), threading.Lock()
        self._inside = 0
        self._executor: Executor | None = None
        self._is_over = False

    @contextmanager
    def turn(self) -> Iterator[Executor | None]:
        """What runs members, for the block alone; raises RefusedError (429) where too many wait, (503) at the end."""
        with self._lock:
            if self._inside >= self._most:
                raise RefusedError(
                    429, f"{self._most} requests are being run or wait: ask again later", retry_after_s=RETRY_AFTER_S
                )
            self._inside += 1
        try:
            with self._mine:
                yield self._ready()
        except (BrokenProcessPool, CancelledError):
            raise RefusedError(
                503, "the process that runs members has ended: ask again", retry_after_s=RETRY_AFTER_S
            ) from None
        except OverBudgetError as over:
            raise RefusedError(503, str(over)) from None
        finally:
            with self._lock:
                self._inside -= 1

    def _ready(self) -> Executor | None:
        with self._lock:
            if self._is_over:
                raise RefusedError(503, "the house is ending")
            self._executor = self._executor or self._workers()
        if self._executor is not None:
            self._executor.submit(politely)
        return self._executor

    def stop(self) -> None:
        """Nothing more is run; what runs is given up."""
        with self._lock:
            self._is_over = True
            if self._executor is not None:
                self._executor.shutdown(wait=False, cancel_futures=True)


class ApiRuns:
    """Runs what is asked for. `ground` gives the forecast's ground, None before the first one."""

    def __init__(self, study: Study, ground: Callable[[], Ground | None], catalogue: Catalogue, turns: Turns) -> None:
        self._study, self._ground, self._catalogue, self._turns = study, ground, catalogue, turns

    def run(self, asked: RunsBody) -> dict[str, Any]:
        """The course of scenarios and what each would change, in the form of a forecast."""
        ground = self._now()
        how, scenarios = _how(asked, ground), self._scenarios(asked, ground)
        with self._turns.turn() as executor:
            if asked.measures is not None:
                _check_measures(asked.measures, ground, how, executor)
            told = issue(
                ground.situation, [ground.usual, *(carrying(one, [ground.usual]) for one in scenarios)], how,
                ground.times, recalibration=ground.recalibration, rivals=_until(ground, how), executor=executor,
            )  # fmt: skip
        return _only(as_json(told), asked.measures)

    def compare(self, asked: ComparisonsBody) -> dict[str, Any]:
        """What scenarios change by the criteria of a point of view, and which nobody should choose."""
        ground, names = self._now(), asked.criteria or ()
        self._study.criteria((), view=asked.view, names=names)  # a typo is told before the work
        how, scenarios = _how(asked, ground), [ground.usual, *self._scenarios(asked, ground)]
        longer = replace(how, horizon_min=how.horizon_min + ground.behind_min)
        begun = [ground.begun(one) for one in scenarios]
        with self._turns.turn() as executor:
            [found] = outcomes_by_stage(
                ground.situation, begun, longer, self._study.wanted, executor=executor, stages=()
            )  # fmt: skip
        there = list(next(iter(found.values())))
        told = comparison(found, self._study.criteria(there, view=asked.view, names=names))
        return {
            "as_of": ground.as_of.isoformat(), "known_at": ground.times.known_at.isoformat(),
            "hours": how.horizon_min / 60, "seed": how.seed, "path": ground.situation.calibration.path.name,
            "scenarios": scenarios_json(ground.situation, scenarios),
        } | compared_json(told)  # fmt: skip

    def _now(self) -> Ground:
        ground = self._ground()
        if ground is None:
            raise RefusedError(503, "there is no forecast yet: ask again in a minute", retry_after_s=60)
        return ground

    def _scenarios(self, asked: Work, ground: Ground) -> list[Scenario]:
        """Those asked for beside as usual; raises RefusedError for one that cannot be run."""
        found = [
            one for one in pick(self._catalogue(), dict.fromkeys(asked.scenarios)) if one.name != ground.usual.name
        ]
        how = replace(_how(asked, ground), horizon_min=ground.longer.horizon_min)
        for one in found:
            if (fault := fault_of(ground.situation, ground.begun(one), how)) is not None:
                raise RefusedError(422, f"scenarios: {fault}")
        return found


def _how(asked: Work, ground: Ground) -> Run:
    """The forecast's way with other members and hours; the same members where these are the same."""
    hours = ground.how.horizon_min / 60 if asked.hours is None else asked.hours
    if hours * 60 > ground.how.horizon_min or hours * 60 % ground.how.step_min:
        raise RefusedError(
            422,
            f"hours: must be whole steps of {ground.how.step_min:g} minutes, {ground.how.horizon_min / 60:g} hours at "
            f"most, but is {hours:g}",
        )
    return replace(ground.how, members=asked.members, horizon_min=hours * 60)


def _check_measures(names: Sequence[str], ground: Ground, how: Run, executor: Executor | None) -> None:
    """Raise RefusedError for a measure that a member does not have."""
    one = ensemble(ground.situation, [ground.usual], replace(how, members=1), executor=executor)
    there = sorted(one[ground.usual.name].measures)
    for name in names:
        if name not in there:
            raise RefusedError(422, f"measures: unknown measure {name}{likely(name, there)}")


def _until(ground: Ground, how: Run) -> dict[str, dict[str, Series]]:
    """What rivals say, as far as the run goes."""
    leads = np.arange(how.lead_min.size - 1)
    return {rival: {m: told.at(leads) for m, told in by.items()} for rival, by in ground.rivals.items()}


def _only(told: dict[str, Any], measures: Sequence[str] | None) -> dict[str, Any]:
    """The answer with the measures that were asked for."""
    if measures is None:
        return told
    wanted = dict.fromkeys(measures)
    for part in ("scenarios", "differences"):
        told[part] = {name: {m: by[m] for m in wanted} for name, by in told[part].items()}
    return told
