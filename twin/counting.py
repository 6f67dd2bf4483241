"""What is counted of the members of an ensemble, and how: by `measures.py` from a story, or compiled, from marks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from twin.kernel_counts import FIRST_ROWS
from twin.measures import measure
from twin.story import Story, Visits

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Counting:
    """Which measures are taken, and of whom; rows of what is counted are in the order of `names`."""

    acuities: tuple[str, ...]
    units: tuple[str, ...]
    """Every unit, by code."""
    wards: tuple[str, ...]
    """Those of them to count."""
    milestones: frozenset[str]
    """Measures that need another milestone do not exist."""
    at_once_min: float = 0.0
    """Who leaves at minute 0 of a run is counted as leaving then, just after the present."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of what `kernel_counts.count` counts, row by row."""
        waits, wards = (f"wait_min:{acuity}" for acuity in self.acuities), (f"census:{ward}" for ward in self.wards)
        return (*FIRST_ROWS, *waits, *wards)

    @cached_property
    def told(self) -> tuple[int, ...]:
        """The rows of measures that exist here."""
        out: list[str] = []
        if "SeenByProvider" not in self.milestones:
            out += ["ed_waiting", *(f"wait_min:{acuity}" for acuity in self.acuities)]
        if "DecidedToAdmit" not in self.milestones:
            out += ["ed_boarders"]
        return tuple(row for row, name in enumerate(self.names) if name not in out)

    @cached_property
    def ward_of(self) -> Index:
        """The place of each unit among the wards, `(unit,)`; -1 where it is none of them."""
        places = [self.wards.index(unit) if unit in self.wards else -1 for unit in self.units]
        return np.array(places, dtype=np.int64)

    def of_story(self, story: Story, acuity: Index, grid_min: Array, *, at_once_min: float = 0.0) -> Array:
        """Every row at each instant, `(row, grid)`, by the definition; `acuity` is by visit.

        Who leaves at minute 0 is counted as leaving at `at_once_min`.
        """
        visits = Visits.of(story, acuity)
        departed = np.where(visits.departed_min == 0.0, at_once_min, visits.departed_min)
        units = {ward: self.units.index(ward) for ward in self.wards}
        found = measure(replace(visits, departed_min=departed), grid_min, acuities=self.acuities, units=units)
        return np.stack([found[name] for name in self.names])

    def by_name(self, rows: Array) -> dict[str, Array]:
        """Those measures that exist, by name."""
        return {self.names[row]: rows[row] for row in self.told}
