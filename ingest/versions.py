"""What a batch adds to the log: which of its events are repetitions, which are new versions, known from when.

A *line* is all that was ever told of one event: its versions and the cancellations that target it, in the order of
their version instant (`recorded_at`, else `known_at`), then of their position. What stands at the top of the line at
an instant is what was held true then.

An event is judged at its own instant: the extract's, else its version instant. It is a *repetition* if the top of its
line at that instant is the same event with the same content, and is not stored. Else it is a new version, so A, B, A
are three, and what comes back after a cancellation is one too. A version that comes late, between a version and its
repetition, would hide what was true again afterwards: the repetition is then stored after all (*told again*).

All instants here are naive UTC, as stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.columns import SCHEMA, TIME
from ingest.database import arrow, registered, rows
from ingest.events import CONTENT_FREE_FIELDS

INSTANT = pa.timestamp("us")
STORED_SCHEMA: pa.Schema = pa.schema([pa.field(f.name, INSTANT if f.type == TIME else f.type) for f in SCHEMA])
"""The columns of a table of events as the database holds them: instants without a zone."""
COLUMNS = ", ".join(f'"{name}"' for name in SCHEMA.names)


def _content() -> str:
    """SQL for what a version says: names and values of what is not null, so that a new column changes no old key."""
    said = [field for field in STORED_SCHEMA if field.name not in CONTENT_FREE_FIELDS]
    value = {True: 'epoch_us("{0}")::VARCHAR', False: '"{0}"::VARCHAR'}
    parts = [f"'{f.name}=' || {value[pa.types.is_timestamp(f.type)].format(f.name)}" for f in said]
    return f"concat_ws(chr(31), {', '.join(parts)})"


_CONTENT = _content()

_KEYS = f"""
SELECT coalesce(target, event_id) AS subject, md5_number_lower(subject) AS subject_key,
       md5_number_lower({_CONTENT}) AS content_key
FROM given
"""

_LINE = """
WITH found AS MATERIALIZED (SELECT sequence FROM event WHERE subject_key IN (SELECT subject_key FROM told))
SELECT coalesce(e.target, e.event_id) AS subject, e.target IS NOT NULL AS strikes, e.event_id, e.subject_key,
       e.content_key, e.sequence, e."position", e.occurred_at, e.known_at, e.stored_at,
       coalesce(e.recorded_at, e.known_at) AS version_at
FROM event e WHERE e.sequence IN (SELECT sequence FROM found)
"""
"""All that was told before of the told events. Most are new: looking for numbers first leaves the text unread."""

_JUDGED = """
WITH top AS (
    SELECT t.row, l.*
    FROM told t JOIN line l ON l.subject_key = t.subject_key AND l.subject = t.subject
                AND (l.version_at, l."position") <= (t.as_of, t.as_position)
    QUALIFY row_number() OVER (PARTITION BY t.row
        ORDER BY l.version_at DESC, l."position" DESC, l.strikes DESC, l.content_key DESC, l.sequence DESC) = 1
), known AS (
    SELECT DISTINCT subject_key, event_id FROM line
)
SELECT t.row, k.event_id IS NOT NULL AS known,
       coalesce(top.event_id = t.event_id AND top.content_key = t.content_key, false) AS repeated,
       top.sequence AS before, top.version_at AS before_at, top."position" AS before_position,
       top.occurred_at AS before_occurred_at, md5_number_lower(top.event_id) AS before_key
FROM told t
LEFT JOIN top ON top.row = t.row
LEFT JOIN known k ON k.subject_key = t.subject_key AND k.event_id = t.event_id
WHERE known OR before IS NOT NULL
"""
_JUDGED_BY = ["row", "event_id", "subject", "subject_key", "content_key", "as_of", "as_position", "known_at"]
_JUDGED_SCHEMA = pa.schema(
    {"row": pa.int64(), "known": pa.bool_(), "repeated": pa.bool_(), "before": pa.int64(), "before_at": INSTANT,
     "before_position": pa.int64(), "before_occurred_at": INSTANT, "before_key": pa.uint64()}
)  # fmt: skip
"""For each told event whose line is not new: what was held true at its own instant (`before`)."""

_FLOORS = """
WITH proof AS (
    SELECT f.row, max(x.extracted_at) AS lacked_at
    FROM fresh f LEFT JOIN judged j ON j.row = f.row
    JOIN extract x ON x.source = f.source AND x.extracted_at < $extracted_at
        AND (f.occurred_at BETWEEN x.first_at AND x.extracted_at
             OR j.before_occurred_at BETWEEN x.first_at AND x.extracted_at)
    GROUP BY f.row
)
SELECT coalesce(p.row, j.row) AS row, greatest(p.lacked_at, j.before_at) + INTERVAL 1 microsecond AS floor_at
FROM proof p FULL JOIN (FROM judged WHERE NOT repeated AND before_at IS NOT NULL) j ON j.row = p.row
"""
"""Before when the new versions of an extract cannot have been known: earlier extracts, or another version, say so."""

_INSERT_FRESH = f"INSERT INTO event BY NAME SELECT {COLUMNS}, subject_key, content_key, sequence FROM fresh"

_INSERT_CONFIRMED = """
INSERT INTO confirmed
SELECT j.before_key, t.as_of, t.as_position, t.known_at FROM judged j JOIN told t ON t.row = j.row
WHERE j.repeated AND (t.as_of, t.as_position) > (j.before_at, j.before_position)
  AND NOT EXISTS (FROM confirmed c WHERE c.event_key = j.before_key
                  AND (c.version_at, c."position") = (t.as_of, t.as_position))
"""

_TOLD_AGAIN = """
WITH late AS (
    SELECT f.row, f.source, f.subject_key, f.subject, f.as_of, f.as_position, j.* EXCLUDE (row)
    FROM fresh f JOIN judged j ON j.row = f.row WHERE j.before IS NOT NULL
), again AS (
    SELECT late.row, late.before, c.version_at, c."position", c.known_at,
           c.version_at AS told_at, c."position" AS told_position
    FROM late JOIN confirmed c ON c.event_key = late.before_key
        AND (c.version_at, c."position") > (late.as_of, late.as_position)
    UNION ALL
    SELECT late.row, late.before, late.as_of + INTERVAL 1 microsecond, late.before_position,
           late.as_of + INTERVAL 1 microsecond, x.extracted_at, late.as_position
    FROM late JOIN line b ON b.sequence = late.before
    JOIN extract x ON x.source = late.source AND x.extracted_at > $extracted_at
        AND late.before_occurred_at BETWEEN x.first_at AND x.extracted_at
    WHERE EXISTS (FROM line l WHERE l.event_id = b.event_id AND l.content_key = b.content_key
                  AND l.stored_at <= x.finished_at)
), first_again AS (
    SELECT * FROM again QUALIFY row_number() OVER (PARTITION BY row ORDER BY told_at, told_position, known_at) = 1
)
SELECT a.* FROM first_again a JOIN late ON late.row = a.row
WHERE NOT EXISTS (FROM line l WHERE l.subject_key = late.subject_key AND l.subject = late.subject
                  AND (l.version_at, l."position") > (late.as_of, late.as_position)
                  AND (l.version_at, l."position") <= (a.told_at, a.told_position))
"""
"""What the new versions would hide: repeated later by a message, or still held by a later extract."""

_INSERT_AGAIN = f"""
INSERT INTO event BY NAME
SELECT {COLUMNS}, subject_key, content_key, $after + row_number() OVER (ORDER BY e.sequence) AS sequence
FROM (
    SELECT e.* REPLACE (
        CASE WHEN e.recorded_at IS NOT NULL OR a.version_at <> a.known_at THEN a.version_at END AS recorded_at,
        a."position" AS "position", a.known_at AS known_at, $stored_at::TIMESTAMP AS stored_at)
    FROM event e JOIN again a ON a.before = e.sequence
) e
"""

_INSERT_SUPERSEDED = """
WITH version AS (
    SELECT event_id, sequence, occurred_at, known_at, version_at, "position", content_key FROM line
    UNION ALL
    SELECT event_id, sequence, occurred_at, known_at, coalesce(recorded_at, known_at), "position", content_key
    FROM event WHERE sequence > $after AND subject_key IN (SELECT subject_key FROM line)
)
INSERT INTO superseded
SELECT low.sequence, low.occurred_at, min(high.known_at)
FROM version low JOIN version high ON high.event_id = low.event_id
    AND (low.version_at, low."position", low.content_key, low.sequence)
      < (high.version_at, high."position", high.content_key, high.sequence)
WHERE low.sequence > $after OR high.sequence > $after
GROUP BY low.sequence, low.occurred_at
"""

_MISSING = """
WITH described AS (
    SELECT source, visit, min("position") AS "position" FROM told WHERE visit IS NOT NULL GROUP BY source, visit
)
SELECT 'Cancelled' AS kind, e.event_id || '/Cancelled' AS event_id, e.occurred_at, e.source, d."position",
       $extracted_at::TIMESTAMP AS known_at, e.event_id AS target
FROM event e JOIN described d ON d.visit = e.visit AND d.source = e.source
WHERE e.known_at <= $extracted_at AND e.event_id NOT IN (SELECT event_id FROM told)
  AND e.sequence NOT IN (SELECT sequence FROM superseded WHERE known_at <= $extracted_at)
"""
"""A cancellation for each event that was held true of a described visit, and is not in the description."""


@dataclass(frozen=True)
class Batch:
    """What the events of a batch share."""

    stored_at: datetime
    extracted_at: datetime | None = None
    keeps_stored_at: bool = False
    """Each event says itself when it was stored."""


@dataclass(frozen=True)
class Outcome:
    """What was stored: events, those of them whose id was known, their positions; and the rows that this took."""

    stored: int
    versions: int
    positions: NDArray[np.int64]
    rows: int

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.stored + other.stored,
            self.versions + other.versions,
            np.union1d(self.positions, other.positions),
            self.rows + other.rows,
        )


NOTHING = Outcome(0, 0, np.empty(0, np.int64), 0)


def store(cursor: Any, table: pa.Table, batch: Batch, after: int) -> Outcome:
    """Store the rows of a table (STORED_SCHEMA) that are not repetitions, inside the caller's transaction.

    `after` is the number of rows in the log so far.
    """
    outcome = NOTHING
    if not table.num_rows:
        return outcome
    told = _told(cursor, table, batch)
    for part in _rounds(told):
        row = pa.array(np.arange(part.num_rows))
        outcome += _store_round(cursor, _with(part, row=row), batch, after + outcome.rows)
    return outcome


def missing(cursor: Any, table: pa.Table, batch: Batch) -> pa.Table:
    """Cancellations (STORED_SCHEMA) for what the visits, which the extract describes completely, no longer hold."""
    with registered(cursor, told=table):
        found = arrow(cursor, _MISSING, extracted_at=batch.extracted_at)
    count = found.num_rows
    columns = [found[f.name] if f.name in found.column_names else pa.nulls(count, f.type) for f in STORED_SCHEMA]
    return pa.table(columns, schema=STORED_SCHEMA)


def _told(cursor: Any, table: pa.Table, batch: Batch) -> pa.Table:
    """The rows in the order of the world, so that a window of time is found in one place; with their keys, and the
    instant (`as_of`, then `as_position`) at which each is judged."""
    table = table.take(np.argsort(table["occurred_at"].to_numpy(), kind="stable"))
    count = table.num_rows
    stored_at, extracted_at = (pa.repeat(pa.scalar(at, INSTANT), count) for at in (batch.stored_at, batch.extracted_at))
    live = batch.extracted_at is None
    known_at = pc.coalesce(table["known_at"], stored_at if live else pc.coalesce(table["recorded_at"], extracted_at))
    stored_at = table["stored_at"] if batch.keeps_stored_at else stored_at
    table = _with(table, stored_at=stored_at, known_at=known_at)
    with registered(cursor, given=table):
        keys = arrow(cursor, _KEYS)
    as_of = pc.coalesce(table["recorded_at"], known_at) if live else extracted_at
    as_position = table["position"] if live else pa.array(np.full(count, np.iinfo(np.int64).max))
    return _with(table, **{name: keys[name] for name in keys.column_names}, as_of=as_of, as_position=as_position)


def _rounds(told: pa.Table) -> list[pa.Table]:
    """The rows in parts with one event of each line; the parts are taken one after the other."""
    lines, line = np.unique(told["subject_key"].to_numpy(), return_inverse=True)
    if len(lines) == told.num_rows:
        return [told]
    order = np.lexsort((told["position"].to_numpy(), told["as_of"].to_numpy(), line))
    first = np.searchsorted(line[order], line[order])
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order)) - first
    return [told.filter(number == n) for n in range(int(number.max(initial=-1)) + 1)]


def _store_round(cursor: Any, told: pa.Table, batch: Batch, after: int) -> Outcome:
    """Store one event of each line.

    1. Gather what was told of the lines before.
    2. Judge each event at its own instant.
    3. Store the new versions; remember the repetitions.
    4. Tell again what late versions would hide.
    5. Note which rows are no longer the winning version, and from when.
    """
    again = 0
    with registered(cursor, told=told.select(_JUDGED_BY)):
        line = arrow(cursor, _LINE)  # 1
        with registered(cursor, line=line):
            judged = arrow(cursor, _JUDGED) if line.num_rows else _JUDGED_SCHEMA.empty_table()  # 2
            with registered(cursor, judged=judged):
                fresh = _fresh(cursor, told, judged, batch, after)
                with registered(cursor, fresh=fresh):
                    rows(cursor, _INSERT_FRESH)  # 3
                    if judged.num_rows and batch.extracted_at is None:
                        rows(cursor, _INSERT_CONFIRMED)
                    if judged.num_rows and fresh.num_rows:
                        again = _tell_again(cursor, batch, after + fresh.num_rows)  # 4
                        rows(cursor, _INSERT_SUPERSEDED, after=after)  # 5
    rows_of_known = _flags(judged, "known", told.num_rows)[fresh["row"].to_numpy()]
    positions = np.unique(fresh["position"].to_numpy())
    return Outcome(fresh.num_rows, int(rows_of_known.sum()), positions, fresh.num_rows + again)


def _fresh(cursor: Any, told: pa.Table, judged: pa.Table, batch: Batch, after: int) -> pa.Table:
    """The rows that are not repetitions, numbered on; those of an extract with their times moved."""
    fresh = told.filter(pa.array(~_flags(judged, "repeated", told.num_rows)))
    if batch.extracted_at is not None:
        fresh = _moved(cursor, fresh, batch.extracted_at)
    return _with(fresh, sequence=pa.array(np.arange(fresh.num_rows) + after + 1))


def _moved(cursor: Any, fresh: pa.Table, extracted_at: datetime) -> pa.Table:
    """Recorded and known after whatever proves the contrary, and by the time of this extract."""
    with registered(cursor, fresh=fresh):
        floors = arrow(cursor, _FLOORS, extracted_at=extracted_at)
    floor_at = np.full(fresh.num_rows, "NaT", dtype="datetime64[us]")
    floor_at[np.searchsorted(fresh["row"].to_numpy(), floors["row"].to_numpy())] = floors["floor_at"].to_numpy()
    earliest, latest = pa.array(floor_at, from_pandas=True), pa.scalar(extracted_at, INSTANT)
    moved = {
        name: pc.min_element_wise(pc.max_element_wise(fresh[name], earliest), latest)
        for name in ("recorded_at", "known_at")
    }
    return _with(
        fresh, **{name: pc.if_else(fresh[name].is_null(), fresh[name], moved_at) for name, moved_at in moved.items()}
    )


def _tell_again(cursor: Any, batch: Batch, after: int) -> int:
    """How many rows it took."""
    again = arrow(cursor, _TOLD_AGAIN, extracted_at=batch.extracted_at)
    if again.num_rows:
        with registered(cursor, again=again):
            rows(cursor, _INSERT_AGAIN, after=after, stored_at=batch.stored_at)
    return int(again.num_rows)


def _flags(judged: pa.Table, name: str, count: int) -> NDArray[np.bool_]:
    """A yes or no of the judged rows for every row told; no where the line is new."""
    flags = np.zeros(count, dtype=np.bool_)
    flags[judged["row"].to_numpy()] = judged[name].to_numpy()
    return flags


def _with(table: pa.Table, **columns: Any) -> pa.Table:
    """The table with columns replaced or appended."""
    for name, column in columns.items():
        place = table.schema.get_field_index(name)
        table = table.append_column(name, column) if place < 0 else table.set_column(place, name, column)
    return table
