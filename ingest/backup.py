"""A COPY OF A RUNNING HOUSE, opened and held against it before anyone may call it good.

    state = copy(database, journal, folder)    # while the house takes in messages and forecasts
    require_same(folder, state)                # opened anew, counted, and every record of the journal read

The journal is the truth, and is copied up to a record, never into one. The database is copied whole, as of one instant:
its events could be made anew from the journal, but that takes the longer the more there are, and forecasts, proposals
and alarms stand nowhere else. The instant of the database comes first, so that the journal holds all that it is made
of, and perhaps a few records more, which whoever opens the copy indexes, as the house does. Nobody waits for any of it.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.database import TABLES, Cursor, Database, registered, rows, streamed
from ingest.disk import bring_to_disk
from ingest.errors import BackupError, EdtwinError
from ingest.journal import SUFFIX, End, Journal
from ingest.journal_frames import FIRST_LINK, DamageError, TornError, read_frame, record_of, start_of
from ingest.journal_tail import Segment, damaged

DATABASE = "edtwin.duckdb"
JOURNAL = "journal"
"""Of a folder of data: the database, and the folder of the journal that it is made of."""
_BLOCK_BYTES = 1024 * 1024
_MEMORY = "512MB"
"""Of the copy's own database, which is written beside a house that needs its memory."""
_FIRST = "SELECT count(*) FROM batch"
"""A question, whichever: it fixes the instant of those that follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a house holds at an instant."""

    tables: tuple[tuple[str, int, str], ...]
    """Each table with its number of rows and a digest of all that stands in them."""
    records: int
    """The last record of the journal."""
    link: str
    """What the records lead to: each is chained to the one before, so it is of all of them."""

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(count for _, count, _ in self.tables)

    @property
    def hash(self) -> str:
        """A short name for all of it: another where a row, a record or a single bit of either is."""
        told = json.dumps([self.tables, self.records, self.link])
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def copy(database: Database, journal: Journal, place: Path, *, before: Path | None = None) -> State:
    """Copy a house into a folder that is not there yet; what it held at that instant.

    1. Fix the instant of the database, then where the journal ends.
    2. Say what both hold.
    3. Copy the rows of every table as of then.
    4. Copy the journal's bytes up to there; files that an earlier copy (`before`) has just so are shared with it.

    Raises BackupError where it cannot be written. What it returns is the house's; whether the copy is like it,
    `require_same` says.
    """
    try:
        place.mkdir(mode=0o700, parents=True)  # what it holds is for whom the data are
        with database.reading() as cursor:
            rows(cursor, _FIRST)  # 1
            end = journal.end()
            state = State(tables=_counted(cursor), records=end.records, link=end.link.hex())  # 2
            _copy_tables(cursor, place / DATABASE, database.schemas)  # 3
        _copy_journal(end, place / JOURNAL, before / JOURNAL if before else None)  # 4
        bring_to_disk(place / DATABASE)
    except OSError as error:
        raise BackupError(f"the backup {place} cannot be written: {error.strerror or error}") from error
    return state


def require_same(place: Path, state: State, *, same_version: bool = True) -> None:
    """Open a copy, count it and read it to its end; raises BackupError where it is not what the house held.

    Digests of rows are DuckDB's own: they are compared where the copy is looked at by the version that made it
    (`same_version`); else the number of rows of each table is.
    """
    found = found_in(place)
    for name, count, digest in state.tables:
        there = {table: (n, told) for table, n, told in found.tables}.get(name)
        if there is None or there[0] != count or (same_version and there[1] != digest):
            held = "does not have it" if there is None else f"holds {there[0]}"
            raise BackupError(f"{place}: table {name} must hold the {count} rows of the house, but the copy {held}")
    if (found.records, found.link) != (state.records, state.link):
        raise BackupError(
            f"{place}: the journal must lead to record {state.records} as the house's does, "
            f"but leads to {found.records}, or elsewhere"
        )


def found_in(place: Path) -> State:
    """What a copy holds, by opening it. Raises BackupError for one that cannot be read whole."""
    try:
        with Database.open_as_it_is(place / DATABASE) as database:
            tables = _counted(database.cursor())
        records, link = _read_through(place / JOURNAL)
    except (EdtwinError, OSError) as error:
        raise BackupError(f"the backup {place} cannot be read: {error}") from error
    return State(tables=tables, records=records, link=link.hex())


# --- tables -----------------------------------------------------------------------------------------------------------


def tables(cursor: Cursor) -> list[str]:
    """The names of all tables, as the database itself has them: none is forgotten when one is added."""
    return [name for (name,) in rows(cursor, TABLES)]


def _counted(cursor: Cursor) -> tuple[tuple[str, int, str], ...]:
    return tuple((name, *_of_rows(cursor, name)) for (name,) in rows(cursor, TABLES))


def _of_rows(cursor: Cursor, name: str) -> tuple[int, str]:
    ((count, total),) = rows(cursor, f'SELECT count(*), sum(hash(t)::HUGEINT)::VARCHAR FROM "{name}" t')
    return int(count), hashlib.sha256(f"{count} {total}".encode()).hexdigest()[:16]


def _copy_tables(cursor: Cursor, file: Path, schemas: Sequence[Path]) -> None:
    """3. A database of its own with the same tables; its closing brings everything to the disk."""
    with Database.open(file, schemas, memory_limit=_MEMORY, threads=1) as database, database.transaction() as into:
        rows(into, "DELETE FROM schema_version")  # which is a table as all others
        for name in tables(cursor):
            with registered(into, given=streamed(cursor, f'SELECT * FROM "{name}"')):
                rows(into, f'INSERT INTO "{name}" BY NAME SELECT * FROM given')


# --- journal ----------------------------------------------------------------------------------------------------------


def _copy_journal(end: End, folder: Path, before: Path | None) -> None:
    """4. Each file up to where the journal ended; what is being written behind that is left."""
    folder.mkdir()
    for path, length in end.files:
        if before is None or not _shared(path, length, before / path.name, folder / path.name):
            _copy_bytes(path, length, folder / path.name)
    bring_to_disk(folder)


def _shared(path: Path, length: int, earlier: Path, target: Path) -> bool:
    """True where an earlier copy has the very bytes, and they now stand under both names."""
    if not (earlier.is_file() and path.stat().st_size == length == earlier.stat().st_size):
        return False
    if not filecmp.cmp(path, earlier, shallow=False):
        return False
    try:
        os.link(earlier, target)
    except OSError:  # a share that knows no second name of a file
        return False
    return True


def _copy_bytes(path: Path, length: int, target: Path) -> None:
    with path.open("rb") as source, target.open("xb") as out:
        while length and (block := source.read(min(length, _BLOCK_BYTES))):
            out.write(block)
            length -= len(block)
        out.flush()
        os.fsync(out.fileno())


def _read_through(folder: Path) -> tuple[int, bytes]:
    """The last record and what all lead to. Raises JournalDamagedError for a torn or damaged one, wherever it is."""
    number, link = 0, FIRST_LINK
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with path.open("rb") as file:
            place = 0
            try:
                start, first = start_of(file)
                if number and (start.last, start.link) != (number, link):
                    raise DamageError("it does not follow from the file before it")
                number, link, place = start.last, first, file.tell()
                while (frame := read_frame(file, link)) is not None:
                    number, link, place = record_of(frame).number, frame.link, file.tell()
            except (TornError, DamageError) as error:
                raise damaged(Segment(number, path), place, number, error) from error
    return number, link
