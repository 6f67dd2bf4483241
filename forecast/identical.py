"""The identical-twin trial: how much the pipeline loses to an oracle where the twin's own law makes the truth.

A hospital lives by the law (`twin/identical.py`); what it tells, with a share of its exits hidden, goes the usual way:
log, state, calibration, ensemble. The oracle runs the same law with the true parameters from where everybody truly
stands; like the twin it does not know how busy today will be. Both are judged by what truly came, census by census.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from scipy import special

from forecast.backtest import seed_of
from forecast.ensemble import Progress, Run, run_chunk
from forecast.recovery import Recovered, recovered
from forecast.scores import crps, inside, pit
from forecast.situation import Situation, situation_of
from forecast.values import Array, series
from forecast.works import each_with_result
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.events import Event
from ingest.log import EventLog, Extract, Position
from twin.calibrate import Calibration, calibrate
from twin.check_values import Check, Curve
from twin.fate import cast_members
from twin.hospital import Hospital
from twin.identical import SOURCE, Lived, TrueState, hidden
from twin.kernel import Runs
from twin.luck import draw_members
from twin.measures import inside as inside_at
from twin.memory import Memory
from twin.scenarios import catalogue
from twin.story import Visits

TRIAL_LEADS_MIN: tuple[float, ...] = (60.0, 120.0, 240.0, 480.0, 1440.0)
RANK_BINS = 10
"""Shares of probability between which ranks are counted."""
WITHIN = (0.1, 0.9)
"""The ends of the 80 % interval, as probabilities."""
_USUAL = "as_usual"


@dataclass(frozen=True)
class Trial:
    """What is tried: issues from `first_at` on, so many days, with a share of the exits hidden."""

    first_at: datetime
    days: int
    every: timedelta = timedelta(hours=6)
    hidden_share: float = 0.0
    how: Run = field(default_factory=lambda: Run(members=100, step_min=60.0))
    recalibrate: timedelta = timedelta(days=1)
    window_days: int = 60
    seed: int = 1

    @property
    def issue_times(self) -> list[datetime]:
        """All of them, in order."""
        return [self.first_at + i * self.every for i in range(int(timedelta(days=self.days) / self.every))]


@dataclass(frozen=True)
class AtLead:
    """How the census was forecast so long ahead: by the twin and by the oracle."""

    lead_min: float
    issues: int
    crps: float
    oracle_crps: float
    bias: float
    oracle_bias: float
    coverage_80: float
    """The share of truths between the 10 and the 90 % quantile; one that lies on an end counts by luck, as ranks do."""
    closed_80: float
    """The same, where who lies on an end lies inside: for counts more than 80 %."""
    oracle_coverage_80: float
    p_uniform: float
    """Of chi-squared, whether the ranks of the truth among the members are uniform; one issue a day, so that ranks of
    different days hardly depend on one another."""
    oracle_p_uniform: float

    @property
    def ratio(self) -> float:
        """The twin's crps over the oracle's; inf where only the oracle is without error."""
        return self.crps / self.oracle_crps if self.oracle_crps else 1.0 if not self.crps else float("inf")


@dataclass(frozen=True)
class Outcome:
    """What a trial showed."""

    trial: Trial
    leads: tuple[AtLead, ...]
    parameters: tuple[Recovered, ...]
    """What was learned last, beside what is true."""
    present: AtLead
    """The present itself: who is here, as drawn, beside who truly was."""

    def as_json(self) -> dict[str, Any]:
        """Plain values, in the order of the table that `twin/README.md` shows."""
        named = ("crps", "oracle_crps", "ratio", "bias", "oracle_bias", "coverage_80", "closed_80",
                 "oracle_coverage_80", "p_uniform", "oracle_p_uniform")  # fmt: skip
        return {
            "hidden_share": self.trial.hidden_share,
            "issues": self.present.issues,
            "leads": {f"{at.lead_min:g}": {n: round(float(getattr(at, n)), 4) for n in named} for at in self.leads},
            "parameters": {p.name: {"true": round(p.true, 4), "learned": round(p.learned, 4)} for p in self.parameters},
        }


@dataclass(frozen=True)
class _Issue:
    situation: Situation
    truth: TrueState
    trial: Trial
    law: Calibration


def recover(
    lived: Lived,
    hospital: Hospital,
    trial: Trial,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Forecast a hospital that lives by the twin's law, from what it tells, and hold it against the oracle.

    1. What it tells, some exits hidden, into a log.
    2. In the order of the issue times the state as known then, the parameters learned each day, the situation.
    3. The twin's members and the oracle's, on the executor.
    4. Both against what truly came. `hospital` is what the twin is told of the hospital before it learns.
    """
    log, close = _log(hidden(lived.events(), trial.hidden_share, seed=trial.seed))  # 1
    try:
        drawn, learned = [], None
        issues = _issues(log, lived, hospital, trial)
        for issue, members in each_with_result(issues, members_of, lambda issue: (issue,), executor):  # 2, 3
            drawn.append(members)
            learned = issue.situation.calibration
            if progress is not None:
                progress(len(drawn), len(trial.issue_times))
    finally:
        close()
    twin, oracle = (np.array([pair[k] for pair in drawn]) for k in (0, 1))
    came = _came(lived, trial)
    judged = tuple(_judged(lead, twin[:, i], oracle[:, i], came[:, i], trial) for i, lead in enumerate(_leads()))  # 4
    assert learned is not None
    return Outcome(trial, judged[1:], recovered(lived, learned), judged[0])


def checks_of(outcome: Outcome, *, at_most: float) -> list[Check]:
    """The trial as checks of the model; `at_most` bounds the twin's crps over the oracle's, all leads together."""
    source = f"n = {outcome.present.issues}"
    leads = outcome.leads
    ratio = sum(at.crps for at in leads) / sum(at.oracle_crps for at in leads)
    covered = float(np.mean([at.coverage_80 for at in leads]))
    hours = tuple(at.lead_min / 60 for at in leads)
    curve = Curve(hours, tuple(at.crps for at in leads), tuple(at.oracle_crps for at in leads))
    return [
        Check("identical_crps", "identical", "ratio", ratio, 1.0, at_most - 1.0, "at_most", source, curve),
        Check("identical_coverage", "identical", "share", covered, 0.8, 0.08, source=source),
    ]


def members_of(issue: _Issue) -> tuple[Array, Array]:
    """The census of the twin's members and of the oracle's, each `(lead, member)`; lead 0 first."""
    how = replace(issue.trial.how, seed=seed_of(issue.trial.how.seed, issue.situation.as_of))
    twin = run_chunk(issue.situation, [catalogue()[_USUAL]], how, range(how.members))[_USUAL]["ed_census"]
    at = np.searchsorted(how.lead_min, _leads())
    return twin[at], _oracle(issue, how)


def _oracle(issue: _Issue, how: Run) -> Array:
    """The census of the oracle's members at each lead, `(lead, member)`."""
    law, at, members = issue.law, issue.situation.as_of, range(how.members)
    presents = [issue.truth.present(law, seed=how.seed, member=member) for member in members]
    luck = draw_members(
        law.path, law.parameters, {m: presents[m].count for m in members}, seed=how.seed, start=at,
        horizon_min=how.until_min, zone=law.hospital.zone, seen_today=issue.situation.seen_today,
    )  # fmt: skip
    capacity = law.hospital.capacities(law.path.pools, at, how.until_min)
    fates, grid, out = cast_members(law.path, law.parameters, luck, presents), np.array(_leads()), []
    for present, lot in zip(presents, fates.lots(), strict=True):
        now = Visits.of(present.history, lot.acuity)
        later = Visits.of(Runs(law.path, lot, present, how.until_min).under(capacity), lot.acuity)
        out.append(np.concatenate([_census(now, grid[:1]), _census(later, grid[1:])]))
    return np.stack(out, axis=1)


def _census(visits: Visits, at_min: Array) -> Array:
    return np.asarray(inside_at(visits.arrived_min, visits.departed_min, at_min))


def _leads() -> list[float]:
    return [0.0, *TRIAL_LEADS_MIN]


def _log(events: Sequence[Event]) -> tuple[EventLog, Any]:
    """A log in memory that holds the events, and what closes it."""
    database = Database.open(None, threads=1)
    last_at = max(event.occurred_at for event in events)
    log = EventLog(database, SimulatedClock(last_at))
    extract = Extract(source=SOURCE, digest="1", extracted_at=last_at)
    log.append(events, Position(source=SOURCE, offset=1), extract=extract)
    return log, database.close


def _issues(log: EventLog, lived: Lived, hospital: Hospital, trial: Trial) -> Iterator[_Issue]:
    memory, learned = Memory(log), None
    for as_of in trial.issue_times:
        state = memory.at(as_of)
        if learned is None or as_of - learned.as_of >= trial.recalibrate:
            learned = calibrate(state, hospital, as_of, window_days=trial.window_days)
        yield _Issue(situation_of(state, learned, as_of), lived.true_state(as_of), trial, lived.law)


def _came(lived: Lived, trial: Trial) -> Array:
    """The true census, `(issue, lead)`."""
    at = [as_of + timedelta(minutes=lead) for as_of in trial.issue_times for lead in _leads()]
    return lived.census(at).reshape(-1, len(_leads()))


def _judged(lead_min: float, twin: Array, oracle: Array, came: Array, trial: Trial) -> AtLead:
    """Members are `(issue, member)`."""
    luck = np.random.Generator(np.random.PCG64(trial.seed))
    ranks, oracle_ranks = (pit(members, came, rng=luck) for members in (twin, oracle))
    cuts = series(twin).quantiles
    return AtLead(
        lead_min=lead_min,
        issues=came.size,
        crps=float(crps(twin, came).mean()),
        oracle_crps=float(crps(oracle, came).mean()),
        bias=float((twin.mean(axis=1) - came).mean()),
        oracle_bias=float((oracle.mean(axis=1) - came).mean()),
        coverage_80=_covered(ranks),
        closed_80=float(inside((cuts[WITHIN[0]], cuts[WITHIN[1]]), came).mean()),
        oracle_coverage_80=_covered(oracle_ranks),
        p_uniform=uniform(_one_a_day(ranks, trial)),
        oracle_p_uniform=uniform(_one_a_day(oracle_ranks, trial)),
    )


def _covered(ranks: Array) -> float:
    return float(((ranks > WITHIN[0]) & (ranks < WITHIN[1])).mean())


def _one_a_day(ranks: Array, trial: Trial) -> Array:
    """One issue a day, each day at the next hour in turn."""
    a_day = max(int(timedelta(days=1) / trial.every), 1)
    day = np.arange(ranks.size // a_day)
    return np.asarray(ranks[day * a_day + day % a_day])


def uniform(ranks: Array) -> float:
    """The p-value of chi-squared of ranks in 0 .. 1 over ten equal shares; small where they are not uniform."""
    counts = np.histogram(ranks, bins=RANK_BINS, range=(0.0, 1.0))[0]
    expected = ranks.size / RANK_BINS
    return float(special.chdtrc(RANK_BINS - 1, ((counts - expected) ** 2).sum() / expected))
