"""How far the number of those who are here may be from what is expected of each of them alone.

Whether a visit without an exit is still here is judged by visits like it; on a crowded evening many of them stay longer
than that together. What this comes to is read off the past: at instants of the learned period, how many of those
without an exit then turned out to be here, beside how many had been expected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from twin.alike import group_of
from twin.history import SETTLED_MIN, History
from twin.reporting import Reporting, p_here_today, usual_of
from twin.settled import BLOCK_HOURS
from twin.story import Array, Index, Visits

Flags = npt.NDArray[np.bool_]

EVERY_MIN = 13 * 60.0
"""Between the instants looked at: all hours of the day come in turn."""
YOUNG_MIN = 24 * 60.0
"""Of older visits without an exit hardly any is here."""
_NEARLY = 1e-9
_MOST = 0.9


def presence_correlation(history: History, visits: Visits, exits: Mapping[str, Reporting], from_min: float) -> float:
    """The correlation between two of those without an exit of the normal scores that decide who is here, 0 to 1.

    By the method of moments: to the variance of the number of those who are here it adds itself times the densities
    at the thresholds of each pair, to first order.
    """
    instants = np.arange(-SETTLED_MIN, from_min, -EVERY_MIN)
    found = [_moments(p, here) for p, here in _open(history, visits, exits, instants)]
    beyond, pairs = np.array(found).sum(axis=0) if found else (0.0, 0.0)
    return float(np.clip(beyond / pairs, 0.0, _MOST)) if pairs > 0 else 0.0


def who_is_here(threshold: Array, uniform: Array, score: float | Array, correlation: float) -> Flags:
    """Each with their own probability, `(.., visit)`, and together more or fewer: one uniform each, one score for all.

    `threshold` is the normal score below which each is here: `ndtri` of the probability.
    """
    own = np.sqrt(1.0 - correlation) * special.ndtri(uniform)
    return np.asarray(np.sqrt(correlation) * score + own < threshold)


def _moments(p: Array, here: Flags) -> tuple[float, float]:
    """How much farther off the number was than the variance of each alone; the sum over pairs of their densities."""
    density = np.exp(-(special.ndtri(np.clip(p, _NEARLY, 1.0 - _NEARLY)) ** 2) / 2.0) / np.sqrt(2.0 * np.pi)
    off = float(here.sum() - p.sum())
    return off**2 - float((p * (1.0 - p)).sum()), float(density.sum() ** 2 - (density**2).sum())


def _open(
    history: History, visits: Visits, exits: Mapping[str, Reporting], instants: Array
) -> Iterator[tuple[Array, Flags]]:
    """At each instant those without an exit then: the probability to be here, and whether they were."""
    group = group_of(visits.acuity + 1, history.block_hour // BLOCK_HOURS)
    looks = [_Look.at(float(at), history, visits, group) for at in instants]
    if not looks:
        return
    kind, elapsed, of = (np.concatenate([getattr(look, x) for look in looks]) for x in ("kind", "elapsed", "group"))
    usual = np.array(usual_of(exits, kind, elapsed, of))
    bounds = np.cumsum([look.kind.size for look in looks])[:-1]
    for look, (gone, told_share) in zip(looks, np.split(usual, bounds, axis=1), strict=True):
        p = p_here_today(look.kind, look.elapsed, look.group, look.told, (gone, told_share))
        yield p[~look.told], look.here[~look.told]


@dataclass(frozen=True, eq=False)
class _Look:
    """Who had come within a day at an instant, as known then: one row each."""

    kind: Index
    elapsed: Array
    group: Index
    told: Flags
    here: Flags

    @classmethod
    def at(cls, at: float, history: History, visits: Visits, group: Index) -> _Look:
        """The instant in the minutes of the history."""
        rows = np.flatnonzero((visits.arrived_min <= at) & (visits.arrived_min > at - YOUNG_MIN))
        told = history.visits
        starts = [x[rows] for x in (told.arrived_min, told.seen_min, told.decided_min, history.discharged_min)]
        kind = _reached(starts, at)
        return cls(
            kind=kind,
            elapsed=at - np.choose(kind, starts),
            group=group[rows],
            told=history.exit_known_min[rows] <= at,
            here=visits.departed_min[rows] > at,
        )


def _reached(starts: list[Array], at: float) -> Index:
    """Which of the milestones each is known by, `(visit,)`: a decision, else the first contact, else the arrival."""
    seen, decided, discharged = (start <= at for start in starts[1:])
    return np.select([decided, discharged, seen], [2, 3, 1], 0)
