"""One fate for several demands: worked out once for all who come under any of them, and for each demand, who comes.

What a patient's luck means does not depend on who else comes, so scenarios that differ in the level of arrivals share
the rows of those who come under both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twin.demand import Demand, comes
from twin.fate import Fate, Fates, Lot, cast_members
from twin.law import USUAL, Law
from twin.luck import CRISIS, HERE, Luck
from twin.parameters import Parameters
from twin.pathway import Path
from twin.present import Present

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Share:
    """What a demand has of a fate: those of its rows that take part, `(row,)`."""

    lot: Lot
    rows: Flags

    @property
    def fate(self) -> Fate:
        """All of those whose luck it is worked out for."""
        return self.lot.fate

    def alone(self) -> Fate:
        """The fate of those who take part, as `cast` gives it for the demand alone; routes may have idle stops."""
        fate, rows = self.fate, self.rows
        everyone = np.full(fate.acuity.size, -1, dtype=np.int64)
        everyone[fate.visit[rows]] = fate.acuity[fate.visit[rows]]
        return replace(
            fate,
            visit=fate.visit[rows],
            cls=fate.cls[rows],
            block=fate.block[rows],
            priority=fate.priority[rows],
            at_min=fate.at_min[rows],
            stage=fate.stage[rows],
            unit=fate.unit[rows],
            minutes=fate.minutes[rows],
            freed_at=fate.freed_at[rows],
            patience_min=fate.patience_min[rows],
            acuity=everyone,
        )


def cast_for(
    path: Path, parameters: Parameters, luck: Luck, present: Present, demands: Sequence[Demand],
    laws: Sequence[Law] | None = None,
) -> list[Share]:  # fmt: skip
    """For each demand its share of a member's fate; what `cast` raises for one of them is raised.

    Victims are the first of the reserve, so demands with different crises have fates of their own; so have laws.
    """
    return cast_members_for(path, parameters, luck, [present], demands, laws)[0]


def cast_members_for(
    path: Path, parameters: Parameters, luck: Luck, presents: Sequence[Present], demands: Sequence[Demand],
    laws: Sequence[Law] | None = None,
) -> list[list[Share]]:  # fmt: skip
    """For each of several members, for each demand with its law, its share of a fate, as `cast_for` gives it."""
    out: list[dict[int, Share]] = [{} for _ in presents]
    for law, mine in _by_law(laws or [USUAL] * len(demands)):
        for alike in _by_crises([demands[i] for i in mine]):
            asked = [mine[i] for i in alike]
            whole = _with_crises([demands[i] for i in asked])
            fates = cast_members(path, parameters, luck, presents, whole, law)
            lots = fates.lots()
            everybody = np.split(np.ones(fates.whole.visit.size, dtype=bool), fates.row_from[1:-1])
            takes = {asked[0]: everybody} if all(demands[i] == demands[asked[0]] for i in asked) else {}
            for i in asked:
                first = next(j for j in asked if demands[j] == demands[i])
                if first not in takes:
                    takes[first] = _take_part(fates, luck, path, parameters, demands[i])
                for shares, lot, rows in zip(out, lots, takes[first], strict=True):
                    shares[i] = Share(lot, rows)
    return [[shares[i] for i in range(len(demands))] for shares in out]


def _by_law(laws: Sequence[Law]) -> Iterator[tuple[Law, list[int]]]:
    """Each law once, with the places where it stands."""
    for law in dict.fromkeys(laws):
        yield law, [i for i, one in enumerate(laws) if one == law]


def _by_crises(demands: Sequence[Demand]) -> Iterator[list[int]]:
    """The places of demands that may share a fate: those without a crisis share that of the first crisis."""
    crises = [demand.crises for demand in demands]
    for victims in [c for i, c in enumerate(crises) if c and c not in crises[:i]] or [()]:
        yield [i for i, c in enumerate(crises) if c == victims or (not c and victims == next(filter(None, crises), ()))]


def _with_crises(demands: Sequence[Demand]) -> list[Demand]:
    """The same levels, all with the crises of those that have some."""
    crises = next((demand.crises for demand in demands if demand.crises), ())
    return [replace(demand, crises=crises) for demand in demands]


def _take_part(fates: Fates, luck: Luck, path: Path, parameters: Parameters, demand: Demand) -> list[Flags]:
    """By member: those here, the victims if there is a crisis, and the candidates who come."""
    row = fates.whole.visit + np.repeat(luck.first[:-1], np.diff(fates.row_from))
    group = luck.group[row]
    come = comes(luck, demand, path, parameters, row, fates.whole.cls)
    takes = (group == HERE) | ((group == CRISIS) & bool(demand.crises)) | come
    return np.split(takes, fates.row_from[1:-1])
