"""How large a house's database is foreseen to be: from how many rows its tables have, and what a row takes.

What a row takes was measured by the blocks of each table on the third and the thirteenth day of `tests.weeks`. A
thinned forecast gives back next to nothing: the rows around it hold its blocks. What is written anew, or deleted,
leaves room that the file keeps, three fifths as much again; the same share on the fourth day as on the thirteenth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.house import DATABASE, SCHEMAS
from ingest.database import Database

A_ROW: Mapping[str, float] = {
    "event": 61.0, "batch": 134.0, "whole": 3144.0, "thin": 2700.0, "score": 260.0, "supply": 331.0,
    "alert_chance": 120.0, "issue": 2000.0, "cycle": 60.0,
}  # fmt: skip
"""Bytes. A row of a forecast has 49 leads and 9 levels; one that is thinned has 5 leads."""
SNAPSHOTS = 13e6
"""What memory holds, saved every six hours of the clock, the last two; of a hospital of 90 arrivals a day."""
ROOM = 1.6
"""The file beside the rows that are in it."""
WITHIN = 0.2


@dataclass(frozen=True)
class Rows:
    """How many rows tables have; those of `forecast` apart, by whether theirs is kept whole or thinned."""

    of: Mapping[str, int]


def rows_of(data: Path) -> Rows:
    """Those of the database of a house that has ended."""
    with Database.open(data / DATABASE, SCHEMAS) as database:
        cursor = database.cursor()
        tables = [name for name in A_ROW if name not in ("whole", "thin")]
        found = {name: _count(cursor, f'FROM "{name}"') for name in tables}
        for name, thinned in (("whole", "NOT thinned"), ("thin", "thinned")):
            found[name] = _count(cursor, f"FROM forecast JOIN issue USING (issued_at) WHERE {thinned}")
    return Rows(found)


def _count(cursor: Any, rest: str) -> int:
    return int(cursor.execute(f"SELECT count(*) {rest}").fetchone()[0])


def foreseen_bytes(rows: Rows) -> float:
    """How many bytes the database and the log that is written ahead should have."""
    return ROOM * (sum(A_ROW[name] * count for name, count in rows.of.items()) + SNAPSHOTS)


def grown_wrong(mb: float, foreseen_mb: float) -> list[str]:
    """What is wrong with how large it is beside what was foreseen; nothing within a fifth."""
    return [] if abs(mb / foreseen_mb - 1) <= WITHIN else [f"the database has {mb:.0f} MB, {foreseen_mb:.0f} foreseen"]
