"""The wide extract of the fabricated hospital: one row for each visit to the department, as an analyst gets it later.

Columns, all text, empty when unknown:

- `visit`, `patient`: pseudonyms; `age` in years; `sex`: female, male;
- `mode`: own_means, ambulance, fire_service, smur, helicopter, police; `complaint`: medical_surgical, trauma,
  psychiatric, toxicology, other; `acuity`: 1, 2, 3A, 3B, 4, 5;
- `arrived`, `triaged`, `seen`, `decided` (to admit), `bed_requested`, `departed`, `left_ward`: local times without
  offset, ISO, to the second ("2025-01-07T08:12:05");
- `destination`: home, ward, transfer, died, left_without_being_seen, left_during_care; empty when the exit is
  unknown, as is then `departed`;
- `ward`: the unit entered, where that is the destination: medicine, geriatrics, surgery, cardiology, intensive_care,
  uhcd.

Exits typed in late stand with the time at which they occurred; those never typed in are empty. Patients who come to a
ward without passing through the department, beds and staff have no row.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.events import (
    Arrived,
    BedRequested,
    DecidedToAdmit,
    Departed,
    Event,
    LeftDuringCare,
    LeftWard,
    LeftWithoutBeingSeen,
    SeenByProvider,
    Triaged,
    VisitEvent,
    VisitId,
)

COLUMNS: tuple[str, ...] = (
    "visit", "patient", "age", "sex", "mode", "complaint", "acuity", "arrived", "triaged", "seen", "decided",
    "bed_requested", "departed", "destination", "ward", "left_ward",
)  # fmt: skip
Row = dict[str, str]

_TIMES: Mapping[type[Event], str] = {
    Arrived: "arrived", Triaged: "triaged", SeenByProvider: "seen", DecidedToAdmit: "decided",
    BedRequested: "bed_requested", Departed: "departed", LeftWithoutBeingSeen: "departed",
    LeftDuringCare: "departed", LeftWard: "left_ward",
}  # fmt: skip
_LEFT: Mapping[type[Event], str] = {
    LeftWithoutBeingSeen: "left_without_being_seen", LeftDuringCare: "left_during_care"
}  # fmt: skip


def wide_rows(events: Iterable[Event], ages: Mapping[VisitId, int], zone: str, since: datetime) -> list[Row]:
    """A row for each visit that arrived at `since` or later, in order of arrival."""
    rows: dict[VisitId, Row] = {}
    arrived: list[tuple[datetime, VisitId]] = []
    for event in events:
        if isinstance(event, VisitEvent) and type(event) in _TIMES:
            row = rows.setdefault(event.visit, dict.fromkeys(COLUMNS, ""))
            row[_TIMES[type(event)]] = _wall(event.occurred_at, zone)
            _describe(event, row)
            if isinstance(event, Arrived) and event.occurred_at >= since:
                row["visit"], row["age"] = event.visit, str(ages[event.visit])
                arrived.append((event.occurred_at, event.visit))
    return [rows[visit] for _, visit in sorted(set(arrived))]


def write_csv(rows: Iterable[Row], path: Path) -> None:
    """The rows as comma-separated text with a header, UTF-8."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(rows: Iterable[Row], path: Path) -> None:
    """The same rows as Parquet: text columns, null instead of empty."""
    listed = list(rows)
    columns = {name: pa.array([row[name] or None for row in listed], pa.string()) for name in COLUMNS}
    pq.write_table(pa.table(columns), path)


def _describe(event: Event, row: Row) -> None:
    match event:
        case Arrived():
            row["patient"], row["sex"] = event.patient or "", event.sex or ""
            row["mode"], row["complaint"] = event.mode or "", event.complaint or ""
        case Triaged():
            row["acuity"] = event.acuity or ""
        case Departed():
            row["destination"] = event.to or ""
            row["ward"] = event.unit or ""
        case LeftWithoutBeingSeen() | LeftDuringCare():
            row["destination"] = _LEFT[type(event)]


def _wall(instant: datetime, zone: str) -> str:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(timespec="seconds")
