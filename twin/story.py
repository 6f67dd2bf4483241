"""The vocabulary in columns: what happened, in minutes, the same from the log and from a run.

A `Story` is a list of marks (minute, kind, visit, unit, destination). `Visits` reads it as one row a visit (its
milestones) and one row a stay in a unit. The log's state and the simulator both tell stories, so whatever is
counted from visits (`measures.py`) is counted by the same code for "now", "later" and "what came".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from ingest.events import RANK, Destination

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

DESTINATIONS: tuple[str, ...] = (*get_args(Destination), "left_without_being_seen", "left_during_care")
"""How a visit to the department may end, by code."""
NOWHERE = -1
"""Code of a unit or a destination that does not apply or is not known."""

_ARRIVED, _TRIAGED, _SEEN = RANK["Arrived"], RANK["Triaged"], RANK["SeenByProvider"]
_DECIDED_ADMIT = RANK["DecidedToAdmit"]
_DEPARTED, _LWBS, _LEFT = RANK["Departed"], RANK["LeftWithoutBeingSeen"], RANK["LeftDuringCare"]
_MOVED, _ENTERED, _LEFT_WARD = RANK["Moved"], RANK["EnteredWard"], RANK["LeftWard"]
_TO_WARD = DESTINATIONS.index("ward")


@dataclass(frozen=True, eq=False)
class Story:
    """Marks in the order in which they were told; `visit` and `unit` are codes, -1 where there is none."""

    at_min: Array
    kind: Index
    visit: Index
    unit: Index
    to: Index

    @classmethod
    def of(cls, marks: Sequence[tuple[float, int, int, int, int]]) -> Story:
        """From marks as tuples (minute, kind rank, visit, unit, destination)."""
        if not marks:
            none = np.empty(0, dtype=np.int64)
            return cls(np.empty(0), none, none, none, none)
        at, kind, visit, unit, to = zip(*marks, strict=True)
        ints = (np.array(column, dtype=np.int64) for column in (kind, visit, unit, to))
        return cls(np.array(at, dtype=np.float64), *ints)

    @property
    def marks(self) -> list[tuple[float, int, int, int, int]]:
        """As tuples again, which `of` takes."""
        columns = (self.at_min, self.kind, self.visit, self.unit, self.to)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def in_order(self) -> Story:
        """The same marks by minute, then kind; marks of one minute and kind keep their order."""
        order = np.lexsort((self.kind, self.at_min))
        return Story(self.at_min[order], self.kind[order], self.visit[order], self.unit[order], self.to[order])


@dataclass(frozen=True, eq=False)
class Visits:
    """Milestones in minutes, one row a visit `(visit,)`, NaN for what has not happened; and stays in units."""

    arrived_min: Array
    triaged_min: Array
    seen_min: Array
    decided_min: Array
    """Decision to admit."""
    departed_min: Array
    to: Index
    acuity: Index
    """Index in the acuities of the hospital; -1 where not known."""
    stay_visit: Index
    stay_unit: Index
    stay_from_min: Array
    stay_until_min: Array

    @classmethod
    def of(cls, story: Story, acuity: Index) -> Visits:
        """The rows of a story; `acuity` gives one code a visit and so the number of visits.

        The first arrival, triage, contact and decision count, and the last exit. A stay in a unit (an area of the
        department or a ward) lasts from Moved, EnteredWard or Departed to a ward until the visit's next move or exit.
        """
        told = story.in_order()
        n = acuity.size
        exits = np.isin(told.kind, (_DEPARTED, _LWBS, _LEFT))
        ends = _last(told, exits, n)
        return cls(
            arrived_min=_first_min(told, told.kind == _ARRIVED, n),
            triaged_min=_first_min(told, told.kind == _TRIAGED, n),
            seen_min=_first_min(told, told.kind == _SEEN, n),
            decided_min=_first_min(told, told.kind == _DECIDED_ADMIT, n),
            departed_min=np.where(ends >= 0, told.at_min[ends], np.nan) if told.at_min.size else np.full(n, np.nan),
            to=_destination(told, ends),
            acuity=acuity,
            **_stays(told),
        )


def _first_min(told: Story, chosen: npt.NDArray[np.bool_], n: int) -> Array:
    out = np.full(n, np.nan)
    where = np.flatnonzero(chosen)[::-1]
    out[told.visit[where]] = told.at_min[where]
    return out


def _last(told: Story, chosen: npt.NDArray[np.bool_], n: int) -> Index:
    out = np.full(n, -1, dtype=np.int64)
    where = np.flatnonzero(chosen)
    out[told.visit[where]] = where
    return out


def _destination(told: Story, ends: Index) -> Index:
    out = np.full(ends.size, NOWHERE, dtype=np.int64)
    ended = ends >= 0
    kind = told.kind[ends[ended]]
    code = told.to[ends[ended]]
    code = np.where(kind == _LWBS, DESTINATIONS.index("left_without_being_seen"), code)
    out[ended] = np.where(kind == _LEFT, DESTINATIONS.index("left_during_care"), code)
    return out


def _stays(told: Story) -> dict[str, Any]:
    opens = (told.unit >= 0) & (
        (told.kind == _MOVED) | (told.kind == _ENTERED) | ((told.kind == _DEPARTED) & (told.to == _TO_WARD))
    )
    where = np.flatnonzero(opens | np.isin(told.kind, (_LEFT_WARD, _DEPARTED, _LWBS, _LEFT)))
    where = where[np.lexsort((where, told.visit[where]))]
    visit, at, begins = told.visit[where], told.at_min[where], opens[where]
    follows = np.append(visit[1:] == visit[:-1], False)
    until = np.where(follows, np.append(at[1:], np.nan), np.nan)
    return {
        "stay_visit": visit[begins],
        "stay_unit": told.unit[where][begins],
        "stay_from_min": at[begins],
        "stay_until_min": until[begins],
    }
