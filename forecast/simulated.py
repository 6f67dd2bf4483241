"""One issue of a replay as it is kept until it is judged: what was simulated, what its rivals told, what was learned.

Of the measures that are recalibrated, and of peaks, the members are kept (packed, counts in two bytes each); of the
others what is told of them. Nothing of who was there is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from forecast.values import LEVELS, Array, Packed, Series, packed, unpacked
from ingest.database import aware, naive

SCHEMA = pa.schema(
    [
        ("as_of", pa.timestamp("us")),
        ("kind", pa.string()),
        ("name", pa.string()),
        ("measure", pa.string()),
        ("rows", pa.int32()),
        ("values", pa.list_(pa.float64())),
    ]
)
"""One row an array; `rows` is its first axis."""


@dataclass(frozen=True)
class Lesson:
    """The truth as it was known when parameters were learned anew: all that was not final the time before."""

    learned_at: datetime
    times: Sequence[datetime]
    came: Mapping[str, Array]


@dataclass(frozen=True)
class Simulated:
    """One issue at the verified leads."""

    as_of: datetime
    zone: str
    members: Mapping[str, Packed]
    """Of the measures that are recalibrated, and of peaks, `(lead, member)`."""
    told: Mapping[str, Series]
    """Of the other measures."""
    rivals: Mapping[str, Mapping[str, Series]]
    lesson: Lesson | None
    """Where the parameters were learned anew for it."""


def table_of(issues: Sequence[Simulated]) -> pa.Table:
    """Issues as rows."""
    return pa.Table.from_pylist([row for one in issues for row in _rows(one)], SCHEMA)


def _rows(one: Simulated) -> Iterator[dict[str, Any]]:
    def row(kind: str, name: str, measure: str, values: Array) -> dict[str, Any]:
        whole = np.atleast_2d(values)
        return {"as_of": naive(one.as_of), "kind": kind, "name": name, "measure": measure, "rows": len(whole),
                "values": whole.ravel()}  # fmt: skip

    yield row("issue", one.zone, "", np.empty((1, 0)))
    yield from (row("members", "", measure, unpacked(values)) for measure, values in one.members.items())
    yield from (row("told", "", measure, _matrix(series)) for measure, series in one.told.items())
    for name, measures in one.rivals.items():
        yield row("rival", name, "", np.empty((1, 0)))
        yield from (row("rival", name, measure, _matrix(series)) for measure, series in measures.items())
    if one.lesson is not None:
        at = [one.lesson.learned_at, *one.lesson.times]
        yield row("lesson", "", "", np.array([(naive(t) - _EPOCH).total_seconds() * 1e6 for t in at]))
        yield from (row("lesson", "", measure, came) for measure, came in one.lesson.came.items())


def issues_of(table: pa.Table) -> list[Simulated]:
    """The issues behind rows."""
    columns = {name: table[name].to_pylist() for name in ("as_of", "kind", "name", "measure", "rows")}
    values = table["values"].combine_chunks()
    starts = [i for i, kind in enumerate(columns["kind"]) if kind == "issue"]
    return [
        _issue({name: column[a:b] for name, column in columns.items()}, values[a:b])
        for a, b in zip(starts, [*starts[1:], len(table)], strict=True)
    ]


def _issue(columns: Mapping[str, Sequence[Any]], values: pa.ListArray) -> Simulated:
    members: dict[str, Packed] = {}
    told: dict[str, Series] = {}
    rivals: dict[str, dict[str, Series]] = {}
    lesson: Lesson | None = None
    came: dict[str, Array] = {}
    rows = zip(columns["kind"], columns["name"], columns["measure"], columns["rows"], strict=True)
    for place, (kind, name, measure, count) in enumerate(rows):
        matrix = values[place].values.to_numpy(zero_copy_only=False).reshape(count, -1)
        if kind == "members":
            members[measure] = packed(matrix)
        elif kind == "told":
            told[measure] = _series(matrix)
        elif kind == "rival":
            rivals.setdefault(name, {}).update({measure: _series(matrix)} if measure else {})
        elif kind == "lesson" and not measure:
            at = [aware(_EPOCH + np.timedelta64(int(us), "us").astype("timedelta64[us]").item()) for us in matrix[0]]
            lesson = Lesson(at[0], at[1:], came)
        elif kind == "lesson":
            came[measure] = matrix[0]
    return Simulated(aware(columns["as_of"][0]), columns["name"][0], members, told, rivals, lesson)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def _matrix(series: Series) -> Array:
    """Mean and quantiles, `(1 + level, lead)`. Raises ValueError for other levels than those of every forecast."""
    if tuple(series.quantiles) != LEVELS:
        raise ValueError(f"what is kept must be told at the levels {LEVELS}, but is at {tuple(series.quantiles)}")
    return np.stack([series.mean, *series.quantiles.values()])


def _series(matrix: Array) -> Series:
    return Series(matrix[0], dict(zip(LEVELS, matrix[1:], strict=True)))
