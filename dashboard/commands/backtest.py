"""Replay a period issue by issue, as it was known then, and score the forecasts beside their baselines."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import Any

from dashboard.commands.calibrate import span_of
from dashboard.commands.said import progress, say
from dashboard.commands.typed import add_executor, duration, hours, instant, settings_of
from dashboard.errors import CommandError
from dashboard.house import BACKTESTS, COMPILED, House, open_house, require_data
from dashboard.report.making import WrittenAs, write_report
from dashboard.words import LANGUAGES
from forecast.arrivals_trial import Trial, arrivals_of, in_words, trial
from forecast.backtest import Plan, Report, backtest
from forecast.boosted import MISSING, installed
from forecast.verify import VERIFIED_LEADS_MIN, Verification
from forecast.versus import Versus, compare
from forecast.workers import GENTLY
from ingest.unswept import seldom_swept
from twin.kernel import warm


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
        "--warm-up", type=duration, default=timedelta(0), metavar="40d",
        help="forecast so long before the first issue too, for recalibration to learn from; not scored",
    )  # fmt: skip
    add_executor(command)
    command.add_argument("--boosted", action="store_true", help="gradient boosting among the rivals (edtwin[boosted])")
    command.add_argument("--members", type=int, help="runs of each ensemble")
    command.add_argument("--arrivals", action="store_true", help="arrivals alone, each day forecast at its midnight")
    command.add_argument("--report", type=Path, metavar="OUT.html", help="write a report for people, one file")
    command.add_argument("--language", choices=LANGUAGES, help="of the report at first; it holds both")
    command.add_argument(
        "--thresholds", type=_numbers, default=(), metavar="40,50", help="patients present, for the report"
    )
    command.add_argument(
        "--compare", nargs=2, type=Path, metavar=("A.json", "B.json"), help="two answers of --json, on shared issues"
    )


def run(options: argparse.Namespace) -> None:
    """Replay, score, print; or compare two that were printed."""
    if options.compare:
        found = compare(*(_answer(file) for file in options.compare))
        say(options, {"compared": [one.as_json() for one in found]}, lambda: _compared(found))
        return
    with open_house(require_data(settings_of(options))) as house:
        if options.arrivals:
            tried = _arrivals(house, options)
            say(options, tried.as_json(), lambda: "\n".join(in_words(tried)))
            return
        plan = _plan(house, options)
        report = _report(house, options, plan)
        if options.report:
            told = WrittenAs(options.report.name, options.language or house.settings.language, options.thresholds)
            write_report(house, report, told, options.report)
    say(options, report.as_json(), lambda: _text(report))


def _report(house: House, options: argparse.Namespace, plan: Plan) -> Report:
    if plan.boosted and not installed():
        print(MISSING, file=sys.stderr)
    workers = house.workers(gives_way=GENTLY)
    warm(house.settings.data / COMPILED)  # this process learns every day of the period
    try:
        with progress("issues") as bar, seldom_swept():
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
        since, until, options.every, tuple(options.leads), house.run(), options.recalibrate,
        warm_up=options.warm_up, own_beds=house.own_hospital, boosted=options.boosted,
    )  # fmt: skip


def _after_the_history(first_at: datetime, days: int, until: datetime) -> datetime:
    """The first whole hour for which there is the usual history."""
    since = first_at.replace(minute=0, second=0, microsecond=0) + timedelta(days=days, hours=1)
    if since > until:
        raise CommandError(
            f"--from must be given where the log holds less than {days} days (history_days) before {until:%Y-%m-%d}"
        )
    return since


def _numbers(text: str) -> tuple[float, ...]:
    """Thresholds separated by commas."""
    try:
        found = tuple(sorted({float(part) for part in text.split(",")}))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"thresholds must be numbers like 40,50, but are {text!r}") from error
    if not all(isfinite(value) and value >= 0 for value in found):
        raise argparse.ArgumentTypeError(f"thresholds must be numbers from 0 up, but are {text!r}")
    return found


def _answer(file: Path) -> dict[str, Any]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} must be an answer of edtwin backtest --json, but {error}") from error
    if not isinstance(told, dict):
        raise CommandError(f"{file} must be an answer of edtwin backtest --json, but is no object")
    return told


def _compared(found: Sequence[Versus]) -> str:
    lines = ["B against A, on the issues that both have (95 % intervals draw whole days anew)"]
    for one in found:
        low, high = one.gain_ci95
        ends = f"{low:+.1%} .. {high:+.1%}" if isfinite(low) else "too few days for an interval"
        lines.append(
            f"  {one.measure:<12} {one.lead_min / 60:>4g} h  n {one.n:>5}  crps {one.crps_a:7.3f} -> {one.crps_b:7.3f}"
            f"  error saved {one.gain:+.1%} ({ends}){'  ' + one.better + ' is better' if one.better else ''}"
        )
    return "\n".join(lines)


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
