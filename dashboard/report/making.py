"""What a back-test found, written for people and for programs: the last report, and what is behind it."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from dashboard.commands.said import written
from dashboard.house import BACKTESTS, REPORT, REPORT_JSON, House
from dashboard.report.page import render
from dashboard.words import Language
from forecast.backtest import Plan, Report
from forecast.backtest_desk import PAIRS
from forecast.pairs_file import write_pairs
from forecast.remote import code_digest
from forecast.report import Making, make_report
from ingest.events import BOARD

FABRICATED_SOURCE = "fabricated"
"""What comes from the hospital that does not exist comes from sources whose name begins so."""
_LIBRARIES = ("edtwin", "numpy", "scipy", "numba", "simpy")


@dataclass(frozen=True)
class WrittenAs:
    """How a report is written: the name of its file in the command, its first language, thresholds of the census."""

    name: str
    language: Language
    thresholds: tuple[float, ...] = ()


def write_report(house: House, found: Report, told: WrittenAs, *files: Path) -> None:
    """The report in each of the files, and beside the data as the last one, with its figures and its pairs."""
    making = making_of(house, found, told)
    report = make_report(found, making, house.log, house.hospital, thresholds=told.thresholds)
    page, beside = render(report, told.language), house.settings.data / BACKTESTS
    for file in (*files, beside / REPORT):
        with written(file) as out:
            out.write_text(page, encoding="utf-8")
    with written(beside / REPORT_JSON) as out:
        out.write_text(json.dumps(found.as_json(), ensure_ascii=False, allow_nan=False), encoding="utf-8")
    write_pairs(found.pairs, beside / PAIRS)


def making_of(house: House, found: Report, told: WrittenAs) -> Making:
    """What a report is of, and what makes it again."""
    sources, span = set(house.log.accounts()) - {BOARD}, house.log.span()
    return Making(
        hospital=house.hospital.name,
        zone=house.hospital.zone,
        kind="fabricated" if sources and all(s.startswith(FABRICATED_SOURCE) for s in sources) else "own",
        command=_command(found.plan, told),
        versions={name: version(name) for name in _LIBRARIES} | {"python": platform.python_version()},
        code=code_digest(),
        log=found.log_digest,
        plan=found.plan,
        n_issues=found.n_issues,
        first_day=span.first_occurred_at if span else None,
    )


def _command(plan: Plan, told: WrittenAs) -> str:
    """What gives the same again, every choice named."""
    ahead = ",".join(f"{lead / 60:g}" for lead in plan.lead_min)
    parts = [
        "edtwin backtest", f"--from {plan.first_at.isoformat()}", f"--to {plan.last_at.isoformat()}",
        f"--every {_minutes(plan.every)}m", f"--leads {ahead}", f"--recalibrate {_minutes(plan.recalibrate)}m",
        f"--members {plan.how.members}",
    ]  # fmt: skip
    if plan.warm_up:
        parts.append(f"--warm-up {_minutes(plan.warm_up)}m")
    if told.thresholds:
        parts.append("--thresholds " + ",".join(f"{t:g}" for t in told.thresholds))
    return " ".join([*parts, f"--report {told.name}"])


def _minutes(length: timedelta) -> str:
    return f"{length / timedelta(minutes=1):g}"
