"""What support services will need as of an instant, and when stocks run out, under one scenario or several."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace

from dashboard.commands.calibrate import instant_within, learned
from dashboard.commands.said import progress, say
from dashboard.commands.typed import add_executor, instant, settings_of
from dashboard.house import House, open_house, require_data
from dashboard.supply_words import lasts_said, range_said, supply_kind, unit_said
from dashboard.words import Reader
from forecast.backtest import seed_of
from forecast.issue import Times, issue
from forecast.past import Past, grid_start
from forecast.record import Record
from forecast.situation import situation_of
from forecast.supplies import NEXT_H, supplies_known, supplies_outlook
from forecast.supplies_told import as_json, view_of
from forecast.supplies_view import ItemView, SuppliesView
from twin.memory import Memory
from twin.settled import learnable_from


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin supplies`."""
    command.add_argument("--at", type=instant, metavar="T", help="as of this instant (default: the end of the log)")
    command.add_argument("--scenario", action="append", metavar="NAME", help="may be given several times")
    command.add_argument("--members", type=int, help="runs of the ensemble")
    command.add_argument("--supplies", metavar="FILE", help="the site's own services and items")
    add_executor(command)


def run(options: argparse.Namespace) -> None:
    """Make the forecast and print what it means for supplies."""
    settings = require_data(settings_of(options))
    with open_house(settings) as house:
        view = _view(house, options)
    say(options, as_json(view), lambda: _text(view, Reader(settings.language, view.zone)))


def _view(house: House, options: argparse.Namespace) -> SuppliesView:
    names = dict.fromkeys(("as_usual", *(options.scenario or ())))
    scenarios = house.scenarios(tuple(names))
    at = instant_within(house, options.at)
    memory = Memory(house.log)
    calibration, state = learned(house, memory, at), memory.at(at)
    situation = situation_of(state, calibration, at)
    how = replace(house.run(), seed=seed_of(house.settings.seed, at))
    history, _ = Past(grid_start(at)).at(state, situation.known, calibration, at)
    by_past = Record(house.archive).recalibration(at, house.hospital.zone, since=learnable_from(state))
    workers = house.workers()
    try:
        with progress("members") as report:
            forecast = issue(
                situation, scenarios, how, Times(at, at, at), recalibration=by_past, executor=workers, progress=report
            )
    finally:
        workers.shutdown()
    known = supplies_known(house.supplies, state, history, situation, forecast)
    mode = "fabricated" if house.settings.fabricated else "live"
    return view_of(supplies_outlook(known, forecast, scenarios, how.seed), at, house.hospital.name, mode)


def _text(view: SuppliesView, reader: Reader) -> str:
    lines = [reader.say("Supplies as of {moment}", moment=reader.moment(view.as_of or view.made_at))]
    for service in view.services:
        lines += ["", reader.choice(service.fr, service.en)]
        lines += [f"  {line}" for item in service.items for line in _lines(item, view, reader)]
    return "\n".join(lines)


def _lines(item: ItemView, view: SuppliesView, reader: Reader) -> Iterator[str]:
    unit, ahead = unit_said(item, reader), item.ahead
    said = [
        supply_kind(item, reader),
        reader.say("needed in {hours} h: {range}", hours=NEXT_H, range=range_said(item.need_next, reader)),
    ]
    if item.kind == "stock":
        said.append(lasts_said(item, view, reader))
    said.append(reader.say("short before the end: {chance}", chance=reader.percent(ahead.p_short)))
    yield f"{reader.choice(item.fr, item.en)} ({unit}): {'; '.join(said)}"
    for effect in item.effects:
        more = range_said(effect.need_more, reader, signed=True)
        chance = reader.percent(effect.p_short)
        said_of = reader.say(
            "{scenario}: {more} needed, short: {chance}", scenario=effect.scenario, more=more, chance=chance
        )
        yield f"  {said_of}"
