"""The scenario that helps most, of those that people here can decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forecast.board import EFFECT_MEASURES, Effect, Help, ScenarioView


def helps_most(views: Iterable[ScenarioView]) -> Help | None:
    """The scenario that helps most; None where none surely does.

    1. What befalls the hospital helps nobody: only what can be decided is looked at.
    2. An effect counts at its last lead, and where it is sure: its 80 % interval lies below zero.
    3. Of those that surely lower patients present, the one with the largest mean reduction; where none does, so of
       those waiting to be seen; then of those waiting for a bed.

    Of equal ones the first.
    """
    decidable = [view for view in views if view.can_be_decided]
    for measure in EFFECT_MEASURES:
        sure = [
            Help(view.name, last)
            for view in decidable
            if (last := _last(view.effects, measure)) is not None and last.is_fewer
        ]
        if sure:
            return min(sure, key=lambda one: one.effect.mean)
    return None


def _last(effects: Sequence[Effect], measure: str) -> Effect | None:
    """The effect on a measure at its last lead."""
    return max((one for one in effects if one.measure == measure), key=lambda one: one.lead_min, default=None)
