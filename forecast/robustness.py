"""The robustness map: which crisis breaks which service, what breaks first and when, and what it would have taken.

Everything is read from paired members: that a service breaks *because of* a crisis means that it breaks under it in a
member in which it does not break as usual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forecast.outcomes import BREAKS, MARGIN
from forecast.values import Array, or_none

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cell:
    """One service under one crisis."""

    p_breaks: float
    p_because: float
    """Breaks in a member in which it does not as usual."""
    after_min: float | None
    """In half of the members in which it breaks, it has by then."""
    margin: float | None
    """How much more it would have taken to break, in half of the members; below 0 it went so far beyond."""
    margin_low: float | None
    """The same in 1 member of 10."""


@dataclass(frozen=True)
class Row:
    """One crisis."""

    name: str
    cells: Mapping[str, Cell]
    first: str | None
    """The service that most often is the first to break because of it; None where none ever does."""
    p_first: float
    """In how many of the members something breaks because of it, and this is the first."""
    p_any: float
    """In how many of the members anything breaks because of it."""


@dataclass(frozen=True)
class RobustnessMap:
    """Crises by services; the first row is as usual."""

    services: tuple[str, ...]
    rows: tuple[Row, ...]
    members: int


def robustness(names: Sequence[str], found: Mapping[str, Array]) -> RobustnessMap:
    """From outcomes by name `(combination, member)`, the first combination of which is as usual."""
    services = [name.removeprefix(BREAKS) for name in found if name.startswith(BREAKS)]
    at_min = np.stack([found[BREAKS + s] for s in services]) if services else np.empty((0, len(names), 0))
    margins = np.stack([found[MARGIN + s] for s in services]) if services else np.empty((0, len(names), 0))
    rows = tuple(_row(name, services, at_min[:, k], at_min[:, 0], margins[:, k]) for k, name in enumerate(names))
    return RobustnessMap(tuple(services), rows, int(at_min.shape[2]))


def _row(name: str, services: Sequence[str], at_min: Array, usual_min: Array, margin: Array) -> Row:
    """Of one combination; all arrays are `(service, member)`."""
    breaks = np.isfinite(at_min)
    because = breaks & ~np.isfinite(usual_min)
    cells = {s: _cell(breaks[i], because[i], at_min[i], margin[i]) for i, s in enumerate(services)}
    newly = np.where(because, at_min, np.inf)
    if not because.any():
        return Row(name, cells, None, 0.0, 0.0)
    first = newly.argmin(axis=0)
    some = because.any(axis=0)
    shares = np.bincount(first[some], minlength=len(services)) / at_min.shape[1]
    return Row(name, cells, services[int(shares.argmax())], float(shares.max()), float(some.mean()))


def _cell(breaks: Flags, because: Flags, at_min: Array, margin: Array) -> Cell:
    told = margin[~np.isnan(margin)]
    low, middle = (float(cut) for cut in np.quantile(told, (0.1, 0.5))) if told.size else (None, None)
    after = float(np.median(at_min[breaks])) if breaks.any() else None
    return Cell(float(breaks.mean()), float(because.mean()), after, middle, low)


def as_json(told: RobustnessMap) -> dict[str, Any]:
    """Plain values."""
    return {
        "members": told.members,
        "services": list(told.services),
        "rows": [
            {"name": row.name, "first_to_break": row.first, "p_first": round(row.p_first, 4),
             "p_any": round(row.p_any, 4),
             "services": {name: _cell_json(cell) for name, cell in row.cells.items()}}
            for row in told.rows
        ],
    }  # fmt: skip


def _cell_json(cell: Cell) -> dict[str, Any]:
    return {
        "p_breaks": round(cell.p_breaks, 4), "p_because": round(cell.p_because, 4),
        "after_min": None if cell.after_min is None else or_none(cell.after_min, 1),
        "margin": None if cell.margin is None else or_none(cell.margin, 2),
        "margin_low": None if cell.margin_low is None else or_none(cell.margin_low, 2),
    }  # fmt: skip
