"""Tables for analysis: what each has, column by column, and where it is had from.

    table = TABLES["visits"]
    for since, until in slices(since, until, table.every):
        part = table.read(source, since, until)         # a pa.Table with the columns of `table.schema(..)`

A table is read slice by slice, so that a year needs the room of one. Instants are UTC. Nothing tells a patient apart
unless `pseudonyms` is asked for, and then by the pseudonyms of the log, which its secret alone leads back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from ingest.columns import TIME
from ingest.database import Database
from ingest.log import EventLog
from twin.calibrate import Calibration

Kind = Literal["text", "instant", "day", "number", "whole number", "yes or no"]
ARROW: dict[Kind, pa.DataType] = {
    "text": pa.string(), "instant": TIME, "day": pa.date32(),
    "number": pa.float64(), "whole number": pa.int64(), "yes or no": pa.bool_(),
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column: what it is called, its type, its unit where it has one, and what it means."""

    name: str
    kind: Kind
    meaning: str
    unit: str | None = None
    pseudonym: bool = False
    """Only there where pseudonyms are asked for."""


@dataclass(frozen=True)
class Source:
    """What tables are read from, as known at an instant. `learned` calibrates once it is asked."""

    log: EventLog
    database: Database
    known_at: datetime
    learned: Callable[[], Calibration]


Span = tuple[datetime, datetime]
"""The first instant, and one after the last."""


@dataclass(frozen=True)
class Table:
    """A table: a row is of an instant, by which it is chosen."""

    name: str
    meaning: str
    by: str
    """The column whose instants lie in the period that is asked for."""
    columns: tuple[Column, ...]
    read: Callable[[Source, datetime, datetime], pa.Table]
    """All rows of [since, until), with these columns at the least."""
    span: Callable[[Source], Span | None]
    """What there is; None where there is nothing."""
    every: timedelta = timedelta(days=30)
    """How much is read at once."""

    def shown(self, *, pseudonyms: bool) -> tuple[Column, ...]:
        """The columns that a file has."""
        return tuple(column for column in self.columns if pseudonyms or not column.pseudonym)

    def schema(self, *, pseudonyms: bool) -> pa.Schema:
        """Their names and types; each with its unit and meaning."""
        return pa.schema([_field(column) for column in self.shown(pseudonyms=pseudonyms)])

    def part(self, source: Source, since: datetime, until: datetime, *, pseudonyms: bool) -> pa.Table:
        """The rows of [since, until) with the columns of the schema; what is not a number is null."""
        schema, found = self.schema(pseudonyms=pseudonyms), self.read(source, since, until)
        columns = [_clean(found[field.name].cast(field.type)) for field in schema]
        return pa.table(columns, schema=schema)

    def described(self, *, pseudonyms: bool) -> dict[str, Any]:
        """The table in plain words, as it is written beside a file."""
        return {
            "table": self.name, "meaning": self.meaning, "chosen_by": self.by,
            "columns": [
                {"name": column.name, "type": column.kind, "unit": column.unit, "meaning": column.meaning}
                for column in self.shown(pseudonyms=pseudonyms)
            ],
        }  # fmt: skip


def slices(since: datetime, until: datetime, every: timedelta) -> list[Span]:
    """The period in parts, one after the other."""
    return list(_slices(since, until, every))


def _slices(since: datetime, until: datetime, every: timedelta) -> Iterator[Span]:
    while since < until:
        following = min(since + every, until)
        yield since, following
        since = following


def _field(column: Column) -> pa.Field:
    told = {"meaning": column.meaning} | ({"unit": column.unit} if column.unit else {})
    return pa.field(column.name, ARROW[column.kind], metadata={"edtwin": json.dumps(told)})


def _clean(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
