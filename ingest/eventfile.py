"""Events in a file of our own: Parquet with the columns of the vocabulary, ids already pseudonyms."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.columns import SCHEMA
from ingest.errors import UnreadableInputError
from ingest.log import Account, EventLog, Position


def write_events(table: pa.Table, path: Path) -> None:
    """Write a table of events."""
    pq.write_table(table.cast(SCHEMA), path, compression="zstd")


def read_events(path: Path) -> pa.Table:
    """The table of a file of events; raises UnreadableInputError where it is not one."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise UnreadableInputError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from error
    missing = [name for name in SCHEMA.names if name not in table.column_names]
    if missing:
        raise UnreadableInputError(f"{path} must have the columns of the vocabulary, but lacks {', '.join(missing)}")
    try:
        return table.select(SCHEMA.names).cast(SCHEMA)
    except pa.ArrowException as error:
        raise UnreadableInputError(f"{path} has a column of another type than the vocabulary: {error}") from error


def ingest_events(path: Path, log: EventLog) -> Account:
    """Store a file of events as one batch; each counts as a row. Events keep the instant at which they were known."""
    table = read_events(path)
    if not table.num_rows:
        return Account(read=0, stored=0, duplicate=0, ignored=0, rejected=0)
    last = log.position(_SOURCE)
    position = Position(source=_SOURCE, offset=(last.offset if last else 0) + table.num_rows)
    appended = log.append_table(table, position)
    return Account(read=table.num_rows, stored=appended.stored, duplicate=appended.duplicate, ignored=0, rejected=0)


_SOURCE = "event file"
