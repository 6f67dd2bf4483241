"""What a scenario asks of the house: beds opened, staff added; declared by its change, the same for every member."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ingest.configuration import Checked, load
from twin.hospital import BED, Hospital, Profile

DEFAULT = Path(__file__).with_name("efforts.toml")
_ANY_WARD = "default"


class BedEntry(Checked):
    """One `[bed.<ward>]`."""

    nurses: Annotated[float, Field(ge=0)]
    source: str


class EffortsFile(Checked):
    """What the table of unit efforts says."""

    bed: dict[str, BedEntry]


@dataclass(frozen=True)
class Efforts:
    """Of one scenario over the window."""

    bed_h: float = 0.0
    """Beds opened, times the hours for which they are."""
    staff_h: float = 0.0
    """Hours of staff added to rosters, and of the nurses whom the opened beds need."""

    def as_outcomes(self) -> dict[str, float]:
        """By the names of their criteria."""
        return {"effort_bed_h": self.bed_h, "effort_staff_h": self.staff_h}


@cache
def unit_efforts() -> EffortsFile:
    """The shipped table."""
    return load(DEFAULT, EffortsFile)


def efforts_of(
    hospital: Hospital, usual: Mapping[str, Profile], changed: Mapping[str, Profile], until_min: float
) -> Efforts:
    """From capacities as usual and as changed; what is taken away asks for nothing."""
    beds = unit_efforts().bed
    bed_h, staff_h = 0.0, 0.0
    staff = {pool.name for pool in hospital.rosters if pool.profession is not None}
    for pool, profile in changed.items():
        added_h = _added_h(usual[pool], profile, until_min)
        if pool.startswith(BED):
            bed_h += added_h
            staff_h += added_h * beds.get(pool.removeprefix(BED), beds[_ANY_WARD]).nurses
        elif pool in staff or pool == "doctor":
            staff_h += added_h
    return Efforts(round(bed_h, 6), round(staff_h, 6))


def _added_h(usual: Profile, changed: Profile, until_min: float) -> float:
    if usual == changed:
        return 0.0
    edges = sorted({0.0, until_min, *(minute for profile in (usual, changed) for minute, _ in profile)})
    inside = [edge for edge in edges if 0.0 <= edge <= until_min]
    return sum(
        max(_at(changed, begin) - _at(usual, begin), 0) * (end - begin) / 60.0
        for begin, end in itertools.pairwise(inside)
    )


def _at(profile: Profile, minute: float) -> int:
    return next(count for at, count in reversed(profile) if at <= minute)
