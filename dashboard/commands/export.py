"""Tables for analysis as Parquet or CSV: what happened, what was forecast, how good it was."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args

from dashboard.commands.calibrate import instant_within, learned
from dashboard.commands.said import progress, say, written
from dashboard.commands.typed import instant, settings_of
from dashboard.errors import CommandError
from dashboard.house import House, open_house, require_data
from dashboard.settings import Settings
from forecast.export import Source, Span, Table
from forecast.export_file import Form, write
from forecast.exports import TABLES
from ingest.errors import DatabaseHeldError
from twin.memory import Memory
from twin.scenarios import likely


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin export`."""
    command.add_argument("table", nargs="?", metavar="TABLE", help="which one; --list says what there is")
    command.add_argument("--list", action="store_true", dest="lists", help="the tables with their columns, no more")
    command.add_argument("--from", type=instant, dest="since", metavar="T", help="its first instant (default: all)")
    command.add_argument("--to", type=instant, dest="until", metavar="T", help="up to, and without, this instant")
    command.add_argument("--format", choices=get_args(Form), help="default: as the ending of FILE says")
    command.add_argument("--out", type=Path, metavar="FILE", help="where it is written, whole or not at all")
    command.add_argument("--pseudonyms", action="store_true", help="with the pseudonyms of visits and patients")


def run(options: argparse.Namespace) -> None:
    """List the tables, or write one."""
    if options.lists:
        _list(options)
        return
    table, form = _table(options.table), _form(options)
    settings = require_data(settings_of(options))
    with _held(settings) as house:
        source = _source(house)
        since, until = _period(table, source, options)
        with written(options.out) as file, progress(table.name) as report:
            done = write(table, source, since, until, file, form, pseudonyms=options.pseudonyms, report=report)
    told = {
        "table": table.name, "file": str(done.file), "columns_file": str(done.columns_file), "format": form,
        "rows": done.rows, "from": since.isoformat(), "to": until.isoformat(), "pseudonyms": options.pseudonyms,
    }  # fmt: skip
    say(options, told, lambda: f"{done.rows:,} rows of {table.name} in {done.file}; {done.columns_file} explains them")


@contextmanager
def _held(settings: Settings) -> Iterator[House]:
    """The house, open; where another process holds it, what can be done instead is told too."""
    try:
        with open_house(settings) as house:
            yield house
    except DatabaseHeldError as fault:
        raise DatabaseHeldError(
            f"{fault}: stop the house, or export a copy of its folder; what is shown now is at its /api/v1"
        ) from fault


def _table(name: str | None) -> Table:
    if name is None:
        raise CommandError(f"say which table, one of {', '.join(TABLES)}; --list tells their columns")
    if name not in TABLES:
        raise CommandError(f"unknown table {name}{likely(name, TABLES)}; --list tells what there is")
    return TABLES[name]


def _form(options: argparse.Namespace) -> Form:
    """What is asked for, or what the ending says; both must agree."""
    if options.out is None:
        raise CommandError("say where with --out FILE, which ends in .parquet or .csv")
    ending = next((form for form in get_args(Form) if options.out.suffix == f".{form}"), None)
    form: Form | None = options.format or ending
    if form is None:
        raise CommandError(f"--out must end in .parquet or .csv, or --format say which, but is {options.out}")
    if ending is not None and ending != form:
        raise CommandError(f"--out must end as --format says, .{form}, but is {options.out}")
    return form


def _source(house: House) -> Source:
    """What the house knows now; it learns only for a table that needs it."""
    known_at = house.clock.now()
    calibrated = cache(lambda: learned(house, Memory(house.log), instant_within(house, None)))
    return Source(house.log, house.database, known_at, calibrated)


def _period(table: Table, source: Source, options: argparse.Namespace) -> Span:
    """What is asked for, within what there is."""
    there = table.span(source)
    if there is None:
        raise CommandError(f"there is nothing of {table.name} in {options.data or 'the data'} yet")
    since, until = options.since or there[0], options.until or there[1]
    if since >= until:
        raise CommandError(f"--from must lie before --to, {_at(until)}, but is {_at(since)}")
    if until <= there[0] or since >= there[1]:
        asked, held = (f"{_at(first)} to {_at(last)}" for first, last in ((since, until), there))
        raise CommandError(f"{table.name} must be asked for within {held}, but is from {asked}")
    return max(since, there[0]), min(until, there[1])


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _list(options: argparse.Namespace) -> None:
    told: list[dict[str, Any]] = [
        table.described(pseudonyms=True) | {"pseudonyms": [c.name for c in table.columns if c.pseudonym]}
        for table in TABLES.values()
    ]
    say(options, {"tables": told}, lambda: "\n\n".join(map(_text, TABLES.values())))


def _text(table: Table) -> str:
    lines = [f"{table.name}: {table.meaning}"]
    for column in table.columns:
        unit = f", {column.unit}" if column.unit else ""
        only = "; only with --pseudonyms" if column.pseudonym else ""
        lines.append(f"  {column.name:<21} {column.meaning} ({column.kind}{unit}{only})")
    return "\n".join(lines)
