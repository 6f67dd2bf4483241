"""What the twin believes of its patients: who comes, how long things last, where they lead.

A `Parameters` is a value: loaded from `parameters.toml` (each number with its unit and source) or learned from a
log by `calibrate.py`. A class is a kind of patient that the parameters tell apart; a block is a part of the local day
by hour of arrival; a load class is how full the department is when a stage begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.durations import Duration
from twin.pathway import Path

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

HOURS_OF_WEEK = 168


@dataclass(frozen=True)
class PatientClass:
    """A kind of patient; `acuity` is an index in the hospital's acuities, -1 where the log knows none."""

    label: str
    acuity: int = -1
    age_band: str | None = None


@dataclass(frozen=True, eq=False)
class Stream:
    """Patients who come from outside: how many an hour, of which class, and which stage they enter."""

    name: str
    enters: str
    per_hour: Array
    """Arrivals an hour by local hour of week, `(168,)`, 0 = Monday 0:00."""
    class_share: Array
    """Share of each class, `(block, class)`; rows sum to 1."""
    day_cv: float = 0.0
    """Coefficient of variation of the day's level, gamma with mean 1; 0 for a plain Poisson stream."""
    together: float = 0.0
    """How often somebody brings another one along, who comes at the same instant (a couple, a parent and a child)."""
    unit: int = -1
    """Code of the unit wanted, for streams that go straight to a ward."""
    on_days: tuple[tuple[int, float], ...] = ()
    """Days on which another number come, such as public holidays: the local date's ordinal, and the factor."""

    @property
    def dispersion(self) -> float:
        """Variance over mean of the number who come at a known level: of groups of one or two, E[size^2] / E[size]."""
        return (1.0 + 3.0 * self.together) / (1.0 + self.together)


@dataclass(frozen=True, eq=False)
class Parameters:
    """All that a run needs besides the hospital, its path, the present and luck."""

    classes: tuple[PatientClass, ...]
    block_of_hour: Index
    """Local hour of the day to block, `(24,)`."""
    streams: tuple[Stream, ...]
    durations: Mapping[str, Duration]
    shares: Mapping[str, Array]
    """Probabilities named in the path's routing, each `(class, block)`."""
    wanted: Mapping[str, Array]
    """Shares of the unit wanted, named in the path, each `(class, unit)`; rows sum to 1."""
    load_edges: Array
    """Census of the department from which the next load class begins, `(block, load - 1)`."""
    leaving: Array | None = None
    """The speed of each unit's own clock by local hour of week, `(unit, 168)`; where it is given, stays in wards are
    minutes of that clock (see `leaving.py`)."""
    leaving_earlier_min: float = 0.0
    """How much sooner patients leave their wards than the clocks say, all on the same day: a what-if."""
    learned: Mapping[str, Any] = field(default_factory=dict)
    """Where the values come from: the period, the visits, what was excluded and why."""

    @property
    def blocks(self) -> int:
        """How many blocks the day has."""
        return int(self.block_of_hour.max()) + 1

    @property
    def loads(self) -> int:
        """How many load classes there are."""
        return int(self.load_edges.shape[1]) + 1

    def caseloads(self, path: Path) -> int:
        """How many caseloads the durations of `frees_after` tell apart."""
        return max((self.durations[name].loads for name in path.slots_of_staff), default=1)
