"""A hospital's data in the sandbox of an exercise: its log as known at an instant, and its desk; both are only read.

The journal is the truth, and grows at its end alone: its files are copied, also while a live house writes them (what it
was writing is cut off), and the log is made of the copy. Saved scenarios and proposals stand in the database, which one
process at a time may open: they are read where no live house holds it, and else left out, which is said.
"""

from __future__ import annotations

import shutil
import sys
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from dashboard.errors import CommandError
from dashboard.formats import readers_of
from dashboard.house import DATABASE, JOURNAL, SCHEMAS, House, open_journal
from dashboard.settings import Settings
from ingest.clock import WallClock
from ingest.database import Database, arrow, naive, registered, rows
from ingest.errors import EdtwinError
from ingest.log import EventLog, Position, Span
from ingest.rebuild import rebuild

CARRIED = {"own_scenario": "saved_at", "proposal_log": "noted_at"}
"""Tables of what people of the house made, each with the column that says when."""
_PATTERN = "*.journal"


def copy_log(settings: Settings, house: House, place: Path, since: datetime) -> Span:
    """Store in the sandbox's log what the log of the settings' folder knew at an instant; what that log holds.

    1. Copy the journal's files, and make a log of them at `place`.
    2. Store of it what was known at the instant.

    Raises CommandError for a folder without a journal, or with an empty log.
    """
    source = settings.model_copy(update={"data": place, "disk_reserve_mb": 0})
    _copy_journal(settings.data / JOURNAL, place / JOURNAL)  # 1
    with Database.open(place / DATABASE, schemas=SCHEMAS) as database:
        rebuild(database, WallClock(), lambda log: open_journal(source, log), readers_of(source))
        span, known = _known(database, since)
    shutil.rmtree(place, ignore_errors=True)
    if span is None:
        raise CommandError(f"the log in {settings.data} is empty: there is no hospital to hold an exercise on")
    if known.num_rows:
        house.log.append_table(known, Position(source="history", offset=known.num_rows))  # 2
    return span


def _copy_journal(source: Path, target: Path) -> None:
    files = sorted(source.glob(_PATTERN))
    if not files:
        raise CommandError(f"{source.parent} holds no journal: there is no log to copy for an exercise")
    target.mkdir(parents=True)
    for file in files:
        shutil.copyfile(file, target / file.name)


def _known(database: Database, since: datetime) -> tuple[Span | None, pa.Table]:
    log = EventLog(database, WallClock())
    return log.span(), log.read_versions_table(None, since)


def copy_desk(source: Path, house: House, since: datetime) -> None:
    """Store in the sandbox what people had saved and proposed by an instant; where it cannot be read, say so."""
    if not (source / DATABASE).exists():
        return
    try:
        with Database.open_to_read(source / DATABASE, SCHEMAS) as there:
            carried = {name: _made_by(there, name, since) for name in CARRIED}
    except EdtwinError as fault:
        _say(f"the exercise goes on without the house's saved scenarios and proposals: {fault}")
        return
    with house.database.transaction() as cursor:
        for name, table in carried.items():
            with registered(cursor, carried=table):
                rows(cursor, f"INSERT INTO {name} BY NAME SELECT * FROM carried")
    saved, noted = carried["own_scenario"], carried["proposal_log"]
    proposals = len(set(noted["proposal"].to_pylist()))
    if saved.num_rows or proposals:
        _say(f"carried over: {saved.num_rows} saved scenarios, {proposals} proposals")


def _made_by(there: Database, name: str, since: datetime) -> pa.Table:
    query = f"SELECT * FROM {name} WHERE {CARRIED[name]} <= $since"
    return arrow(there.cursor(), query, since=naive(since))


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
