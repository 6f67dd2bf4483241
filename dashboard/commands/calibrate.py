"""Estimate the parameters from the log; print what was learned, excluded and could not be known."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from dashboard.commands.common import instant, say, settings_of
from dashboard.house import House, open_house
from ingest.log import Span
from twin.calibrate import Calibration, calibrate
from twin.errors import TwinError
from twin.memory import Memory


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin calibrate`."""
    command.add_argument("--at", type=instant, metavar="T", help="as of this instant (default: the end of the log)")


def run(options: argparse.Namespace) -> None:
    """Learn and print."""
    with open_house(settings_of(options)) as house:
        at = options.at or span_of(house).last_occurred_at
        report = learned(house, Memory(house.log), at).report
    say(options, report, lambda: "\n".join(_lines(report)))


def learned(house: House, memory: Memory, at: Any) -> Calibration:
    """The calibration of a house as of an instant, as known then."""
    return calibrate(memory.at(at), house.hospital, at, own_beds=house.own_hospital)


def span_of(house: House) -> Span:
    """What the log holds; raises TwinError while it is empty."""
    span = house.log.span()
    if span is None:
        raise TwinError(f"the log in {house.settings.data} is empty: load an extract with edtwin ingest first")
    return span


def _lines(report: Mapping[str, Any], indent: str = "") -> list[str]:
    out = []
    for name, value in report.items():
        if isinstance(value, Mapping):
            out += [f"{indent}{name.replace('_', ' ')}:", *_lines(value, indent + "  ")]
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            out.append(f"{indent}{name.replace('_', ' ')}: {shown}")
    return out
