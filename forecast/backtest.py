"""History replayed issue by issue, as it was known then, and judged by what came.

For each issue time the state, the parameters, the baselines and the recalibration are those that were known at it:
nothing that became known later is read. The truth is taken a week after the last valid time, or as late as the log
goes; recalibration learns from what was known of it at the time. Issues are independent once their situations are
there, so they run in parallel; the figures do not depend on how many at once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from forecast.analytic import with_count_model
from forecast.baselines import Rivals, fit
from forecast.calibrated import WINDOW, Recalibration, learn
from forecast.ensemble import Progress, Run, run_chunk
from forecast.errors import ForecastError
from forecast.past import VINTAGE, Past, grid_start, truth
from forecast.record import HEADLINES
from forecast.situation import Situation, situation_of
from forecast.values import Array, Forecast, Series, series
from forecast.verify import VERIFIED_LEADS_MIN, Pairs, Verifications, as_json, joined, score, valid_at, verify
from ingest.log import EventLog
from twin.calibrate import Calibration, calibrate
from twin.hospital import Hospital
from twin.learned_days import Days
from twin.memory import Memory
from twin.scenarios import Scenario
from twin.state import State

AHEAD = 8
"""Issues whose situations are prepared before the first of them is run to its end: enough to keep workers busy."""


@dataclass(frozen=True)
class Plan:
    """What is replayed: issue times from `first_at` to `last_at`, and how each is made."""

    first_at: datetime
    last_at: datetime
    every: timedelta = timedelta(minutes=60)
    lead_min: tuple[float, ...] = VERIFIED_LEADS_MIN
    how: Run = field(default_factory=Run)
    recalibrate: timedelta = timedelta(days=1)
    """How often the parameters are learned anew; live it is every night."""
    own_beds: bool = False

    @property
    def issue_times(self) -> list[datetime]:
        """All of them, in order."""
        count = (self.last_at - self.first_at) // self.every + 1
        return [self.first_at + i * self.every for i in range(max(count, 0))]

    def __post_init__(self) -> None:
        if not self.lead_min or not np.isin(self.lead_min, self.how.lead_min[1:]).all():
            steps = f"multiples of {self.how.step_min:g} min up to {self.how.horizon_min:g}"
            raise ForecastError(f"leads must be {steps}, but are {', '.join(f'{m:g}' for m in self.lead_min)}")


@dataclass(frozen=True)
class Report:
    """How good the forecasts of a period were."""

    plan: Plan
    pairs: Pairs
    verifications: Verifications
    n_issues: int

    def as_json(self) -> dict[str, Any]:
        """As printed by `edtwin backtest --json`."""
        return as_json(self.verifications, n_issues=self.n_issues)


@dataclass(frozen=True)
class _Lesson:
    """The truth that had become known when parameters were learned anew, and was not known the time before."""

    learned_at: datetime
    times: Sequence[datetime]
    came: Mapping[str, Array]


@dataclass(frozen=True)
class _Prepared:
    situation: Situation
    rivals: Mapping[str, Mapping[str, Series]]
    lesson: _Lesson | None
    """Where the parameters were learned anew for it."""


@dataclass(frozen=True)
class _Simulated:
    """One issue: its members at the verified leads, and what is beside them."""

    prepared: _Prepared
    members: Mapping[str, Array]

    @property
    def as_of(self) -> datetime:
        """The instant it is of."""
        return self.prepared.situation.as_of


def backtest(
    log: EventLog,
    hospital: Hospital,
    as_usual: Scenario,
    plan: Plan,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Report:
    """Replay a period and score it.

    1. In the order of the issue times, each one's situation and rivals, as known then.
    2. Its members, on the executor.
    3. When all are done, each one recalibrated by those whose truth was known before it.
    4. The truth, and the scores.
    Raises TwinError where too little history comes before the first issue.
    """
    done: list[_Simulated] = []
    for prepared, measures in _run(_prepared(log, hospital, plan), as_usual, plan, executor):  # 1, 2
        done.append(_Simulated(prepared, measures))
        if progress is not None:
            progress(len(done), len(plan.issue_times))
    forecasts = [(told, one.prepared.rivals) for one, told in _recalibrated(done, as_usual, plan)]  # 3
    pairs = joined(_scored(log, done[-1].prepared.situation.calibration, forecasts) if done else [])  # 4
    return Report(plan, pairs, verify(pairs), len(forecasts))


def _prepared(log: EventLog, hospital: Hospital, plan: Plan) -> Iterator[_Prepared]:
    memory, past, days = Memory(log), Past(grid_start(plan.first_at)), Days(log)
    calibration: Calibration | None = None
    rivals: Rivals | None = None
    valid = sorted({as_of + timedelta(minutes=lead) for as_of in plan.issue_times for lead in plan.lead_min})
    for as_of in plan.issue_times:
        state = memory.at(as_of)
        renew = calibration is None or as_of - calibration.as_of >= plan.recalibrate
        if calibration is None or renew:
            calibration = calibrate(state, hospital, as_of, before=days.before(as_of), own_beds=plan.own_beds)
        lesson = _lesson(state, calibration, as_of, valid) if renew else None
        situation = situation_of(state, calibration, as_of)
        history, now = past.at(state, situation.known, calibration, as_of)
        if rivals is None or renew:
            rivals = fit(history, lead_min=sorted(plan.lead_min))
        yield _Prepared(
            situation, with_count_model(rivals.ahead(as_of, now, history), situation, as_of, rivals.lead_min), lesson
        )


def _lesson(state: State, calibration: Calibration, as_of: datetime, valid: list[datetime]) -> _Lesson:
    """The truth that is old enough by now; takes its instants off the front of those that are still to come."""
    due = bisect_right(valid, as_of - VINTAGE)
    times, valid[:due] = valid[:due], []
    return _Lesson(as_of, times, truth(state, calibration, times, as_of) if times else {})


def _run(
    prepared: Iterator[_Prepared], as_usual: Scenario, plan: Plan, executor: Executor | None
) -> Iterator[tuple[_Prepared, Mapping[str, Array]]]:
    """Each situation with its members at the verified leads, in order; a few are in the works at a time."""
    if executor is None:
        yield from ((p, members_of(p.situation, as_usual, plan)) for p in prepared)
        return
    works: deque[tuple[_Prepared, Future[dict[str, Array]]]] = deque()
    for p in prepared:
        works.append((p, executor.submit(members_of, p.situation, as_usual, plan)))
        if len(works) >= AHEAD:
            first, future = works.popleft()
            yield first, future.result()
    for first, future in works:
        yield first, future.result()


def members_of(situation: Situation, as_usual: Scenario, plan: Plan) -> dict[str, Array]:
    """All members of one issue at the verified leads: measure to `(lead, member)`."""
    how = _seeded(plan.how, situation.as_of)
    measures = run_chunk(situation, [as_usual], how, range(how.members))[as_usual.name]
    at = np.flatnonzero(np.isin(how.lead_min, plan.lead_min))
    return {name: values[at] for name, values in measures.items()}


def _seeded(how: Run, as_of: datetime) -> Run:
    """Luck of its own for each issue time, the same whenever that time is replayed."""
    return replace(how, seed=seed_of(how.seed, as_of))


def seed_of(seed: int, as_of: datetime) -> int:
    """The seed of an issue time: the base and the minute."""
    return int(as_of.timestamp() // 60) * 1_000 + seed


def _recalibrated(done: Sequence[_Simulated], as_usual: Scenario, plan: Plan) -> Iterator[tuple[_Simulated, Forecast]]:
    """Each issue as it would have been published."""
    by_past, known = Recalibration(), joined([])
    for i, one in enumerate(done):
        if (lesson := one.prepared.lesson) is not None and lesson.times:
            known = _recent(joined([known, *_met(done[:i], lesson, as_usual, plan)]), lesson.learned_at)
            by_past = learn(known, one.prepared.situation.calibration.hospital.zone)
        yield one, _forecast(one, as_usual, plan, by_past)


def _recent(pairs: Pairs, at: datetime) -> Pairs:
    since = np.datetime64((at - WINDOW).astimezone(UTC).replace(tzinfo=None), "us")
    return pairs.taken(np.flatnonzero((pairs.issued_at >= since) & ~np.isnan(pairs.raw_error)))


def _met(done: Sequence[_Simulated], lesson: _Lesson, as_usual: Scenario, plan: Plan) -> Iterator[Pairs]:
    """Each simulation as it was, against the truth of a lesson where that speaks of it."""
    place = {at: k for k, at in enumerate(lesson.times)}
    leads = sorted(plan.lead_min)
    for one in done:
        at = [place.get(one.as_of + timedelta(minutes=lead), -1) for lead in leads]
        if max(at) >= 0:
            known = np.array(at) >= 0
            observed = {m: np.where(known, lesson.came[m][at], np.nan) for m in HEADLINES if m in lesson.came}
            simulated = _forecast(one, as_usual, plan, Recalibration(), only=HEADLINES)
            yield score(simulated, observed, {}, lead_min=leads)


def _forecast(
    one: _Simulated, as_usual: Scenario, plan: Plan, by_past: Recalibration, only: Sequence[str] | None = None
) -> Forecast:
    at, leads = one.as_of, np.array(sorted(plan.lead_min))
    simulated = {m: values for m, values in one.members.items() if only is None or m in only}
    told = {m: series(by_past.one(m, values, leads, at)) for m, values in simulated.items()}
    raw = {m: series(simulated[m]) for m in by_past.measures if m in simulated}
    return Forecast(at, at, at, leads, {as_usual.name: told}, {}, {}, raw={as_usual.name: raw} if raw else {})


def _scored(
    log: EventLog,
    calibration: Calibration,
    forecasts: list[tuple[Forecast, Mapping[str, Mapping[str, Series]]]],
) -> list[Pairs]:
    times = sorted({at for forecast, _ in forecasts for at in valid_at(forecast, forecast.lead_min.tolist())})
    span = log.span()
    known_at = min(times[-1] + VINTAGE, span.last_known_at) if span else times[-1]
    came = truth(Memory(log).at(known_at), calibration, times, known_at)
    place = {at: i for i, at in enumerate(times)}
    return [_score(forecast, rivals, came, place, known_at) for forecast, rivals in forecasts]


def _score(
    forecast: Forecast,
    rivals: Mapping[str, Mapping[str, Series]],
    came: Mapping[str, Array],
    place: Mapping[datetime, int],
    known_at: datetime,
) -> Pairs:
    """Pairs at the leads whose valid time the log had reached."""
    leads = forecast.lead_min.tolist()
    valid = valid_at(forecast, leads)
    reached = np.array([at <= known_at for at in valid])
    at = [place[instant] for instant in valid]
    observed = {name: np.where(reached, values[at], np.nan) for name, values in came.items()}
    raw = forecast.raw.get(next(iter(forecast.scenarios)))
    return score(forecast, observed, rivals, lead_min=leads, raw=raw)
