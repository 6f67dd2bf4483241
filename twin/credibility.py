"""How far the mean of a few may be believed: credibility, as insurers reckon it (Bühlmann and Straub 1970).

A group's own mean is drawn towards what is expected of it, the more the fewer it is of, the more its samples scatter,
and the less groups have been found to differ.
"""

from __future__ import annotations

import numpy as np

from twin.story import Array, Index

FEWEST, MOST = 3.0, 100.0
"""Bounds of `alike_at`: a few samples prove no difference, and hundreds are believed whatever the others show."""


def alike_at(values: Array, expected: Array, group: Index) -> float:
    """At how many samples a group's own mean and what is expected of it weigh alike, FEWEST to MOST.

    The variance of samples about the mean of their group, over how much more the means of groups differ than that
    alone makes them; both of the ratios to what is expected, `(n,)`, each weighing as much as is expected.
    """
    some = expected > 0
    if not some.any():
        return MOST
    weight = expected[some] / expected[some].mean()
    ratio, _, of = values[some] / expected[some], *np.unique(group[some], return_inverse=True)
    n = np.bincount(of, weights=weight)
    mean = np.bincount(of, weights=weight * ratio) / n
    within = float((weight * (ratio - mean[of]) ** 2).sum()) / max(ratio.size - n.size, 1)
    apart = float((n * (mean - np.average(mean, weights=n)) ** 2).sum()) - (n.size - 1) * within
    between = apart / max(float(n.sum() - (n**2).sum() / n.sum()), 1e-9)
    return float(np.clip(within / between, FEWEST, MOST)) if between > 0 else MOST


def drawn_mean(values: Array, expected: float, prior: float) -> float:
    """The mean of a group, drawn towards the one expected, which weighs like `prior` samples."""
    return float((values.sum() + prior * expected) / (values.size + prior))
