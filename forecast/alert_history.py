"""A site's past forecast again, to see what every rule would have said and what came: a trial of each.

Forecasts of the past are made as they were known then (`backtest.py` has the same rule); thresholds are those of each
night. Members are those that a house would have published: corrected and weighed with their rivals by what the issues
before them taught, so that a chance of the trial means what a chance of the board means.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from forecast.alert_ahead import chances_of, rivals_of
from forecast.alert_budget import Trial
from forecast.alert_chances import Chance
from forecast.alert_rules import AlertRules
from forecast.alert_settings import Said
from forecast.alert_trials import trials_of
from forecast.analytic import with_count_model
from forecast.backtest import seed_of
from forecast.baselines import History, Rivals, fit
from forecast.ensemble import Progress, Run, run_chunk
from forecast.past import VINTAGE, Past, grid_start, truth_of_period
from forecast.record import HEADLINES
from forecast.relearned import Relearned, lesson_of, spoken_of
from forecast.retold import retold
from forecast.simulated import Lesson, Simulated
from forecast.situation import Situation
from forecast.usual import STEP_MIN
from forecast.values import Array, Members, Series, from_now, packed
from forecast.verify import verified_leads
from forecast.works import AHEAD, each_with_result
from ingest.log import EventLog
from twin.calibrate import Calibration, calibrate
from twin.hospital import Hospital
from twin.learned_days import Days
from twin.memory import Memory
from twin.scenarios import Scenario
from twin.state import State

_STEP = timedelta(minutes=STEP_MIN)


@dataclass(frozen=True)
class Stretch:
    """Which past is forecast again, and how."""

    first_at: datetime
    last_at: datetime
    every: timedelta = timedelta(hours=1)
    how: Run = field(default_factory=lambda: Run(members=100, horizon_min=600.0))
    learn_every: timedelta = timedelta(days=1)
    own_beds: bool = False

    @property
    def issue_times(self) -> list[datetime]:
        """When it is forecast, in order."""
        return [self.first_at + i * self.every for i in range((self.last_at - self.first_at) // self.every + 1)]


@dataclass(frozen=True)
class _Prepared:
    situation: Situation
    history: History
    rivals: Mapping[str, Mapping[str, Series]]
    lead_min: Array
    lesson: Lesson | None
    """Where the parameters were learned anew for it."""


def trials(
    log: EventLog,
    hospital: Hospital,
    as_usual: Scenario,
    rules: AlertRules,
    stretch: Stretch,
    *,
    spaces: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> dict[str, Trial]:
    """What every rule that has a budget would have said over a stretch of the past, and what came; by rule.

    Raises TwinError where too little history comes before it.
    """
    watched = {name: rule for name, rule in rules.rule.items() if rule.false_a_week is not None}
    said: dict[str, list[Said]] = {name: [] for name in watched}
    calibration: Calibration | None = None
    published = _Published(stretch.how.lead_min)
    prepared = _prepared(log, hospital, stretch, {rule.measure for rule in watched.values()})
    ran = each_with_result(
        prepared, members_of, lambda p: (p.situation, as_usual, stretch.how), executor, held=AHEAD
    )  # each has its whole past with it
    for done, (p, measures) in enumerate(ran, start=1):
        calibration = p.situation.calibration
        members = published.of(p, Members(stretch.how.lead_min, measures))
        found = chances_of(watched, members, p.history, p.situation.as_of, hospital.zone, spaces)
        for name, chance in found.items():
            said[name].append(_said(chance, p))
        if progress is not None:
            progress(done, len(stretch.issue_times))
    if calibration is None:
        return {}
    return trials_of(watched, said, *_came(log, calibration, stretch), hospital.zone)


class _Published:
    """What would have been published of one issue after the other."""

    def __init__(self, lead_min: Array) -> None:
        self._verified = verified_leads(lead_min)
        self._relearned, self._issues = Relearned(self._verified), list[Simulated]()

    def of(self, p: _Prepared, simulated: Members) -> Members:
        """The members, corrected by the issues before them whose truth was known by then."""
        if p.lesson is not None:
            self._relearned.learn(self._issues, p.lesson)
        self._issues.append(self._kept(p, simulated))
        said = {name: {m: from_now(told) for m, told in by.items()} for name, by in p.rivals.items()}
        return self._relearned.by_past.scenarios({"": simulated}, p.situation.as_of, said)[""]

    def _kept(self, p: _Prepared, simulated: Members) -> Simulated:
        """As simulated, and what its rivals said, at the verified leads; of what they speak of."""
        spoken_of = {m for by in p.rivals.values() for m in by if m in HEADLINES}
        at, after = np.isin(simulated.lead_min, self._verified), np.isin(p.lead_min, self._verified)
        members = {m: packed(values[at]) for m, values in simulated.measures.items() if m in spoken_of}
        rivals = {name: {m: told.at(np.flatnonzero(after)) for m, told in by.items()} for name, by in p.rivals.items()}
        situation = p.situation
        return Simulated(situation.as_of, situation.calibration.hospital.zone, members, {}, rivals, p.lesson)


def _said(chance: Chance, p: _Prepared) -> Said:
    return Said(chance.as_of, chance.threshold, chance.p, rivals_of(chance, p.lead_min, p.rivals))


def _prepared(log: EventLog, hospital: Hospital, stretch: Stretch, watched: Collection[str]) -> Iterator[_Prepared]:
    """Each instant's situation, past and rivals of what is watched, as known then, in order."""
    days, past, leads = Days(log), Past(grid_start(stretch.first_at)), stretch.how.lead_min[1:]
    rivals: Rivals | None = None
    valid = spoken_of(stretch.issue_times, verified_leads(stretch.how.lead_min))

    def learn(state: State, as_of: datetime) -> Calibration:
        return calibrate(state, hospital, as_of, before=days.before(as_of), own_beds=stretch.own_beds)

    for then in retold(Memory(log), learn, past, stretch.issue_times, stretch.learn_every):
        history, situation, as_of = then.history, then.situation, then.situation.as_of
        lesson = lesson_of(then.state, situation.calibration, as_of, valid) if then.is_learned_anew else None
        if rivals is None or then.is_learned_anew:
            measures = {name: values for name, values in history.measures.items() if name in watched}
            rivals = fit(replace(history, measures=measures), lead_min=leads) if measures else None
        told = with_count_model(rivals.ahead(as_of, then.now, history), situation, as_of, leads) if rivals else {}
        yield _Prepared(situation, history, told, leads, lesson)


def members_of(situation: Situation, as_usual: Scenario, how: Run) -> dict[str, Array]:
    """The members of an instant: measure to `(lead, member)`."""
    seeded = replace(how, seed=seed_of(how.seed, situation.as_of))
    return run_chunk(situation, [as_usual], seeded, range(how.members))[as_usual.name]


def _came(log: EventLog, calibration: Calibration, stretch: Stretch) -> tuple[list[datetime], dict[str, Array]]:
    """What came, every quarter of an hour; of each month what was known a week later, or as late as the log goes."""
    span = log.span()
    steps = int((stretch.last_at + timedelta(hours=12) - stretch.first_at) / _STEP)
    at = [stretch.first_at + i * _STEP for i in range(steps + 1)]
    known_at = at[-1] + VINTAGE
    known_at = min(known_at, span.last_known_at) if span else known_at
    reached = [one for one in at if one <= known_at]
    return reached, truth_of_period(Memory(log), calibration, reached, known_at)
