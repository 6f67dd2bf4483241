"""From what was said of a rule and what came to the chance that it is set to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from forecast.alert_budget import OWN, Trial, events, minutes_of, once_a_part, setting
from forecast.alert_levels import Limits
from forecast.alert_rules import AlertRules, Rule
from forecast.alert_settings import Said
from forecast.alert_thresholds import with_beds_free
from forecast.pages import AlertSetting
from forecast.values import Array


def trials_of(
    rules: Mapping[str, Rule],
    said: Mapping[str, Sequence[Said]],
    at: list[datetime],
    measures: Mapping[str, Array],
    zone: str,
) -> dict[str, Trial]:
    """The trial of each rule from what was said of it and what came, measures on a grid of instants."""
    came = with_beds_free(measures)
    return {
        name: _trial(rule, said[name], at, came[rule.measure], zone)
        for name, rule in rules.items()
        if len(said[name]) > 1 and rule.measure in came
    }


def settings_of_trials(found: Mapping[str, Trial], rules: AlertRules, at: datetime) -> dict[str, AlertSetting]:
    """What each rule with a budget is set to from its trial; those left out of which it tells too little."""
    made = {}
    for name, trial in found.items():
        rule = rules.rule[name]
        one = setting(trial, Limits.of(rule), rule.false_a_week, at) if rule.false_a_week is not None else None
        if one is not None:
            made[name] = one
    return made


def _trial(rule: Rule, said: Sequence[Said], at: list[datetime], values: Array, zone: str) -> Trial:
    """The threshold of an instant is that of the last forecast before it."""
    said_min = minutes_of([one.as_of for one in said])
    known_by = np.searchsorted(said_min, minutes_of(at), side="right") - 1
    threshold = np.array([one.threshold for one in said])[np.maximum(known_by, 0)]
    onset, end = events(values, threshold, at, is_over=rule.over is not None, lasts_min=rule.lasts_min)
    names = dict.fromkeys(name for one in said for name in one.rivals)
    rivals = {name: np.array([one.rivals.get(name, np.nan) for one in said]) for name in names}
    chances = {OWN: np.array([one.p for one in said]), **rivals}
    window_min = rule.within_h * 60.0
    counted = once_a_part(onset, zone) & (onset > said_min[0]) & (onset <= said_min[-1])
    return Trial(said_min, chances, onset, end, counted, window_min)
