"""How good alarms are: chances set on one year of a fabricated hospital, judged on the next, beside every rival's.

    python -m tests.bench_alerts --size small --kind congested --days 730 --every 2 --members 60

60 days are learned first. What is told of each rule is its hit rate, false alarms a week and notice in the second half
of the days, with chances that were set on the first half for a budget of one false alarm a week, and by how much more
of the events the twin saw than each rival, with the 95 % interval (whole days drawn anew).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from forecast.alert_budget import OWN, Outcome, Trial, at_chance, chosen, judged, summed
from forecast.alert_history import Stretch, trials
from forecast.alert_levels import Limits
from forecast.alert_rules import AlertRules, Rule, load_rules
from forecast.dayblocks import drawn_days, ends
from forecast.pages import Measured
from forecast.workers import Workers
from ingest.clock import WallClock
from ingest.database import Database
from ingest.log import EventLog, Position
from tests.bench_forecast import LEARNED_DAYS, START, seed_of_commit
from twin.fabricate import FabricatedHospital, fabricate
from twin.hospital import load_hospital
from twin.kernel import warm
from twin.scenarios import catalogue

A_WEEK = 1.0
"""False alarms that are allowed."""
DAY_MIN = 1440.0


def tried(hospital: FabricatedHospital, seed: int, stretch: Stretch, rules: AlertRules) -> dict[str, Trial]:
    """What every rule and rival would have said, and what came."""
    days = LEARNED_DAYS + (stretch.last_at - stretch.first_at) // timedelta(days=1) + 2
    made, workers = fabricate(hospital, start=START, days=days, seed=seed), Workers(prepare=warm)
    try:
        with Database.open(None) as database:
            log = EventLog(database, WallClock())
            log.append_table(made.table(), Position(source="fabricated", offset=1))
            usual = catalogue()["as_usual"]
            return trials(log, load_hospital(), usual, rules, stretch, executor=workers, progress=_told)
    finally:
        workers.shutdown()


def second_year(trial: Trial, rule: Rule) -> dict[str, tuple[Outcome, Measured]]:
    """By who said it, how the second half went with a chance set on the first."""
    middle = float(trial.said_min[0] + trial.said_min[-1]) / 2
    first, second = trial.part(-np.inf, middle), trial.part(middle, np.inf)
    limits = Limits.of(rule)
    out = {}
    for name in [OWN, *(n for n, p in trial.chances.items() if n != OWN and not np.isnan(p).all())]:
        p_alert = chosen(first, name, limits, A_WEEK)
        found = judged(second, second.chances[name], at_chance(limits, 2.0 if p_alert is None else p_alert))
        out[name] = found, summed(found, name, p_alert)
    return out


def more_seen(ours: Outcome, rival: Outcome) -> tuple[float, float, float]:
    """The share of events that we saw less that of the rival, and its interval over days drawn anew."""
    day = np.floor(ours.onset_min / DAY_MIN).astype(np.int64)
    numbers = np.unique(day, return_inverse=True)[1]
    gain = ours.seen.astype(float) - rival.seen
    weight = drawn_days(int(numbers.max()) + 1)
    per_day, events = np.bincount(numbers, gain), np.bincount(numbers)
    return float(gain.mean()), *ends((weight @ per_day) / (weight @ events))


def table(rule: str, found: dict[str, tuple[Outcome, Measured]]) -> str:
    """As it stands in a README."""
    events = found[OWN][1].events
    lines = [
        f"| {rule}, {events} events | seen | false a week | median notice | we saw more by |",
        "|---|---|---|---|---|",
    ]
    for name, (outcome, m) in found.items():
        gain = "" if name == OWN or not events else _percent(more_seen(found[OWN][0], outcome))
        rate, false = _three(m.hit_rate, "{:.0%}"), _three(m.false_a_week, "{:.1f}")
        notice = _three(m.notice_min, "{:.0f} min")
        lines.append(f"| {name} | {m.hits}: {rate} | {false} | {notice} | {gain} |")
    return "\n".join(lines)


def _three(values: Sequence[float] | None, form: str) -> str:
    return "" if values is None else "{} ({} to {})".format(*(form.format(value) for value in values))


def _percent(values: Sequence[float]) -> str:
    return "{:+.0%} ({:+.0%} to {:+.0%})".format(*values)


def _told(done: int, of: int) -> None:
    if done % 500 == 0:
        print(f"{done} of {of} issues", file=sys.stderr, flush=True)


def main() -> None:
    """One campaign: a table for each rule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", default="congested")
    parser.add_argument("--size", default="small")
    parser.add_argument("--days", type=int, default=730, help="half to set, half to judge")
    parser.add_argument("--every", type=float, default=1.0, help="hours from one issue to the next")
    parser.add_argument("--learn-every", type=float, default=7.0, help="days from one learning to the next")
    parser.add_argument("--members", type=int, default=60)
    parser.add_argument("--seed", type=int, help="instead of one drawn from the commit")
    given = parser.parse_args()
    seed = seed_of_commit(given.kind, given.size) if given.seed is None else given.seed
    first = START + timedelta(days=LEARNED_DAYS)
    stretch = Stretch(first, first + timedelta(days=given.days), timedelta(hours=given.every))
    stretch = replace(
        stretch, how=replace(stretch.how, members=given.members), learn_every=timedelta(days=given.learn_every)
    )
    rules = load_rules(None)
    for name, trial in tried(FabricatedHospital(given.kind, given.size), seed, stretch, rules).items():
        print(
            f"{given.kind} {given.size}, seed {seed}, {given.days} days",
            table(name, second_year(trial, rules.rule[name])),
            sep="\n",
            flush=True,
        )


if __name__ == "__main__":
    main()
