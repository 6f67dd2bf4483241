"""The figures behind a chart as one long table: along what, which series, the value, its unit; and as a file.

    table = Tidy("time", (Point(at, "median", 41.3, "patients"), ..))
    as_csv(table, "Europe/Paris")
    as_parquet(table, "Europe/Paris")

A value that a chart leaves out is empty, and so is the place of what holds at every place (a capacity). A series whose
values have an interval has two more beside it, `NAME:low` and `NAME:high`.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.clock import local

Along = Literal["time", "lead_min", "hour_of_week", "unit_name", "criterion", "service", "pool", "class_name", "along"]
"""The first column: what a chart runs along. Its values are instants, numbers or names."""
Place = datetime | float | str | None
Form = Literal["csv", "parquet"]
FORMS: tuple[Form, ...] = ("csv", "parquet")
MEDIA: Mapping[Form, str] = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_NAMES = ("unit_name", "criterion", "service", "pool", "class_name")


class Point(NamedTuple):
    """One figure of a chart."""

    at: Place
    series: str
    value: float | None
    unit: str


@dataclass(frozen=True)
class Tidy:
    """All figures of a chart, series by series, each in the order in which it is drawn."""

    along: Along
    points: tuple[Point, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.along, "series", "value", "unit"

    def of(self, series: str) -> list[float | None]:
        """The values of one series."""
        return [point.value for point in self.points if point.series == series]


def line(series: str, at: Sequence[Place], values: Iterable[float | None], unit: str) -> list[Point]:
    """The points of one series; what is not finite is absent."""
    return [Point(place, series, known(value), unit) for place, value in zip(at, values, strict=True)]


def interval(series: str, at: Sequence[Place], values: Iterable[tuple[float, float, float]], unit: str) -> list[Point]:
    """The points of a series whose values have an interval: the value and the two ends of each."""
    three = list(values)
    names = (series, f"{series}:low", f"{series}:high")
    return [p for k, name in enumerate(names) for p in line(name, at, (v[k] for v in three), unit)]


def known(value: float | None) -> float | None:
    """A figure, absent where it is not finite."""
    return None if value is None or not math.isfinite(value) else float(value)


def quantile_name(level: float) -> str:
    """How the series of a quantile is called.

    >>> [quantile_name(level) for level in (0.05, 0.5, 0.975)]
    ['p05', 'p50', 'p97.5']
    """
    return f"p{100 * level:04.1f}".removesuffix(".0")


# --- files ----------------------------------------------------------------------------------------------------------


def as_csv(table: Tidy, zone: str) -> bytes:
    """UTF-8 with a head; instants in the zone, with their offset."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    for at, series, value, unit in table.points:
        place = local(at, zone).isoformat() if isinstance(at, datetime) else at
        writer.writerow(["" if field is None else field for field in (place, series, value, unit)])
    return out.getvalue().encode()


def as_parquet(table: Tidy, zone: str) -> bytes:
    """The same columns with their types: instants carry the zone."""
    kind = pa.timestamp("us", tz=zone) if table.along == "time" else pa.string()
    kind = kind if table.along in ("time", *_NAMES) else pa.float64()
    types = (kind, pa.string(), pa.float64(), pa.string())
    columns = [pa.array([point[k] for point in table.points], type_) for k, type_ in enumerate(types)]
    out = io.BytesIO()
    pq.write_table(pa.table(columns, names=list(table.columns)), out)
    return out.getvalue()


WRITERS: Mapping[Form, Callable[[Tidy, str], bytes]] = {"csv": as_csv, "parquet": as_parquet}


def file_name(page: str, chart: str, part: str, made_at: datetime, zone: str, form: Form) -> str:
    """The page, the chart, which of them, and the local time of what it shows: `wall-census-2026-11-24T1434.csv`."""
    named = [page, chart, *([part] if part else [])]
    safe = ["".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in word) for word in named]
    return f"{'-'.join(safe)}-{local(made_at, zone):%Y-%m-%dT%H%M}.{form}"
