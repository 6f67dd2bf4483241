"""What a forecast says of every rule, and what its rivals would say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from forecast.alert_chances import Chance, chance, rival_chance, until_of
from forecast.alert_rules import Rule
from forecast.alert_thresholds import threshold_of, with_beds_free
from forecast.baselines import History
from forecast.values import Array, Members, Series

Rivals = Mapping[str, Mapping[str, Series]]
"""Baseline to measure to its distribution at the leads after 0."""


def chances_of(
    rules: Mapping[str, Rule], members: Members, history: History, as_of: datetime, zone: str, spaces: int | None,
    more: Mapping[str, Array] | None = None,
) -> dict[str, Chance]:  # fmt: skip
    """What members say of each rule; rules whose measure or threshold nothing tells are left out.

    `more` are measures of these members that are made elsewhere, such as NEDOCS.
    """
    measures = {**with_beds_free(members.measures), **(more or {})}
    out = {}
    for name, rule in rules.items():
        threshold = threshold_of(rule, history, spaces)
        if threshold is None or rule.measure not in measures:
            continue
        found = chance(
            rule, name, measures[rule.measure], members.lead_min, threshold=threshold, as_of=as_of,
            until=until_of(rule, as_of, zone),
        )  # fmt: skip
        if found is not None:
            out[name] = found
    return out


def rivals_of(found: Chance, lead_min: Array, rivals: Rivals) -> dict[str, float]:
    """What each rival gives to the same, of those that tell the measure."""
    until_min = (found.until - found.as_of) / timedelta(minutes=1)
    return {
        name: rival_chance(
            told[found.measure], lead_min, threshold=found.threshold, is_over=found.is_over, until_min=until_min
        )
        for name, told in rivals.items()
        if found.measure in told
    }
