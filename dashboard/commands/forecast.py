"""One forecast of the hospital as of an instant, under one scenario or several on the same luck."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from dashboard.commands.calibrate import instant_within, learned
from dashboard.commands.said import progress, say
from dashboard.commands.typed import add_executor, instant, settings_of
from dashboard.house import House, open_house, require_data
from forecast.backtest import seed_of
from forecast.issue import Times, as_json, issue
from forecast.record import Record
from forecast.situation import situation_of
from forecast.values import Forecast, Series
from twin.described import sentence_of
from twin.memory import Memory
from twin.settled import learnable_from

_SHOWN_H = (1, 2, 4, 8, 12, 24)


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin forecast`."""
    command.add_argument("--at", type=instant, metavar="T", help="as of this instant (default: the end of the log)")
    command.add_argument("--known-at", type=instant, metavar="T", help="from what was known then (default: --at)")
    command.add_argument("--scenario", action="append", metavar="NAME", help="may be given several times")
    command.add_argument("--members", type=int, help="runs of the ensemble")
    add_executor(command)
    command.add_argument("--hours", dest="horizon_h", type=float, metavar="H", help="how far it goes")


def run(options: argparse.Namespace) -> None:
    """Make the forecast and print it."""
    with open_house(require_data(settings_of(options))) as house:
        told = _forecast(house, options)
    say(options, as_json(told), lambda: _text(told))


def _forecast(house: House, options: argparse.Namespace) -> Forecast:
    scenarios = house.scenarios(tuple(options.scenario) if options.scenario else ("as_usual",))
    at = instant_within(house, options.at)
    known_at = options.known_at or at
    memory = Memory(house.log)
    calibration = learned(house, memory, min(at, known_at))
    situation = situation_of(memory.at(known_at), calibration, at)
    how = replace(house.run(), seed=seed_of(house.settings.seed, at))
    state = memory.at(min(at, known_at))
    by_past = Record(house.archive).recalibration(
        min(at, known_at), house.hospital.zone, since=learnable_from(state), known=(state, calibration)
    )
    workers = house.workers()
    try:
        with progress("members") as report:
            times = Times(issued_at=house.clock.now(), as_of=at, known_at=known_at)
            return issue(situation, scenarios, how, times, recalibration=by_past, executor=workers, progress=report)
    finally:
        workers.shutdown()


def _text(told: Forecast) -> str:
    """The first scenario whole, the others by what they would change."""
    as_of, known_at, path = told.as_of, told.known_at, told.provenance["path"]
    lines = [
        f"as of {as_of:%Y-%m-%d %H:%M} UTC, from what was known at {known_at:%Y-%m-%d %H:%M} UTC, path {path}",
        "mean (8 chances in 10); people, waits (wait_min) in minutes, arrivals, departures and admissions in the hour",
    ]
    if told.provenance["described"]:
        lines.insert(1, sentence_of(told.provenance["described"]))
    for name in told.scenarios:
        why_not = told.provenance["inapplicable"].get(name)
        if why_not is not None:
            lines.append(f"{name} would change nothing here: {why_not}")
        elif name in told.differences:
            lines += [f"{name}, the difference it would make", *_rows(told, told.differences[name], "+.1f", "+.0f")]
        else:
            lines += [name, *_rows(told, told.scenarios[name], ".1f", ".0f")]
    return "\n".join(lines)


def _rows(told: Forecast, measures: Mapping[str, Series], mean: str, limit: str) -> Iterator[str]:
    """A line a measure, where it has a value at a lead that is shown."""
    for measure, series in measures.items():
        cells = [
            f"+{hours} h {series.mean[at]:{mean}} ({series.quantiles[0.1][at]:{limit}} to "
            f"{series.quantiles[0.9][at]:{limit}})"
            for hours in _SHOWN_H
            for at in np.flatnonzero(told.lead_min == hours * 60)
            if not np.isnan(series.mean[at])
        ]
        if cells:
            yield f"  {measure}: {'   '.join(cells)}"
