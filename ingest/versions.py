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
from ingest.keys import keys_of
from ingest.line_index import LineIndex, caught_up

INSTANT = pa.timestamp("us")
STORED_SCHEMA: pa.Schema = pa.schema([pa.field(f.name, INSTANT if f.type == TIME else f.type) for f in SCHEMA])
"""The columns of a table of events as the database holds them: instants without a zone."""
COLUMNS = ", ".join(f'"{name}"' for name in SCHEMA.names)


_LINE = """
SELECT coalesce(e.target, e.event_id) AS subject, e.target IS NOT NULL AS strikes, e.event_id, e.subject_key,
       e.content_key, e.sequence, e."position", e.occurred_at, e.known_at, e.stored_at,
       coalesce(e.recorded_at, e.known_at) AS version_at
FROM event e WHERE e.sequence IN (SELECT sequence FROM found)
"""
"""All that was told before of the told events."""

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

_HELD = "SELECT sequence FROM event WHERE visit IN (SELECT visit FROM told) AND sequence <= $after"
"""What was told of the described visits before. Looking for numbers first leaves all else of the log unread."""

_MISSING = """
WITH described AS (
    SELECT source, visit, min("position") AS "position" FROM told WHERE visit IS NOT NULL GROUP BY source, visit
)
SELECT 'Cancelled' AS kind, e.event_id || '/Cancelled' AS event_id, e.occurred_at, e.source, d."position",
       $extracted_at::TIMESTAMP AS known_at, e.event_id AS target
FROM event e JOIN described d ON d.visit = e.visit AND d.source = e.source
WHERE e.sequence IN (SELECT sequence FROM held) AND e.known_at <= $extracted_at
  AND e.event_id NOT IN (SELECT event_id FROM told)
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
    """What was stored: events, those of them whose id was known, their positions; and the index with their rows."""

    stored: int
    versions: int
    positions: NDArray[np.int64]
    index: LineIndex

    def then(self, later: Outcome) -> Outcome:
        """Both, one after the other."""
        return Outcome(
            self.stored + later.stored,
            self.versions + later.versions,
            np.union1d(self.positions, later.positions),
            later.index,
        )


def nothing(index: LineIndex) -> Outcome:
    """Nothing was stored on top of an index."""
    return Outcome(0, 0, np.empty(0, np.int64), index)


def store(cursor: Any, table: pa.Table, batch: Batch, index: LineIndex) -> Outcome:
    """Store the rows of a table (STORED_SCHEMA) that are not repetitions, inside the caller's transaction.

    `index` covers all rows of the log so far.
    """
    outcome = nothing(index)
    if not table.num_rows:
        return outcome
    for part in _rounds(_told(table, batch)):
        row = pa.array(np.arange(part.num_rows))
        outcome = outcome.then(_store_round(cursor, _with(part, row=row), batch, outcome.index))
    return outcome


def missing(cursor: Any, table: pa.Table, batch: Batch, after: int) -> pa.Table:
    """Cancellations (STORED_SCHEMA) for what the visits, which the extract describes completely, no longer hold.

    `after` is how many rows the log had before the batch: what it has stored since is held.
    """
    with registered(cursor, told=table):
        held = arrow(cursor, _HELD, after=after)
        if not held.num_rows:
            return STORED_SCHEMA.empty_table()
        with registered(cursor, held=held):
            found = arrow(cursor, _MISSING, extracted_at=batch.extracted_at)
    count = found.num_rows
    columns = [found[f.name] if f.name in found.column_names else pa.nulls(count, f.type) for f in STORED_SCHEMA]
    return pa.table(columns, schema=STORED_SCHEMA)


def _told(table: pa.Table, batch: Batch) -> pa.Table:
    """The rows in the order of the world, so that a window of time is found in one place; with their keys, and the
    instant (`as_of`, then `as_position`) at which each is judged."""
    table = table.take(np.argsort(table["occurred_at"].to_numpy(), kind="stable"))
    count = table.num_rows
    stored_at, extracted_at = (pa.repeat(pa.scalar(at, INSTANT), count) for at in (batch.stored_at, batch.extracted_at))
    live = batch.extracted_at is None
    known_at = pc.coalesce(table["known_at"], stored_at if live else pc.coalesce(table["recorded_at"], extracted_at))
    stored_at = table["stored_at"] if batch.keeps_stored_at else stored_at
    table = _with(table, stored_at=stored_at, known_at=known_at)
    as_of = pc.coalesce(table["recorded_at"], known_at) if live else extracted_at
    as_position = table["position"] if live else pa.array(np.full(count, np.iinfo(np.int64).max))
    return _with(table, **keys_of(table), as_of=as_of, as_position=as_position)


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


def _store_round(cursor: Any, told: pa.Table, batch: Batch, index: LineIndex) -> Outcome:
    """Store one event of each line.

    1. Gather what was told of the lines before.
    2. Judge each event at its own instant.
    3. Store the new versions; remember the repetitions.
    4. Tell again what late versions would hide.
    5. Note which rows are no longer the winning version, and from when.
    """
    line = _line(cursor, told, index)  # 1
    if not line.num_rows:
        return _store_new_lines(cursor, told, batch, index)
    again = 0
    with registered(cursor, told=told.select(_JUDGED_BY), line=line):
        judged = arrow(cursor, _JUDGED)  # 2
        fresh = _fresh(cursor, told, judged, batch, index.length)
        with registered(cursor, judged=judged, fresh=fresh):
            if batch.extracted_at is None and fresh.num_rows < told.num_rows:
                rows(cursor, _INSERT_CONFIRMED)  # 3
            if fresh.num_rows:
                rows(cursor, _INSERT_FRESH)
                again = _tell_again(cursor, batch, index.length + fresh.num_rows)  # 4
                rows(cursor, _INSERT_SUPERSEDED, after=index.length)  # 5
    rows_of_known = _flags(judged, "known", told.num_rows)[fresh["row"].to_numpy()]
    return _outcome(cursor, fresh, int(rows_of_known.sum()), index, again)


def _store_new_lines(cursor: Any, told: pa.Table, batch: Batch, index: LineIndex) -> Outcome:
    """The same where nothing was told before: every event is a new version, and the only one."""
    fresh = _fresh(cursor, told, _JUDGED_SCHEMA.empty_table(), batch, index.length)
    with registered(cursor, fresh=fresh):
        rows(cursor, _INSERT_FRESH)
    return _outcome(cursor, fresh, 0, index, 0)


def _outcome(cursor: Any, fresh: pa.Table, known: int, index: LineIndex, again: int) -> Outcome:
    """What became of a round that stored `fresh`, and `again` rows after it."""
    length = index.length + fresh.num_rows
    grown = index.with_rows(fresh["subject_key"].to_numpy(), fresh["sequence"].to_numpy(), length)
    positions = np.unique(fresh["position"].to_numpy())
    return Outcome(fresh.num_rows, known, positions, caught_up(cursor, grown, length + again))


def _line(cursor: Any, told: pa.Table, index: LineIndex) -> pa.Table:
    found = index.find(told["subject_key"].to_numpy())
    if not len(found):
        return pa.table({})
    with registered(cursor, found=pa.table({"sequence": found})):
        return arrow(cursor, _LINE)


def _fresh(cursor: Any, told: pa.Table, judged: pa.Table, batch: Batch, after: int) -> pa.Table:
    """The rows that are not repetitions, numbered on; those of an extract with their times moved."""
    repeated = _flags(judged, "repeated", told.num_rows)
    fresh = told.filter(pa.array(~repeated)) if repeated.any() else told
    if batch.extracted_at is not None:
        fresh = _moved(cursor, fresh, judged, batch.extracted_at)
    return _with(fresh, sequence=pa.array(np.arange(fresh.num_rows) + after + 1))


def _moved(cursor: Any, fresh: pa.Table, judged: pa.Table, extracted_at: datetime) -> pa.Table:
    """Recorded and known after whatever proves the contrary, and by the time of this extract."""
    with registered(cursor, fresh=fresh, judged=judged):
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
