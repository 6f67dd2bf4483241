"""How long a back-test takes: 90 days hour by hour, 500 members of 24 hours, scored at six leads, on all processors.

    python -m tests.bench_backtest [--days 90] [--size medium] [--kind congested] [--seed 11]

Prints how many issues were scored, wall time, and the time of the processor in this process and in those it gives work
to. With fewer days the rest is told by the day, which leaves out what grows with their number.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from forecast.backtest import Plan, backtest
from forecast.ensemble import Run
from forecast.workers import GENTLY, Workers
from ingest.clock import WallClock, stopwatch
from ingest.database import Database
from ingest.log import EventLog, Position
from ingest.unswept import seldom_swept
from twin.fabricate import FabricatedHospital, fabricate
from twin.hospital import load_hospital
from twin.kernel import warm
from twin.scenarios import catalogue

START = datetime(2025, 9, 1, tzinfo=UTC)
LEARNED_DAYS = 60
TRUTH_DAYS = 9
"""Made after the last issue, so that all of it can be scored."""
LEADS_MIN = (60.0, 120.0, 240.0, 480.0, 720.0, 1440.0)


def _cpu_s() -> tuple[float, float]:
    """Seconds of the processor: of this process, and of those that it ended."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime, others.ru_utime + others.ru_stime


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a hospital, replay it, and print what that took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--members", type=int, default=500)
    parser.add_argument("--size", choices=("small", "medium", "large"), default="medium")
    parser.add_argument("--kind", choices=("roomy", "congested"), default="congested")
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args(arguments)
    first_at = START + timedelta(days=LEARNED_DAYS)
    plan = Plan(
        first_at,
        first_at + timedelta(days=asked.days),
        lead_min=LEADS_MIN,
        how=Run(members=asked.members, horizon_min=max(LEADS_MIN)),
    )
    hospital, days = FabricatedHospital(asked.kind, asked.size), LEARNED_DAYS + asked.days + TRUTH_DAYS
    made = fabricate(hospital, start=START, days=days, seed=asked.seed)
    warm()  # this process learns every day of the period
    with Database.open(None) as database, Workers(prepare=warm, gives_way=GENTLY) as workers, seldom_swept():
        log = EventLog(database, WallClock())
        log.append_table(made.table(), Position(source="fabricated", offset=1))
        own, begun = _cpu_s()[0], stopwatch()
        report = backtest(log, load_hospital(), catalogue()["as_usual"], plan, executor=workers, progress=_told)
        spent_s, own_s = stopwatch() - begun, _cpu_s()[0] - own
    print(file=sys.stderr)
    others_s, cores = _cpu_s()[1], os.cpu_count() or 1
    what = f"{report.n_issues} issues of a {asked.kind} {asked.size} hospital, {asked.members} members"
    print(f"{what}, {cores} processors")
    print(f"{spent_s:.1f} s, {spent_s / asked.days:.2f} a day; by the day {own_s / asked.days:.2f} s here and ", end="")
    print(f"{others_s / asked.days:.2f} s elsewhere; load {os.getloadavg()[0]:.1f}")


def _told(done: int, total: int) -> None:
    if done % 24 == 0:
        print(f"\r{done} of {total}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
