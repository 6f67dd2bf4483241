"""One fate for several demands: worked out once for all who come under any of them, and for each demand, who comes.

What a patient's luck means does not depend on who else comes, so scenarios that differ in the level of arrivals share
the rows of those who come under both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twin.demand import Demand, comes
from twin.fate import Fate, cast_members
from twin.luck import CRISIS, HERE, Luck
from twin.parameters import Parameters
from twin.pathway import Path
from twin.present import Present

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Share:
    """What a demand has of a fate: those of its rows that take part, `(row,)`."""

    fate: Fate
    rows: Flags

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
            freed_min=fate.freed_min[rows],
            patience_min=fate.patience_min[rows],
            acuity=everyone,
        )


def cast_for(
    path: Path, parameters: Parameters, luck: Luck, present: Present, demands: Sequence[Demand]
) -> list[Share]:
    """For each demand its share of a member's fate; what `cast` raises for one of them is raised.

    Victims are the first of the reserve, so demands with different crises have fates of their own.
    """
    return cast_members_for(path, parameters, luck, [present], demands)[0]


def cast_members_for(
    path: Path, parameters: Parameters, luck: Luck, presents: Sequence[Present], demands: Sequence[Demand]
) -> list[list[Share]]:
    """For each of several members, for each demand, its share of a fate, as `cast_for` gives it."""
    out: list[dict[int, Share]] = [{} for _ in presents]
    crises = [demand.crises for demand in demands]
    led = [c for i, c in enumerate(crises) if c and c not in crises[:i]] or [()]
    for victims in led:
        mine = [i for i, c in enumerate(crises) if c == victims or (not c and victims is led[0])]
        highest = Demand(_highest([demands[i] for i in mine]), victims)
        fates = cast_members(path, parameters, luck, presents, highest)
        for level, struck in dict.fromkeys((demands[i].level, bool(demands[i].crises)) for i in mine):
            alike = [i for i in mine if (demands[i].level, bool(demands[i].crises)) == (level, struck)]
            rows = _take_part(fates, luck, demands[alike[0]])
            for shares, fate, takes in zip(out, fates, rows, strict=True):
                shares |= {i: Share(fate, takes) for i in alike}
    return [[shares[i] for i in range(len(demands))] for shares in out]


def _take_part(fates: Sequence[Fate], luck: Luck, demand: Demand) -> list[Flags]:
    """By member: those here, the victims if there is a crisis, and the candidates who come."""
    row = np.concatenate([fate.visit + first for fate, first in zip(fates, luck.first, strict=False)])
    group = luck.group[row]
    takes = (group == HERE) | ((group == CRISIS) & bool(demand.crises)) | comes(luck, demand, row)
    return np.split(takes, np.cumsum([fate.visit.size for fate in fates])[:-1])


def _highest(demands: Sequence[Demand]) -> tuple[tuple[float, float], ...]:
    """The highest level of all at each minute."""
    minutes = sorted({minute for demand in demands for minute, _ in demand.level})
    return tuple((at, max(_at(demand.level, at) for demand in demands)) for at in minutes)


def _at(level: tuple[tuple[float, float], ...], minute: float) -> float:
    """The factor at a minute; before the first step that of the first."""
    return next((factor for at, factor in reversed(level) if at <= minute), level[0][1])
