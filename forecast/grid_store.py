"""Grids that were run, kept: their designs, and what each combination came to, chunk of members by chunk.

The last few are kept, so the file stays bounded. Each write is one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa

from forecast.designs import Design, from_json
from forecast.values import Array
from ingest.database import Database, arrow, aware, naive, registered

KEPT = 4
"""Grids kept: of 500 combinations and 200 members some 25 MB each."""

_GRIDS = "SELECT * FROM scenario_grid ORDER BY begun_at DESC, grid_id"
_PARTS = "SELECT * FROM scenario_grid_part WHERE grid_id = $grid_id ORDER BY first_member, outcome"
_DONE = """SELECT DISTINCT first_member, members FROM scenario_grid_part WHERE grid_id = $grid_id
           ORDER BY first_member"""
_PUT_GRID = "INSERT INTO scenario_grid BY NAME SELECT * FROM incoming"
_PUT_PART = "INSERT INTO scenario_grid_part BY NAME SELECT * FROM incoming"
_FORGET = (
    "DELETE FROM scenario_grid WHERE grid_id = ?",
    "DELETE FROM scenario_grid_part WHERE grid_id = ?",
)
_PART = pa.schema([
    ("grid_id", pa.string()), ("first_member", pa.int32()), ("members", pa.int32()), ("outcome", pa.string()),
    ("outcomes", pa.list_(pa.float32())),
])  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """What a grid is: its design, and all that its outcomes depend on."""

    as_of: datetime
    known_at: datetime
    design: Design
    made_from: Mapping[str, Any]
    members: int
    horizon_min: float
    seed: int

    @property
    def grid_id(self) -> str:
        """Equal where everything is that it depends on; how many members are asked for does not count."""
        told = [self.as_of.isoformat(), self.known_at.isoformat(), self.design.as_json(), dict(self.made_from),
                self.horizon_min, self.seed]  # fmt: skip
        return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


class GridStore:
    """The grids of a house."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, grid: Grid, begun_at: datetime) -> None:
        """Keep what a grid is, anew if it is kept already; the oldest beyond `KEPT` are forgotten."""
        row = pa.Table.from_pylist([{
            "grid_id": grid.grid_id, "begun_at": naive(begun_at), "as_of": naive(grid.as_of),
            "known_at": naive(grid.known_at), "design": json.dumps(grid.design.as_json()),
            "made_from": json.dumps(dict(grid.made_from)), "members": grid.members,
            "horizon_min": grid.horizon_min, "seed": grid.seed,
        }])  # fmt: skip
        older = [name for name, _ in self.kept() if name != grid.grid_id][KEPT - 1 :]
        with self._database.transaction() as cursor:
            for name in older:
                for statement in _FORGET:
                    cursor.execute(statement, [name])
            cursor.execute(_FORGET[0], [grid.grid_id])
            with registered(cursor, incoming=row):
                cursor.execute(_PUT_GRID)

    def put(self, grid_id: str, chunk: range, outcomes: Mapping[str, Array]) -> None:
        """Keep a chunk's outcomes, `(combination, member)` each: all of them or none."""
        rows = [
            {"grid_id": grid_id, "first_member": chunk.start, "members": len(chunk), "outcome": name,
             "outcomes": values.astype(np.float32).ravel()}
            for name, values in outcomes.items()
        ]  # fmt: skip
        with self._database.transaction() as cursor, registered(cursor, incoming=pa.Table.from_pylist(rows, _PART)):
            cursor.execute(_PUT_PART)

    def done(self, grid_id: str) -> list[range]:
        """The chunks that are kept."""
        found = arrow(self._database.cursor(), _DONE, grid_id=grid_id).to_pylist()
        return [range(row["first_member"], row["first_member"] + row["members"]) for row in found]

    def kept(self) -> list[tuple[str, Grid]]:
        """Every grid by name, the newest first."""
        return [(row["grid_id"], _grid(row)) for row in arrow(self._database.cursor(), _GRIDS).to_pylist()]

    def outcomes(self, grid_id: str, combinations: int) -> dict[str, Array]:
        """What is kept of a grid, by outcome `(combination, member)`, members in order of their chunks."""
        table = arrow(self._database.cursor(), _PARTS, grid_id=grid_id)
        parts: dict[str, list[Array]] = {}
        for name, values in zip(table["outcome"].to_pylist(), table["outcomes"], strict=True):
            flat = np.asarray(values.values.to_numpy(zero_copy_only=False), dtype=np.float64)
            parts.setdefault(name, []).append(flat.reshape(combinations, -1))
        return {name: np.concatenate(mine, axis=1) for name, mine in parts.items()}


def _grid(row: Mapping[str, Any]) -> Grid:
    return Grid(
        as_of=aware(row["as_of"]), known_at=aware(row["known_at"]), design=from_json(json.loads(row["design"])),
        made_from=json.loads(row["made_from"]), members=row["members"], horizon_min=row["horizon_min"],
        seed=row["seed"],
    )  # fmt: skip


def stacked(found: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Outcomes of combinations as `(combination, member)` by name; NaN where one has none that others have."""
    names = dict.fromkeys(name for one in found for name in one)
    count = next(iter(found[0].values())).size
    nothing = np.full(count, np.nan)
    return {name: np.stack([one.get(name, nothing) for one in found]) for name in names}
