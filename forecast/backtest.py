"""History replayed issue by issue, as it was known then, and judged by what came.

For each issue time the state, the parameters, the baselines and the recalibration are those that were known at it:
nothing that became known later is read. The truth is taken month by month, a week after each month's last valid time,
or as late as the log goes; recalibration learns from what was known of it two days later and, as a house does, each day
anew from what has become known of it since. Issues are independent once their situations are there, so they run in
parallel; the figures do not depend on how many at once.

With a folder to keep it in (`backtest_store.py`), a replay that was ended goes on where it was when it is asked for
again, and gives the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from forecast.analytic import with_count_model
from forecast.backtest_store import BacktestStore, key_of
from forecast.baselines import Rivals, fit
from forecast.boosted import MEASURE as BOOSTED_MEASURE
from forecast.boosted import RIVAL as BOOSTED
from forecast.boosted import Boosted, installed
from forecast.calibrated import Recalibration, by_measure, simulated_share
from forecast.ensemble import Progress, Run, run_chunk
from forecast.errors import ForecastError
from forecast.past import VINTAGE, Past, grid_start, truth_of_period
from forecast.peak_rivals import PeakRivals, beside
from forecast.peaks import PEAKS, with_peaks
from forecast.record import HEADLINES
from forecast.relearned import Relearned, final_by, lesson_of, spoken_of
from forecast.remote import code_digest
from forecast.retold import retold
from forecast.simulated import Lesson, Simulated
from forecast.situation import Situation
from forecast.slices import Slice, ranks, slice_of
from forecast.values import Array, Forecast, Packed, Series, packed, series, unpacked
from forecast.verify import VERIFIED_LEADS_MIN, Met, Pairs, Verifications, as_json, joined, score_all, verify
from forecast.versus import PAIRED, paired
from forecast.works import each_with_result
from ingest.log import EventLog
from twin.calibrate import Calibration, calibrate
from twin.hospital import Hospital
from twin.learned_days import Days
from twin.memory import Memory
from twin.scenarios import Scenario
from twin.state import State

Told = tuple[dict[str, Packed], dict[str, Series]]
"""The members of some measures and what is told of the others, as a worker gives them."""
_Said = Mapping[str, Mapping[str, Series]]
"""What each rival says of each measure."""
SCORED_TOGETHER = 24
"""Forecasts that are scored at once: more do not fit where arrays are quick to reach, fewer cost calls."""
TOGETHER = 100
"""Members that are drawn and run together: more do not fit where arrays are quick to reach, fewer cost calls."""


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
    warm_up: timedelta = timedelta(0)
    """So long before `first_at` issues are made that are learned from and not judged, as a house replays its past."""
    own_beds: bool = False
    boosted: bool = False
    """Whether gradient boosting is among the rivals, where it is installed."""

    @property
    def made_times(self) -> list[datetime]:
        """All that are made, in order: those of the warm-up, then those that are judged."""
        before = self.warm_up // self.every
        return [*(self.first_at - i * self.every for i in range(before, 0, -1)), *self.issue_times]

    @property
    def issue_times(self) -> list[datetime]:
        """All that are judged, in order."""
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

    log_digest: str = ""
    """What the log held of all that was read for it."""
    truth_known_at: datetime | None = None
    """The truth is what was known at this instant; None where nothing was forecast."""

    def as_json(self) -> dict[str, Any]:
        """As printed by `edtwin backtest --json`: the scores, more of them for headline measures, and each issue's."""
        told = as_json(self.verifications, n_issues=self.n_issues)
        for measure in (m for m in (*HEADLINES, *PEAKS) if m in told["measures"]):
            for lead_min in self.verifications[measure]:
                told["measures"][measure][str(round(lead_min))] |= self._slice(measure, lead_min).as_json()
        return {**told, PAIRED: paired(self.pairs)}

    def _slice(self, measure: str, lead_min: float) -> Slice:
        mine = self.pairs.taken(np.flatnonzero((self.pairs.measure == measure) & (self.pairs.lead_min == lead_min)))
        return slice_of(mine, ranks(mine))


@dataclass(frozen=True)
class _Prepared:
    situation: Situation
    rivals: Mapping[str, Mapping[str, Series]]
    lesson: Lesson | None
    """Where the parameters were learned anew for it."""
    past: Mapping[str, Array]
    """Where they were learned anew, each measure up to the issue before it, as counted on the way."""

    def simulated(self, told: Told) -> Simulated:
        """With its members, and without all that is only needed to draw them."""
        situation = self.situation
        zone = situation.calibration.hospital.zone
        return Simulated(situation.as_of, zone, *told, self.rivals, self.lesson)


def backtest(
    log: EventLog,
    hospital: Hospital,
    as_usual: Scenario,
    plan: Plan,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
    kept_in: Path | None = None,
) -> Report:
    """Replay a period and score it.

    1. What was done of it before, where it is kept.
    2. In the order of the issue times, each one's situation and rivals, as known then; its members, on the executor.
    3. Each one recalibrated by those whose truth was known before it, while the next are simulated.
    4. The truth, and the scores.
    Raises TwinError where too little history comes before the first issue.
    """
    if not plan.issue_times:
        return Report(plan, joined([]), {}, 0)
    known_at = _truth_known_at(log, plan)
    held = log.digest(known_at)
    store = BacktestStore(kept_in, key_of(plan, hospital, as_usual, code_digest(), held)) if kept_in else None
    chunks, past = store.load() if store else ([], {})  # 1
    before, times = [one for chunk in chunks for one in chunk], plan.made_times
    replay = _Replay(log, hospital, plan, before, past)
    ran = each_with_result(replay.issues(), members_of, lambda p: (p.situation, as_usual, plan), executor)
    simulated = chain(before, _kept(ran, replay, store, len(chunks)))  # 2
    forecasts = []
    for done, (one, told) in enumerate(_recalibrated(simulated, as_usual, plan), start=1):  # 3
        if one.as_of >= plan.first_at:
            forecasts.append((told, one.rivals))
        if progress is not None:
            progress(done, len(times))
    pairs = joined(list(_scored(replay, forecasts, plan, known_at)))  # 4
    return Report(plan, pairs, verify(pairs), len(forecasts), held, known_at)


class _Replay:
    """The issues of a plan, each prepared as it was known then, after those that are done."""

    def __init__(
        self, log: EventLog, hospital: Hospital, plan: Plan, done: Sequence[Simulated], past: Mapping[str, Array]
    ) -> None:
        self._hospital, self._plan = hospital, plan
        self._memory, self._days, self._past = Memory(log), Days(log), Past(grid_start(plan.made_times[0]), past)
        self._left = plan.made_times[len(done) :]
        self._learned_at = next((one.as_of for one in reversed(done) if one.lesson is not None), None)
        self._calibration: Calibration | None = None
        self.past = past
        """Each measure up to the last issue that was prepared, as counted on the way."""

    def issues(self) -> Iterator[_Prepared]:
        """In order; the parameters are learned anew for the first."""
        rivals: Rivals | None = None
        boosted: Boosted | None = None
        peaks: PeakRivals | None = None
        valid = self._still_to_come()
        for then in retold(self._memory, self._learn, self._past, self._left, self._plan.recalibrate):
            situation, history, as_of = then.situation, then.history, then.situation.as_of
            before, self.past = self.past, history.measures
            lesson = lesson_of(then.state, situation.calibration, as_of, valid) if then.is_learned_anew else None
            if rivals is None or peaks is None or then.is_learned_anew:
                rivals = fit(history, lead_min=sorted(self._plan.lead_min))
                peaks = PeakRivals(history, self._plan.lead_min)
                boosted = Boosted(history, rivals.lead_min) if self._plan.boosted and installed() else None
            told = with_count_model(rivals.ahead(as_of, then.now, history), situation, as_of, rivals.lead_min)
            told = beside(told, peaks.ahead(as_of, then.now))
            if boosted:
                told[BOOSTED] = {BOOSTED_MEASURE: boosted.ahead(history)}
            yield _Prepared(situation, told, lesson, before if then.is_learned_anew else {})

    def learned(self) -> Calibration:
        """What was learned last."""
        if self._calibration is None:
            assert self._learned_at is not None
            self._learn(self._memory.at(self._learned_at), self._learned_at)
        assert self._calibration is not None
        return self._calibration

    def truth(self, times: Sequence[datetime], known_at: datetime) -> dict[str, Array]:
        """What came, measured as it was learned last."""
        return truth_of_period(self._memory, self.learned(), times, known_at)

    def _learn(self, state: State, as_of: datetime) -> Calibration:
        before, own_beds = self._days.before(as_of), self._plan.own_beds
        self._calibration = calibrate(state, self._hospital, as_of, before=before, own_beds=own_beds)
        return self._calibration

    def _still_to_come(self) -> list[datetime]:
        """The instants that are spoken of and of which no lesson has told for good yet."""
        valid = spoken_of(self._plan.made_times, self._plan.lead_min)
        return valid[final_by(self._learned_at, valid) if self._learned_at else 0 :]


def _kept(
    ran: Iterator[tuple[_Prepared, Told]], replay: _Replay, store: BacktestStore | None, number: int
) -> Iterator[Simulated]:
    """Each issue as it was simulated; what lies between two learnings is kept once the next begins, and at the end."""
    chunk: list[Simulated] = []
    for prepared, told in ran:
        if store and chunk and prepared.lesson is not None:
            store.save(number, chunk, prepared.past)
            number, chunk = number + 1, []
        chunk.append(prepared.simulated(told))
        yield chunk[-1]
    if store and chunk:
        store.save(number, chunk, replay.past)


def members_of(situation: Situation, as_usual: Scenario, plan: Plan) -> Told:
    """One issue at the verified leads: the members of what is recalibrated and of peaks, and what the rest tell."""
    how = _seeded(plan.how, situation.as_of)
    chunks = [range(first, min(first + TOGETHER, how.members)) for first in range(0, how.members, TOGETHER)]
    parts = [run_chunk(situation, [as_usual], how, chunk)[as_usual.name] for chunk in chunks]
    at = np.flatnonzero(np.isin(how.lead_min, plan.lead_min))
    whole = {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}
    simulated = {name: values[at] for name, values in with_peaks(whole, how.lead_min).items()}
    kept = {name: packed(values) for name, values in simulated.items() if name in (*HEADLINES, *PEAKS)}
    return kept, {name: series(values) for name, values in simulated.items() if name not in kept}


def _seeded(how: Run, as_of: datetime) -> Run:
    """Luck of its own for each issue time, the same whenever that time is replayed."""
    return replace(how, seed=seed_of(how.seed, as_of))


def seed_of(seed: int, as_of: datetime) -> int:
    """The seed of an issue time: the base and the minute."""
    return int(as_of.timestamp() // 60) * 1_000 + seed


def _recalibrated(
    simulated: Iterable[Simulated], as_usual: Scenario, plan: Plan
) -> Iterator[tuple[Simulated, Forecast]]:
    """Each issue as it would have been published."""
    relearned, done = Relearned(plan.lead_min), list[Simulated]()
    for one in simulated:
        if one.lesson is not None:
            relearned.learn(done, one.lesson)
        done.append(one)
        yield one, _forecast(one, as_usual, plan, relearned.by_past)


def _forecast(one: Simulated, as_usual: Scenario, plan: Plan, by_past: Recalibration) -> Forecast:
    at, leads = one.as_of, np.array(sorted(plan.lead_min))
    simulated = {m: unpacked(values) for m, values in one.members.items()}
    rivals = by_measure(one.rivals)
    told = {m: series(by_past.one(m, values, leads, at, rivals.get(m))) for m, values in simulated.items()}
    told |= one.told
    raw = {m: series(simulated[m]) for m in by_past.measures if m in simulated}
    provenance = {"recalibration": by_past.named(leads, at, one.rivals)}
    return Forecast(at, at, at, leads, {as_usual.name: told}, {}, provenance, raw={as_usual.name: raw} if raw else {})


def _truth_known_at(log: EventLog, plan: Plan) -> datetime:
    """When the truth is taken: a week after the last valid time, or as late as the log goes."""
    span, last_at = log.span(), plan.issue_times[-1] + timedelta(minutes=max(plan.lead_min))
    return min(last_at + VINTAGE, span.last_known_at) if span else last_at


def _scored(
    replay: _Replay, forecasts: Sequence[tuple[Forecast, _Said]], plan: Plan, known_at: datetime
) -> Iterator[Pairs]:
    """Pairs at the leads whose valid time the log had reached; what came is followed step by step, for the peaks."""
    path_min = _path_min(plan)
    steps = [timedelta(minutes=lead) for lead in path_min]
    times = sorted({forecast.as_of + step for forecast, _ in forecasts for step in steps})
    came = replay.truth(times, known_at)
    seen = {m: np.where(np.array([at <= known_at for at in times]), values, np.nan) for m, values in came.items()}
    place, leads = {at: i for i, at in enumerate(times)}, sorted(plan.lead_min)
    at_leads = np.flatnonzero(np.isin(path_min, leads))

    def met(forecast: Forecast, said: _Said) -> Met:
        mine = [place[forecast.as_of + step] for step in steps]
        path = with_peaks({measure: values[mine] for measure, values in seen.items()}, path_min)
        observed = {measure: values[at_leads] for measure, values in path.items()}
        raw, share = forecast.raw.get(next(iter(forecast.scenarios))), simulated_share(forecast, leads)
        return Met(forecast, observed, said, raw, share)

    for first in range(0, len(forecasts), SCORED_TOGETHER):
        some = forecasts[first : first + SCORED_TOGETHER]
        yield score_all([met(*one) for one in some], lead_min=leads)


def _path_min(plan: Plan) -> Array:
    """The steps of a run as far as it is scored."""
    return plan.how.lead_min[plan.how.lead_min <= max(plan.lead_min)]
