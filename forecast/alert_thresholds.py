"""What a rule's bound is in this hospital: a number, its spaces, or a share of its own last weeks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecast.alert_rules import Rule
from forecast.baselines import History
from forecast.values import Array

LEAST_INSTANTS = 7 * 96
"""Quarter hours, a week of them, below which a share of the past says nothing."""

LEAST_UNDER = 1.0
"""Fewer than one is none: there is nothing to have fewer of, even where more lie in a ward than it has beds."""


def threshold_of(rule: Rule, history: History, spaces: int | None) -> float | None:
    """The number that must not be crossed; None where nothing tells it yet.

    Shares are those of the last twelve weeks. The threshold of a census is a whole number: "more than 60" is what
    people say, and a bound between two counts would be said otherwise than it is judged.
    """
    if isinstance(rule.bound, int | float):
        return float(rule.bound)
    if rule.bound == "spaces":
        return None if spaces is None else float(spaces)
    part, _ = history.window()
    past = with_beds_free(history.measures).get(rule.measure, np.empty(0))[part]
    known = past[~np.isnan(past)]
    share = rule.share()
    if share is None or known.size < LEAST_INSTANTS:
        return None
    bound = float(np.quantile(known, share))
    return float(np.floor(bound)) if rule.over is not None else max(float(np.ceil(bound)), LEAST_UNDER)


def with_beds_free(measures: Mapping[str, Array]) -> dict[str, Array]:
    """Measures of the past, or of members, and what is added up of them."""
    return {**measures, **beds_free(measures)}


def beds_free(measures: Mapping[str, Array]) -> dict[str, Array]:
    """All free beds of wards whose beds are known, of arrays of one shape."""
    found = [values for name, values in measures.items() if name.startswith("beds_free:")]
    return {"beds_free": np.sum(found, axis=0)} if found else {}
