"""Estimate the parameters from the log; print what was learned, excluded and could not be known."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from dashboard.commands.said import say
from dashboard.commands.typed import instant, settings_of
from dashboard.errors import CommandError
from dashboard.house import House, open_house, require_data
from forecast.nightly import earlier_report
from ingest.log import Span
from twin.calibrate import Calibration, calibrate
from twin.described import believed, sentence_of
from twin.learned_days import Days
from twin.learned_report import changes
from twin.memory import Memory

_JSON_ONLY = ("arrivals_per_hour", "names")
AFTER_THE_END = timedelta(days=1)
"""How long after its last event a log still tells something of the present."""


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin calibrate`."""
    command.add_argument("--at", type=instant, metavar="T", help="as of this instant (default: the end of the log)")


def run(options: argparse.Namespace) -> None:
    """Learn and print."""
    with open_house(require_data(settings_of(options))) as house:
        at = instant_within(house, options.at)
        report = with_changes(house, learned(house, Memory(house.log), at).report, at)
    basis = report.get("described")
    first = [sentence_of(basis)] if basis else []
    say(options, report, lambda: "\n".join([*first, *_lines(report)]))


def with_changes(house: House, report: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The account, and what differs from the last one that the house kept before the instant, if it has one."""
    before, since = earlier_report(house.log, at)
    if before is None or since is None or not report["days"]:
        return {**report, "changed_since": None, "changes": []}
    return {**report, "changed_since": since.isoformat(), "changes": changes(before, report)}


def learned(house: House, memory: Memory, at: datetime) -> Calibration:
    """The calibration of a house as of an instant, as known then; what its site says while that is not enough."""
    before = Days(house.log, saves=True).before(at)
    state = memory.at(at)
    return believed(
        house.site, state, at,
        lambda: calibrate(state, house.hospital, at, before=before, own_beds=house.own_hospital),
    )  # fmt: skip


def instant_within(house: House, at: datetime | None) -> datetime:
    """The instant asked for, or the end of the log; raises CommandError for one that the log knows nothing of."""
    span = span_of(house)
    if at is None:
        return span.last_occurred_at
    if not span.first_occurred_at <= at <= span.last_known_at + AFTER_THE_END:
        first, last = span.first_occurred_at, span.last_known_at
        raise CommandError(
            f"--at must lie within the log, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, but is {at:%Y-%m-%d %H:%M}"
        )
    return at


def span_of(house: House) -> Span:
    """What the log holds; raises CommandError while it is empty."""
    span = house.log.span()
    if span is None:
        raise CommandError(f"the log in {house.settings.data} is empty: load an extract with edtwin ingest first")
    return span


def _lines(report: Mapping[str, Any], indent: str = "") -> list[str]:
    """The account as people read it; what is long, or only there to name things, is in the JSON alone."""
    out = []
    for name, value in report.items():
        title = f"{indent}{name.replace('_', ' ')}:"
        if name in _JSON_ONLY:
            continue
        if isinstance(value, Mapping):
            out += [title, *_lines(value, indent + "  ")]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            out += [title, *(f"{indent}  {_row(row)}" for row in value)]
        else:
            out.append(f"{title} {_shown(value)}")
    return out


def _row(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in row.items())


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(f"{name} {_shown(of)}" for name, of in value.items())
    return (", ".join(map(str, value)) or "none") if isinstance(value, list | tuple) else str(value)
