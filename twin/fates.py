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
from twin.fate import Fate, cast
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
    """For each demand its share of a fate; what `cast` raises for one of them is raised.

    Victims are the first of the reserve, so demands with different crises have fates of their own.
    """
    out: list[Share | None] = [None] * len(demands)
    crises = [demand.crises for demand in demands]
    led = [c for i, c in enumerate(crises) if c and c not in crises[:i]] or [()]
    for victims in led:
        mine = [i for i, c in enumerate(crises) if c == victims or (not c and victims is led[0])]
        fate = cast(path, parameters, luck, present, Demand(_highest([demands[i] for i in mine]), victims))
        for i in mine:
            out[i] = Share(fate, _takes_part(fate, luck, demands[i]))
    return [share for share in out if share is not None]


def _takes_part(fate: Fate, luck: Luck, demand: Demand) -> Flags:
    """Those here, the victims if there is a crisis, and the candidates who come."""
    group = luck.group[fate.visit]
    candidates = (group >= 0) & comes(luck, demand)[fate.visit]
    return np.asarray((group == HERE) | ((group == CRISIS) & bool(demand.crises)) | candidates)


def _highest(demands: Sequence[Demand]) -> tuple[tuple[float, float], ...]:
    """The highest level of all at each minute."""
    minutes = sorted({minute for demand in demands for minute, _ in demand.level})
    return tuple((at, max(_at(demand.level, at) for demand in demands)) for at in minutes)


def _at(level: tuple[tuple[float, float], ...], minute: float) -> float:
    """The factor at a minute; before the first step that of the first."""
    return next((factor for at, factor in reversed(level) if at <= minute), level[0][1])
