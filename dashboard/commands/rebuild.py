"""Make the database anew from the journal; the one before is put aside. Forecasts and their scores are carried over."""

from __future__ import annotations

import argparse
from pathlib import Path

from dashboard.commands.said import say
from dashboard.commands.typed import settings_of
from dashboard.errors import CommandError
from dashboard.formats import readers_of
from dashboard.house import DATABASE, JOURNAL, SCHEMAS, open_journal
from dashboard.mending import ARCHIVE
from dashboard.settings import Settings
from ingest.clock import WallClock
from ingest.database import Database, carry, columns_of
from ingest.disk import bring_to_disk
from ingest.errors import AnotherLayoutError, DatabaseDamagedError
from ingest.log import EventLog
from ingest.rebuild import Rebuilt, rebuild, require_journalled, require_reached


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin rebuild`."""
    command.add_argument("--mllp-mapping", type=Path, metavar="M.toml", help="mapping of the HL7 messages")


def run(options: argparse.Namespace) -> None:
    """Make it, and change it for the one that is there.

    1. Look at the database that is there, and see that the journal holds all of it. Of a damaged one nothing is read.
    2. Fill a new one from the journal.
    3. Carry over the forecasts, also those of an older version, as far as they fit.
    4. Put the old one aside, the new one in its place.
    """
    settings = settings_of(options)
    if not (settings.data / JOURNAL).is_dir():
        raise CommandError(f"{settings.data} holds no journal: there is nothing to rebuild from")
    fresh = settings.data / f"{DATABASE}.fresh"
    remove(fresh)
    made, lost, behind = make(settings, fresh)
    aside = _change(settings.data / DATABASE, fresh)
    told = {"records": made.records, "rows": made.rows, "seconds": round(made.seconds, 3), "put_aside": aside}
    say(options, told | {"forecasts_lost": lost, "left_behind": behind}, lambda: _text(made, aside, lost, behind))


def make(settings: Settings, fresh: Path) -> tuple[Rebuilt, str | None, list[str]]:
    """The new database; why nothing of the old one could be carried over, if so; and what else stayed behind."""
    before, why_not = _held(settings)  # 1
    behind: list[str] = []
    try:
        with Database.open(fresh, schemas=SCHEMAS) as database:
            made = rebuild(database, WallClock(), lambda log: open_journal(settings, log), readers_of(settings))  # 2
            if before is not None:
                behind = [what for name in ARCHIVE for what in carry(before, database, name)]  # 3
    except BaseException:
        remove(fresh)
        raise
    finally:
        if before is not None:
            before.close()
    return made, why_not, behind


def _held(settings: Settings) -> tuple[Database | None, str | None]:
    file = settings.data / DATABASE
    if not file.exists():
        return None, None
    try:
        before = _opened(file)
    except DatabaseDamagedError as error:
        return None, str(error)
    try:
        if {"source", "stored_at"} <= set(columns_of(before.cursor(), "batch")):
            log = EventLog(before, WallClock())
            require_journalled(log)
            with open_journal(settings, log) as journal:
                require_reached(log, journal)
    except BaseException:
        before.close()
        raise
    return before, None


def _opened(file: Path) -> Database:
    """The database that is there, whichever version made it."""
    try:
        return Database.open(file, schemas=SCHEMAS)
    except AnotherLayoutError:
        return Database.open_as_it_is(file)


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
    bring_to_disk(file.parent)
    return aside.name if aside else None


def remove(fresh: Path) -> None:
    """Nothing is left of a database that was being made."""
    for path in (fresh, fresh.with_name(f"{fresh.name}.wal")):
        path.unlink(missing_ok=True)


def _text(made: Rebuilt, aside: str | None, lost: str | None, behind: list[str]) -> str:
    speed = made.rows / made.seconds if made.seconds else 0.0
    lines = [f"{made.records} records, {made.rows} rows in {made.seconds:.1f} s ({speed:,.0f} rows a second)"]
    lines += [f"the database before is {aside}"] if aside else []
    lines += [f"its forecasts could not be carried over: {lost}"] if lost else []
    lines += [f"what fits no table of this version stays there: {', '.join(behind)}"] if behind else []
    return "\n".join(lines)
