"""Make the database anew from the journal; the one before is put aside. Forecasts and their scores are carried over."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from dashboard.commands.common import say, settings_of
from dashboard.errors import CommandError
from dashboard.formats import readers_of
from dashboard.house import DATABASE, JOURNAL, SCHEMAS, open_journal
from dashboard.settings import Settings
from ingest.clock import WallClock
from ingest.database import Database, arrow, registered, rows
from ingest.errors import DatabaseDamagedError, EdtwinError
from ingest.log import EventLog
from ingest.rebuild import Rebuilt, rebuild, require_journalled

ARCHIVE = (
    "issue",
    "forecast",
    "score",
    "cycle",
    "alarm_log",
    "alarm_delivery",
    "alert_chance",
    "alert_setting",
    "own_scenario",
    "proposal_log",
    "known_log",
    "placebo",
    "scenario_grid",
    "scenario_grid_part",
    "supply",
)
"""Tables that are not made of the journal."""


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin rebuild`."""
    command.add_argument("--mllp-mapping", type=Path, metavar="M.toml", help="mapping of the HL7 messages")


def run(options: argparse.Namespace) -> None:
    """Make it, and change it for the one that is there.

    1. Take hold of the database that is there, and see that the journal holds all of it. A damaged one is put aside.
    2. Fill a new one from the journal.
    3. Carry over the forecasts.
    4. Put the old one aside, the new one in its place.
    """
    settings = settings_of(options)
    if not (settings.data / JOURNAL).is_dir():
        raise CommandError(f"{settings.data} holds no journal: there is nothing to rebuild from")
    fresh = settings.data / f"{DATABASE}.fresh"
    remove(fresh)
    made, lost = make(settings, fresh)
    aside = _change(settings.data / DATABASE, fresh)
    told = {"records": made.records, "rows": made.rows, "seconds": round(made.seconds, 3), "put_aside": aside}
    say(options, told | {"forecasts_lost": lost}, lambda: _text(made, aside, lost))


def make(settings: Settings, fresh: Path) -> tuple[Rebuilt, str | None]:
    """The new database, and why the forecasts of the old one could not be carried over, if so."""
    before, why_not = _held(settings)  # 1
    try:
        with Database.open(fresh, schemas=SCHEMAS) as database:
            made = rebuild(database, WallClock(), lambda log: open_journal(settings, log), readers_of(settings))  # 2
            if before is not None:
                _carry(before, database)  # 3
    except BaseException:
        remove(fresh)
        raise
    finally:
        if before is not None:
            before.close()
    return made, why_not


def _held(settings: Settings) -> tuple[Database | None, str | None]:
    file = settings.data / DATABASE
    if not file.exists():
        return None, None
    try:
        before = Database.open(file, schemas=SCHEMAS)
    except DatabaseDamagedError as error:
        return None, str(error)
    except EdtwinError as error:
        if "another version" not in str(error):
            raise
        return None, str(error)
    try:
        require_journalled(EventLog(before, WallClock()))
    except BaseException:
        before.close()
        raise
    return before, None


def _carry(before: Database, database: Database) -> None:
    with database.transaction() as cursor:
        for name in ARCHIVE:
            with registered(cursor, carried=arrow(before.cursor(), f"SELECT * FROM {name}")):
                rows(cursor, f"INSERT INTO {name} BY NAME SELECT * FROM carried")


def _change(file: Path, fresh: Path) -> str | None:
    """4. The name under which the old one is kept."""
    aside = None
    if file.exists():
        aside = file.with_name(f"{file.name}.before-{WallClock().now():%Y%m%dT%H%M%SZ}")
        file.rename(aside)
        wal = file.with_name(f"{file.name}.wal")
        if wal.exists():
            wal.rename(f"{aside}.wal")
    fresh.rename(file)
    handle = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return aside.name if aside else None


def remove(fresh: Path) -> None:
    """Nothing is left of a database that was being made."""
    for path in (fresh, fresh.with_name(f"{fresh.name}.wal")):
        path.unlink(missing_ok=True)


def _text(made: Rebuilt, aside: str | None, lost: str | None) -> str:
    speed = made.rows / made.seconds if made.seconds else 0.0
    lines = [f"{made.records} records, {made.rows} rows in {made.seconds:.1f} s ({speed:,.0f} rows a second)"]
    lines += [f"the database before is {aside}"] if aside else []
    lines += [f"its forecasts could not be carried over: {lost}"] if lost else []
    return "\n".join(lines)
