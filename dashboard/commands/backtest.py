"""Replay a period issue by issue, as it was known then, and score the forecasts beside their baselines."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from math import isfinite

from dashboard.commands.calibrate import span_of
from dashboard.commands.common import duration, hours, instant, progress, say, settings_of
from dashboard.errors import CommandError
from dashboard.house import BACKTESTS, House, open_house, require_data
from forecast.arrivals_trial import Trial, arrivals_of, in_words, trial
from forecast.backtest import Plan, Report, backtest
from forecast.verify import VERIFIED_LEADS_MIN, Verification


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin backtest`."""
    command.add_argument(
        "--from",
        dest="since",
        type=instant,
        metavar="T",
        help="first issue (default: after history_days)",
    )
    command.add_argument("--to", dest="until", type=instant, metavar="T", help="last issue (default: the end)")
    command.add_argument("--every", type=duration, default=timedelta(hours=1), metavar="60m", help="between issues")
    command.add_argument("--leads", type=hours, default=VERIFIED_LEADS_MIN, metavar="1,2,4", help="in hours")
    command.add_argument(
        "--recalibrate", type=duration, default=timedelta(days=1), metavar="1d", help="how often to learn"
    )
    command.add_argument(
        "--executor", metavar="WHERE", help="where members run: local, or dask://host:port of a cluster"
    )
    command.add_argument("--members", type=int, help="runs of each ensemble")
    command.add_argument("--arrivals", action="store_true", help="arrivals alone, each day forecast at its midnight")


def run(options: argparse.Namespace) -> None:
    """Replay, score, print."""
    with open_house(require_data(settings_of(options))) as house:
        if options.arrivals:
            found = _arrivals(house, options)
            say(options, found.as_json(), lambda: "\n".join(in_words(found)))
            return
        report = _report(house, options)
    say(options, report.as_json(), lambda: _text(report))


def _report(house: House, options: argparse.Namespace) -> Report:
    plan = _plan(house, options)
    workers = house.workers()
    try:
        with progress("issues") as bar:
            usual = house.scenarios()[0]
            kept_in = house.settings.data / BACKTESTS
            return backtest(house.log, house.hospital, usual, plan, executor=workers, progress=bar, kept_in=kept_in)
    finally:
        workers.shutdown()


def _arrivals(house: House, options: argparse.Namespace) -> Trial:
    """The arrival model by itself, beside its own rivals."""
    span = span_of(house)
    since, until = options.since or span.first_occurred_at, options.until or span.last_occurred_at
    with progress("days") as bar:
        return trial(arrivals_of(house.log), house.hospital, since, until, progress=bar)


def _plan(house: House, options: argparse.Namespace) -> Plan:
    span = span_of(house)
    until = options.until or span.last_occurred_at
    since = options.since or _after_the_history(span.first_occurred_at, house.settings.history_days, until)
    if until < since:
        raise CommandError(
            f"--to must not be before --from, but {until:%Y-%m-%d %H:%M} is before {since:%Y-%m-%d %H:%M}"
        )
    return Plan(
        since, until, options.every, tuple(options.leads), house.run(), options.recalibrate, own_beds=house.own_hospital
    )


def _after_the_history(first_at: datetime, days: int, until: datetime) -> datetime:
    """The first whole hour for which there is the usual history."""
    since = first_at.replace(minute=0, second=0, microsecond=0) + timedelta(days=days, hours=1)
    if since > until:
        raise CommandError(
            f"--from must be given where the log holds less than {days} days (history_days) before {until:%Y-%m-%d}"
        )
    return since


def _text(report: Report) -> str:
    first, last = report.plan.first_at, report.plan.last_at
    lines = [f"{report.n_issues} issues from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"]
    for measure, by_lead in report.verifications.items():
        told = [_row(lead_min, v) for lead_min, v in by_lead.items() if v.n]
        lines += [measure, *told] if told else [f"{measure}: nothing to compare"]
    return "\n".join(lines)


def _row(lead_min: float, v: Verification) -> str:
    skill = ", ".join(f"{name} {value:+.2f}" for name, value in v.skill.items() if isfinite(value))
    return (
        f"  {lead_min / 60:>4g} h  n {v.n:>5}  mae {v.mae:6.2f}  bias {v.bias:+6.2f}  crps {v.crps:6.3f}  "
        f"80 % covers {v.coverage[80]:4.0%}  skill against: {skill or 'none'}"
    )
