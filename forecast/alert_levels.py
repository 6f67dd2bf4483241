"""From a chance to a level: up at once, down with hysteresis and not before a while; pure, and the same in a replay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from forecast.alert_rules import LEVELS, Level, Rule


@dataclass(frozen=True)
class Limits:
    """From which chance on a level is entered, below which share of it it is left, and after how long at the
    earliest."""

    p_watch: float
    p_alert: float
    falls_at: float
    dwell: timedelta

    @classmethod
    def of(cls, rule: Rule, p_alert: float | None = None) -> Limits:
        """As the rule says; with another chance of an alarm, that of a watch moves in proportion."""
        p = rule.p_alert if p_alert is None else p_alert
        dwell = timedelta(minutes=rule.dwell_min)
        return cls(rule.p_watch * p / rule.p_alert, p, rule.falls_at, dwell)

    def entered(self, level: Level) -> float:
        """The chance from which on a level is entered."""
        return {"normal": 0.0, "watch": self.p_watch, "alert": self.p_alert}[level]


@dataclass(frozen=True)
class Standing:
    """A rule's level, and since when; None before the first look."""

    level: Level = "normal"
    since: datetime | None = None


def moved(standing: Standing, p: float, limits: Limits, now: datetime) -> Standing:
    """The standing once a chance is known.

    1. Higher than the level held: up at once, as far as the chance reaches.
    2. Held for less than the dwell, or the chance still above the share at which the level is left: it stays.
    3. Down, to the highest level that would still be held.
    """
    reached = _highest(p, limits, 1.0)
    if LEVELS.index(reached) > LEVELS.index(standing.level):  # 1
        return Standing(reached, now)
    held = standing.since is not None and now - standing.since < limits.dwell
    kept = _highest(p, limits, limits.falls_at)
    if held or LEVELS.index(kept) >= LEVELS.index(standing.level):  # 2
        return standing
    return Standing(kept, now)  # 3


def _highest(p: float, limits: Limits, share: float) -> Level:
    """The highest level whose chance, times a share, is reached."""
    return next(level for level in reversed(LEVELS) if p >= share * limits.entered(level))
