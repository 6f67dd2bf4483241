"""What an adopted change did: what happened, against what the twin says would have happened without it, and with it.

When a change is adopted the twin is run on, member by member on the same luck, with it and without it (a `Promise`).
When the window is over and its truth is known, the effect is what happened less what would have happened without the
change. The latter is not known, but forecast: its interval is that of the members without the change, in so far as
they agree with the arrivals that came, which the change did not make (where it did, arrivals are left out of it). So
an effect always comes with an interval, and one hospital in one window seldom tells much: cards add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecast.values import Array

INTERVAL = (0.1, 0.9)
"""Levels of the interval of an effect: 8 in 10."""
LEAST_MEMBERS = 30
"""With fewer members there is no regression on arrivals."""


@dataclass(frozen=True, eq=False)
class Promise:
    """What was foreseen of a measure's mean over the window when a change was adopted, `(member,)` each."""

    without: Array
    with_it: Array


@dataclass(frozen=True)
class Habit:
    """How far what came lay from what was foreseen where nobody did anything, in standard deviations of the members.

    Learned from windows in which nothing was adopted (placebos): whoever finds effects where nothing was done must
    doubt the others.
    """

    shift: float = 0.0
    scale: float = 1.0
    windows: int = 0

    def of(self, without: Array) -> Array:
        """Members moved and spread as the placebos say."""
        middle = float(np.median(without))
        return np.asarray(middle + self.shift * float(without.std()) + (without - middle) * self.scale)


AS_TOLD = Habit()
PRIOR = 10.0
"""Windows at which what placebos say and what members say of themselves weigh alike."""


def habit(distances: Sequence[float]) -> Habit:
    """What placebos teach, from (observed - median) / standard deviation of each."""
    found = np.array(distances)
    if not found.size:
        return Habit()
    shift = float(found.sum() / (found.size + PRIOR))
    scale = float(np.sqrt((((found - shift) ** 2).sum() + PRIOR) / (found.size + PRIOR)))
    return Habit(shift, scale, found.size)


@dataclass(frozen=True)
class Effect:
    """What a change did to a measure, in its unit: what happened less what would have happened without the change."""

    measure: str
    observed: float
    without: tuple[float, float, float]
    """What would have happened without it: 1 in 10 below, the middle, 1 in 10 above."""
    foreseen: tuple[float, float, float]
    """The effect that was foreseen when it was adopted: paired, so narrower."""

    @property
    def effect(self) -> tuple[float, float, float]:
        """8 in 10 between the first and the last; the middle is the best guess."""
        low, middle, high = self.without
        return self.observed - high, self.observed - middle, self.observed - low

    @property
    def tells(self) -> bool:
        """Does the interval leave 0 out?"""
        low, _, high = self.effect
        return low > 0 or high < 0

    @property
    def as_foreseen(self) -> bool:
        """Do what was foreseen and what happened go together?"""
        low, _, high = self.effect
        return self.foreseen[0] <= high and low <= self.foreseen[2]


def distance(promise: Promise, observed: float, *, came: Array | None, came_then: float) -> float:
    """How far what came lies from what was foreseen without a change, in standard deviations; NaN where these are 0."""
    without = _without(promise, came, came_then)
    spread = float(without.std())
    return (observed - float(np.median(without))) / spread if spread > 0 else float("nan")


def realised(
    measure: str, promise: Promise, observed: float, *, came: Array | None, came_then: float, by_habit: Habit = AS_TOLD
) -> Effect:
    """The effect on a measure.

    `came` gives each member's arrivals in the window, `(member,)`, and `came_then` how many came; None where the change
    moves arrivals itself.
    """
    return Effect(
        measure=measure,
        observed=observed,
        without=_three(by_habit.of(_without(promise, came, came_then))),
        foreseen=_three(promise.with_it - promise.without),
    )


def _without(promise: Promise, came: Array | None, came_then: float) -> Array:
    """What members say of no change, given the arrivals that came."""
    without = promise.without
    if came is not None and without.size >= LEAST_MEMBERS and came.std() > 0:
        return _at_arrivals(without, came, came_then)
    return without


def _at_arrivals(values: Array, came: Array, came_then: float) -> Array:
    """What members say, moved along their regression on arrivals to as many as came: their spread is what arrivals
    leave open, widened for how well the slope is known."""
    slope, level = np.polyfit(came, values, 1)
    rest = values - (level + slope * came)
    spread = float((came**2).mean() - came.mean() ** 2)
    leverage = 1.0 + 1.0 / came.size + (came_then - came.mean()) ** 2 / (came.size * spread)
    freedom = came.size / (came.size - 2)
    return np.asarray(level + slope * came_then + rest * np.sqrt(leverage * freedom))


def _three(values: Array) -> tuple[float, float, float]:
    low, middle, high = (float(v) for v in np.quantile(values, (INTERVAL[0], 0.5, INTERVAL[1])))
    return low, middle, high


def together(effects: Sequence[Effect]) -> tuple[float, float, float]:
    """The mean effect of several times that the same was done, as if these were apart from each other: 8 in 10."""
    middles = np.array([effect.effect[1] for effect in effects])
    halves = np.array([(effect.effect[2] - effect.effect[0]) / 2 for effect in effects])
    half = float(np.sqrt((halves**2).sum()) / len(effects))
    middle = float(middles.mean())
    return middle - half, middle, middle + half


def as_plain(effect: Effect) -> Mapping[str, object]:
    """As it is kept."""
    return {
        "measure": effect.measure, "observed": effect.observed, "without": list(effect.without),
        "foreseen": list(effect.foreseen),
    }  # fmt: skip


def effect_of(told: Mapping[str, object]) -> Effect:
    """As it was kept."""
    without, foreseen = (tuple(float(v) for v in told[name]) for name in ("without", "foreseen"))  # type: ignore[attr-defined]
    return Effect(str(told["measure"]), float(told["observed"]), without, foreseen)  # type: ignore[arg-type]
