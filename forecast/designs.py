"""Designs: which combinations of scenarios and of their numbers are run, whole grids or drawn at random.

A combination is the name of a scenario as `twin.scenarios.pick` takes it ("winter_peak[percent=30]+ten_beds_closed"),
with the level that each variable has in it. The first is always what all are compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any

import numpy as np

from forecast.errors import ForecastError
from forecast.values import Array
from twin.scenarios import Scenario, pick

MOST = 2000
"""Combinations of a design."""
USUAL = "as_usual"
_TRIES = 12
"""How often those that cannot be run are drawn again."""
STEPS = 3
"""Levels of each number in a whole grid, where not said."""


@dataclass(frozen=True)
class Axis:
    """A number of a scenario, and how far it goes."""

    scenario: str
    number: str
    low: float
    high: float
    step: float

    @property
    def name(self) -> str:
        """As it is told: "winter_peak.percent"."""
        return f"{self.scenario}.{self.number}"

    def at(self, share: float) -> float:
        """The level so far along the way from low to high, in whole steps."""
        level = self.low + round(share * (self.high - self.low) / self.step) * self.step
        return round(min(level, self.high), 9)

    def levels(self, count: int) -> list[float]:
        """So many levels evenly from low to high, fewer where it has not as many steps."""
        return list(dict.fromkeys(self.at(k / max(count - 1, 1)) for k in range(count)))


@dataclass(frozen=True)
class Combination:
    """What is run together, and at which levels; a variable that is not named does not apply."""

    name: str
    levels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Design:
    """The combinations of a run."""

    kind: str
    combinations: tuple[Combination, ...]

    @property
    def names(self) -> list[str]:
        """What each is called."""
        return [one.name for one in self.combinations]

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that some combination has a level of."""
        return tuple(dict.fromkeys(name for one in self.combinations for name in one.levels))

    def levels(self, variable: str) -> Array:
        """The level of a variable in each combination, NaN where it does not apply."""
        return np.array([one.levels.get(variable, np.nan) for one in self.combinations])

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        told = [{"name": one.name, "levels": dict(one.levels)} for one in self.combinations]
        return {"kind": self.kind, "combinations": told}


def from_json(told: Mapping[str, Any]) -> Design:
    """What `as_json` told."""
    return Design(told["kind"], tuple(Combination(one["name"], one["levels"]) for one in told["combinations"]))


def axes_of(scenarios: Sequence[Scenario]) -> list[Axis]:
    """The numbers of some scenarios, with their ranges."""
    return [
        Axis(scenario.name.partition("[")[0], name, told["low"], told["high"], told.get("step", 1.0))
        for scenario in scenarios
        for name, told in scenario.parameters.items()
    ]


def whole_grid(scenarios: Sequence[Scenario], *, steps: int = STEPS) -> Design:
    """All scenarios at once, at every combination of `steps` levels of each of their numbers."""
    axes = axes_of(scenarios)
    levels = [axis.levels(steps) for axis in axes]
    size = int(np.prod([len(one) for one in levels], dtype=np.float64)) + 1
    _check(size)
    return _design("grid", [_at(scenarios, axes, values) for values in product(*levels)])


def random_grid(scenarios: Sequence[Scenario], count: int, *, seed: int) -> Design:
    """All scenarios at once, at `count` levels of their numbers drawn together so that each is spread evenly.

    A Latin hypercube (McKay, Beckman and Conover 1979, Technometrics 21).
    """
    axes = axes_of(scenarios)
    _check(count + 1)
    if not axes:
        raise ForecastError(f"scenarios must have numbers to be varied, but {_names(scenarios)} have none")
    shares = _evenly(len(axes), np.random.default_rng(seed))(count)
    return _design(
        "random", [_at(scenarios, axes, [a.at(s) for a, s in zip(axes, row, strict=True)]) for row in shares]
    )


def pairs(scenarios: Sequence[Scenario]) -> Design:
    """Each scenario alone, then each two at once, at their usual numbers; presence is the level of each."""
    names = [scenario.name for scenario in scenarios]
    _check(1 + len(names) + len(names) * (len(names) - 1) // 2)
    alone = [Combination(name, _present(names, (name,))) for name in names]
    both = [Combination("+".join(two), _present(names, two)) for two in combinations(names, 2)]
    return _design("pairs", [*alone, *both], names)


def survey(
    scenarios: Sequence[Scenario], count: int, *, seed: int, at_once: int = 2,
    able: Callable[[Scenario], bool] = lambda _: True,
) -> Design:  # fmt: skip
    """Each scenario alone at its usual numbers, then combinations of `at_once` at random numbers, `count` in all.

    Those that cannot be run together (`able`) are drawn again; where hardly any can, there are fewer.
    """
    _check(count)
    names = [scenario.name for scenario in scenarios]
    alone = [Combination(name, _present(names, (name,))) for name in names][: count - 1]
    left, most = count - 1 - len(alone), max(1, len(axes_of(scenarios)))
    dice = np.random.default_rng(seed)
    draw, drawn = _evenly(at_once + most, dice), list[Combination]()
    by_name = {scenario.name: scenario for scenario in scenarios}
    for _ in range(_TRIES):
        if len(drawn) < left:
            found = [_drawn(scenarios, row, at_once, names) for row in draw(left - len(drawn))]
            drawn += [one for one in found if able(pick(by_name, [one.name])[0])]
    return _design("survey", [*alone, *drawn], names)


def _evenly(numbers: int, dice: np.random.Generator) -> Callable[[int], Array]:
    """Draws of a Latin hypercube, `(draw, number)`."""
    from scipy.stats import qmc  # half a second, of which a house that begins has better use

    draw: Callable[[int], Array] = qmc.LatinHypercube(numbers, rng=dice).random
    return draw


def _drawn(scenarios: Sequence[Scenario], row: Array, at_once: int, names: Sequence[str]) -> Combination:
    """Some scenarios, each other than those before, at levels by the rest of the row."""
    left, chosen = list(scenarios), list[Scenario]()
    for share in row[:at_once]:
        if left:
            chosen.append(left.pop(int(share * len(left))))
    axes = axes_of(chosen)
    found = _at(chosen, axes, [axis.at(share) for axis, share in zip(axes, row[at_once:], strict=False)])
    return Combination(found.name, {**_present(names, [one.name for one in chosen]), **found.levels})


def _at(scenarios: Sequence[Scenario], axes: Sequence[Axis], values: Sequence[float]) -> Combination:
    levels = {axis.name: value for axis, value in zip(axes, values, strict=True)}
    told = []
    for scenario in scenarios:
        plain = scenario.name.partition("[")[0]
        mine = [f"{a.number}={v:g}" for a, v in zip(axes, values, strict=True) if a.scenario == plain]
        told.append(f"{plain}[{','.join(mine)}]" if mine else plain)
    return Combination("+".join(told), levels)


def _present(names: Sequence[str], chosen: Sequence[str]) -> dict[str, float]:
    return {name: float(name in chosen) for name in names}


def _design(kind: str, told: Sequence[Combination], names: Sequence[str] = ()) -> Design:
    """With what all are compared with at the head."""
    return Design(kind, (Combination(USUAL, _present(names, ())), *told))


def _check(size: int) -> None:
    if not 2 <= size <= MOST:
        raise ForecastError(f"a design must have 2 to {MOST} combinations, but has {size}")


def _names(scenarios: Sequence[Scenario]) -> str:
    return ", ".join(scenario.name for scenario in scenarios)


def made(design: Design, catalogue: Mapping[str, Scenario]) -> list[Scenario]:
    """The scenario of each combination; raises ScenarioError where one is not in the catalogue any more."""
    return pick(catalogue, design.names)
