"""The huddle sheet as of an instant, until 8 am: printed, or written as a PDF or a spreadsheet."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from dashboard.commands.calibrate import instant_within, learned
from dashboard.commands.said import progress, say, written
from dashboard.commands.typed import add_executor, instant, settings_of
from dashboard.errors import CommandError
from dashboard.house import House, open_house, require_data
from dashboard.huddle_files import FORMS, attachment
from dashboard.huddle_words import Block, told
from dashboard.words import LANGUAGES, Reader
from forecast.backtest import seed_of
from forecast.baselines import fit
from forecast.feeds import Feeds
from forecast.huddle import make_sheet
from forecast.huddle_desk import Sheets, as_json
from forecast.issue import Times, issue
from forecast.past import Past, grid_start
from forecast.record import HEADLINES, Record
from forecast.sheet import Sheet
from forecast.situation import situation_of
from forecast.wall import Made
from twin.memory import Memory


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin huddle`."""
    command.add_argument("--at", type=instant, metavar="T", help="as of this instant (default: the end of the log)")
    command.add_argument("--out", type=Path, metavar="FILE", help="write it there: .pdf or .xlsx")
    command.add_argument("--language", choices=LANGUAGES, help="of the sheet (default: the setting)")
    command.add_argument("--members", type=int, help="runs of the ensemble")
    add_executor(command)


def run(options: argparse.Namespace) -> None:
    """Make the sheet; print it, and write it where a file is named."""
    form = options.out.suffix.removeprefix(".") if options.out else None
    known = next((one for one in FORMS if one == form), None)
    if options.out and known is None:
        raise CommandError(f"--out must be a file .pdf or .xlsx, but is {options.out}")
    settings = require_data(settings_of(options))
    with open_house(settings) as house:
        sheet = _sheet(house, options.at)
    if options.out and known:
        with written(options.out) as file:
            file.write_bytes(attachment(sheet, settings.language, known)[1])
    say(options, json.loads(as_json(sheet)), lambda: _text(sheet, Reader(settings.language, sheet.zone)))


def _sheet(house: House, asked_at: datetime | None) -> Sheet:
    """From a forecast of that instant, held against the last sheet that the house kept before."""
    at = instant_within(house, asked_at)
    memory = Memory(house.log)
    calibration, state = learned(house, memory, at), memory.at(at)
    situation = situation_of(state, calibration, at)
    how = replace(house.run(), seed=seed_of(house.settings.seed, at))
    history, now = Past(grid_start(at)).at(state, situation.known, calibration, at)
    shown = replace(history, measures={m: v for m, v in history.measures.items() if m in HEADLINES})
    usual = fit(shown, lead_min=how.lead_min[1:]).ahead(at, now)["climatology"]
    by_past = Record(house.archive).recalibration(at, house.hospital.zone, known=(state, calibration))
    scenarios = house.scenarios(("as_usual",))
    feeds = Feeds(house.log.traffic(), house.hospital, tuple)
    feeds.learn(at)
    workers = house.workers()
    try:
        with progress("members") as report:
            forecast = issue(
                situation, scenarios, how, Times(at, at, at), recalibration=by_past, executor=workers, progress=report
            )
        made = Made(forecast, situation, history, usual, None, tuple(scenarios), ())
        previous = Sheets(house.settings.data).before(at)
        mode = "fabricated" if house.settings.fabricated else "live"
        return make_sheet(made, feeds.feed(at), at, at, mode=mode, previous=previous, executor=workers)
    finally:
        workers.shutdown()


def _text(sheet: Sheet, reader: Reader) -> str:
    words = told(sheet, reader)
    blocks = [line for block in words.blocks for line in ("", block.title, *_table(block))]
    return "\n".join([words.title, *words.lines, *blocks, "", words.is_not])


def _table(block: Block) -> list[str]:
    """The block in columns, names to the left, figures to the right."""
    rows = [list(block.head), *([cell.text for cell in row.cells] for row in block.rows)]
    if not block.head:
        return [block.note]
    widths = [max(len(row[at]) for row in rows) for at in range(len(block.head))]
    return ["  ".join([row[0].ljust(widths[0]), *(t.rjust(w) for t, w in zip(row[1:], widths[1:], strict=True))])
            for row in rows]  # fmt: skip
