"""One forecast of the hospital as of an instant, under one scenario or several on the same luck."""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from dashboard.commands.calibrate import learned, span_of
from dashboard.commands.common import instant, progress, say, settings_of
from dashboard.house import House, open_house
from forecast.backtest import seed_of
from forecast.issue import Times, as_json, issue
from forecast.situation import situation_of
from forecast.values import Forecast
from forecast.workers import Workers
from twin.memory import Memory

_SHOWN_H = (1, 2, 4, 8, 12, 24)


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin forecast`."""
    command.add_argument("--at", type=instant, metavar="T", help="as of this instant (default: the end of the log)")
    command.add_argument("--known-at", type=instant, metavar="T", help="from what was known then (default: --at)")
    command.add_argument("--scenario", action="append", metavar="NAME", help="may be given several times")
    command.add_argument("--members", type=int)
    command.add_argument("--hours", dest="horizon_h", type=float, metavar="H")


def run(options: argparse.Namespace) -> None:
    """Make the forecast and print it."""
    with open_house(settings_of(options)) as house:
        told = _forecast(house, options)
    say(options, as_json(told), lambda: _text(told))


def _forecast(house: House, options: argparse.Namespace) -> Forecast:
    at = options.at or span_of(house).last_occurred_at
    known_at = options.known_at or at
    memory = Memory(house.log)
    calibration = learned(house, memory, min(at, known_at))
    situation = situation_of(memory.at(known_at), calibration, at)
    how = replace(house.run(), seed=seed_of(house.settings.seed, at))
    scenarios = house.scenarios(tuple(options.scenario) if options.scenario else ("as_usual",))
    workers = Workers(house.settings.workers)
    try:
        with progress("members") as report:
            times = Times(issued_at=house.clock.now(), as_of=at, known_at=known_at)
            return issue(situation, scenarios, how, times, executor=workers, progress=report)
    finally:
        workers.shutdown()


def _text(told: Forecast) -> str:
    path, as_of, known_at = told.provenance["path"], told.as_of, told.known_at
    lines = [f"as of {as_of:%Y-%m-%d %H:%M} UTC, known at {known_at:%Y-%m-%d %H:%M}, path {path}"]
    for name, measures in told.scenarios.items():
        lines.append(name)
        for measure, series in measures.items():
            cells = []
            for h in _SHOWN_H:
                at = np.flatnonzero(told.lead_min == h * 60)
                if at.size and not np.isnan(series.mean[at[0]]):
                    low, high = series.quantiles[0.1][at[0]], series.quantiles[0.9][at[0]]
                    cells.append(f"+{h} h {series.mean[at[0]]:.1f} ({low:.0f}-{high:.0f})")
            if cells:
                lines.append(f"  {measure}: {'   '.join(cells)}")
    lines += [f"{name}: no lever here. {why}" for name, why in told.provenance["inapplicable"].items()]
    return "\n".join(lines)
