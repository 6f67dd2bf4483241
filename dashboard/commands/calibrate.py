"""Estimate the parameters from the log; print what was learned, excluded and could not be known."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from dashboard.commands.common import instant, say, settings_of
from dashboard.errors import CommandError
from dashboard.house import House, open_house, require_data
from ingest.log import Span
from twin.calibrate import Calibration, calibrate
from twin.learned_days import Days
from twin.memory import Memory

AFTER_THE_END = timedelta(days=1)
"""How long after its last event a log still tells something of the present."""


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin calibrate`."""
    command.add_argument("--at", type=instant, metavar="T", help="as of this instant (default: the end of the log)")


def run(options: argparse.Namespace) -> None:
    """Learn and print."""
    with open_house(require_data(settings_of(options))) as house:
        at = instant_within(house, options.at)
        report = learned(house, Memory(house.log), at).report
    say(options, report, lambda: "\n".join(_lines(report)))


def learned(house: House, memory: Memory, at: datetime) -> Calibration:
    """The calibration of a house as of an instant, as known then."""
    before = Days(house.log, saves=True).before(at)
    return calibrate(memory.at(at), house.hospital, at, before=before, own_beds=house.own_hospital)


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
    out = []
    for name, value in report.items():
        if isinstance(value, Mapping):
            out += [f"{indent}{name.replace('_', ' ')}:", *_lines(value, indent + "  ")]
        else:
            out.append(f"{indent}{name.replace('_', ' ')}: {_shown(value)}")
    return out


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (", ".join(map(str, value)) or "none") if isinstance(value, list | tuple) else str(value)
