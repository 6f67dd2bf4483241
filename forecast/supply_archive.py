"""What forecasts said of supplies, kept in the house's database: nine days whole, of the first scenario 13 months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from forecast.archive import KEEP_FORECASTS, KEEP_SCENARIOS
from forecast.supplies_view import ItemAhead
from ingest.database import Database, naive

_INSERT = "INSERT INTO supply BY NAME SELECT * FROM incoming_supplies"
_READ = "SELECT * FROM supply WHERE issued_at >= ? AND issued_at < ? ORDER BY issued_at, place, item"
_FORGET = (
    "DELETE FROM supply WHERE place > 0 AND issued_at < ?",
    "DELETE FROM supply WHERE issued_at < ?",
)
_LISTS = pa.list_(pa.float64())
_TYPES = {"need": _LISTS, "levels": _LISTS, "lasts_min": _LISTS, "need_by_hour": pa.list_(_LISTS),
          "stock_by_hour": pa.list_(_LISTS), "p_short_before_next": pa.float64()}  # fmt: skip


@dataclass(frozen=True)
class SupplyRow:
    """What one forecast says of one item in one scenario."""

    scenario: str
    place: int
    item: str
    as_of: datetime
    ahead: ItemAhead
    lasts_min: tuple[float, ...]
    """By the levels of `ahead.stock`; empty for what has no stock."""


class SupplyArchive:
    """Keeps them; opened with `forecast.archive.SCHEMA_SQL` among the database's schemas."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, rows: Sequence[SupplyRow], issued_at: datetime) -> None:
        """Keep what a forecast says: all of it, or nothing."""
        told = [_told(row, issued_at) for row in rows]
        names = list(told[0]) if told else []
        table = pa.table({name: pa.array([row[name] for row in told], _TYPES.get(name)) for name in names})
        if not told:
            return
        with self._database.transaction() as cursor:
            cursor.register("incoming_supplies", table)
            cursor.execute(_INSERT)
            cursor.unregister("incoming_supplies")

    def read(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """The rows of forecasts issued in [since, until), by column, in the order of issue, scenario and item."""
        found = self._database.cursor().sql(_READ, params=[naive(since), naive(until)]).to_arrow_table()
        rows: list[dict[str, Any]] = found.to_pylist()
        return rows

    def prune(self, now: datetime) -> None:
        """Forget what is no longer kept."""
        with self._database.transaction() as cursor:
            for statement, keep in zip(_FORGET, (KEEP_SCENARIOS, KEEP_FORECASTS), strict=True):
                cursor.execute(statement, [naive(now - keep)])


def _told(row: SupplyRow, issued_at: datetime) -> dict[str, Any]:
    ahead = row.ahead
    return {
        "issued_at": naive(issued_at), "as_of": naive(row.as_of), "place": row.place, "scenario": row.scenario,
        "item": row.item, "levels": list(ahead.stock), "need": list(ahead.need),
        "need_by_hour": [list(values) for values in ahead.need_by_hour.values()],
        "stock_by_hour": [list(values) for values in ahead.stock.values()], "lasts_min": list(row.lasts_min),
        "p_short": ahead.p_short, "p_short_before_next": ahead.p_short_before_next, "missing": ahead.missing,
    }  # fmt: skip
