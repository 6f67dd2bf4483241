"""Scenarios side by side: what each changes on the same luck, how surely, and which of them nobody should choose.

Each criterion stands by itself; nothing adds them up. A scenario is *dominated* where another one is at least as good
on every criterion that was chosen and better on one, by more than a step of the criterion; from what is left people
choose.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from forecast.ensemble import Progress, Run
from forecast.lever import no_lever
from forecast.outcome_runs import Outcomes, Wanted, outcome_chunk
from forecast.points_of_view import Criterion
from forecast.situation import Situation
from forecast.values import Array, or_none
from twin.scenarios import Scenario

Flags = npt.NDArray[np.bool_]

STAGES = (50, 200, 500, 1000)
"""Members after which a comparison is told: a first answer, then finer ones."""
CHUNK = 25
"""Members a task runs."""
LEVELS = (0.1, 0.5, 0.9)
_Z95 = 1.959963984540054


@dataclass(frozen=True)
class Effect:
    """What a scenario changes of one criterion, member by member on the same luck."""

    value: float
    """The criterion's mean under the scenario itself."""
    mean: float
    """Of the differences."""
    ci95: tuple[float, float]
    """Of the mean, by members; closed at 0 where no member differs."""
    quantiles: tuple[float, float, float]
    """Of the differences: what 1, 5 and 9 members in 10 do not exceed."""
    p_better: float
    p_same: float
    """Shares of the members in which the scenario is better, and no different."""
    n: int
    """Members in which the criterion exists under both."""

    @property
    def sure(self) -> bool:
        """Is the interval of the mean clear of 0?"""
        return self.ci95[0] > 0 or self.ci95[1] < 0


def effect(usual: Array, changed: Array, criterion: Criterion) -> Effect:
    """The paired effect on a criterion, from members `(member,)` each; NaN ones are left out.

    The interval is mean ± 1.96 sd / √n. Every value is NaN where no member has both.
    """
    both = ~(np.isnan(usual) | np.isnan(changed))
    change = changed[both] - usual[both]
    if not change.size:
        nan = float("nan")
        return Effect(nan, nan, (nan, nan), (nan, nan, nan), nan, nan, 0)
    mean, spread = float(change.mean()), float(change.std(ddof=1)) if change.size > 1 else 0.0
    half = _Z95 * spread / sqrt(change.size)
    low, middle, high = (float(cut) for cut in np.quantile(change, LEVELS))
    return Effect(
        value=float(changed[both].mean()), mean=mean, ci95=(mean - half, mean + half), quantiles=(low, middle, high),
        p_better=float((criterion.sign * change < 0).mean()), p_same=float((change == 0).mean()), n=int(change.size),
    )  # fmt: skip


# --- which nobody should choose -------------------------------------------------------------------------------------


def dominates(costs: Array) -> Flags:
    """`[i, j]`: is i at least as good as j on all, and better on one? `costs` is `(choice, criterion)`, less is better.

    Equal choices do not dominate one another. What is NaN is neither better nor worse than anything: it is left out
    for all choices.
    """
    told = costs[:, ~np.isnan(costs).any(axis=0)]
    one, other = told[:, None, :], told[None, :, :]
    return np.asarray((one <= other).all(axis=-1) & (one < other).any(axis=-1))


def non_dominated(costs: Array) -> Flags:
    """Those that no other one dominates, `(choice,)`."""
    return np.asarray(~dominates(costs).any(axis=0))


@dataclass(frozen=True)
class Comparison:
    """Scenarios beside the first, after so many members."""

    members: int
    criteria: tuple[Criterion, ...]
    usual: str
    """The scenario that all are compared with."""
    usual_values: Mapping[str, float]
    """Its means, by criterion."""
    effects: Mapping[str, Mapping[str, Effect]]
    """By scenario (not the first) and criterion."""
    dominated_by: Mapping[str, tuple[str, ...]]
    """By scenario, the first among them, those that dominate it; empty for the set to choose from."""

    @property
    def to_choose_from(self) -> tuple[str, ...]:
        """The scenarios that no other one dominates."""
        return tuple(name for name, by in self.dominated_by.items() if not by)


def comparison(found: Mapping[str, Outcomes], criteria: Sequence[Criterion]) -> Comparison:
    """From the outcomes of some scenarios, by name, the first of which the others are compared with."""
    usual, *others = found
    first = found[usual]
    effects = {name: {c.name: effect(first[c.name], found[name][c.name], c) for c in criteria} for name in others}
    usual_values = {c.name: _mean(first[c.name]) for c in criteria}
    costs = _costs(found, criteria)
    worse = dominates(costs)
    names = list(found)
    return Comparison(
        members=next(iter(first.values())).size, criteria=tuple(criteria), usual=usual, usual_values=usual_values,
        effects=effects,
        dominated_by={name: tuple(names[i] for i in np.flatnonzero(worse[:, j])) for j, name in enumerate(names)},
    )  # fmt: skip


def _costs(found: Mapping[str, Outcomes], criteria: Sequence[Criterion]) -> Array:
    """Means by scenario and criterion in the criterion's steps, less is better.

    Of the members in which all scenarios have the criterion. Rounded, so that what nobody would notice is no
    difference, and what holds between one and another holds on to a third.
    """
    columns = []
    for one in criteria:
        values = np.array([outcomes[one.name] for outcomes in found.values()])
        known = values[:, ~np.isnan(values).any(axis=0)]
        columns.append(
            one.sign * np.round(known.mean(axis=1) / one.step) if known.size else np.full(len(values), np.nan)
        )
    return np.array(columns).T.reshape(len(found), len(criteria))


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


# --- refined as members come ----------------------------------------------------------------------------------------


def outcomes_by_stage(
    situation: Situation, scenarios: Sequence[Scenario], how: Run, wanted: Wanted, *,
    executor: Executor | None = None, stages: Sequence[int] = STAGES, progress: Progress | None = None,
) -> Generator[dict[str, Outcomes]]:  # fmt: skip
    """What the scenarios come to, by name, after ever more members: at each stage up to `how.members`, which is the
    last. What a member gives does not depend on the stages."""
    chunks = [range(first, min(first + CHUNK, how.members)) for first in range(0, how.members, CHUNK)]
    told = {stage for stage in stages if stage < how.members} | {how.members}
    parts: list[list[Outcomes]] = []
    for chunk, part in zip(chunks, _parts(situation, scenarios, how, wanted, chunks, executor), strict=True):
        parts.append(part)
        if progress is not None:
            progress(chunk.stop, how.members)
        if any(chunk.start < stage <= chunk.stop for stage in told):
            yield {scenario.name: joined([part[i] for part in parts]) for i, scenario in enumerate(scenarios)}


def joined(parts: Sequence[Outcomes]) -> Outcomes:
    """One scenario's outcomes of several chunks, one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _parts(
    situation: Situation, scenarios: Sequence[Scenario], how: Run, wanted: Wanted, chunks: Sequence[range],
    executor: Executor | None,
) -> Iterator[list[Outcomes]]:  # fmt: skip
    if executor is None:
        yield from (outcome_chunk(situation, scenarios, how, chunk, wanted) for chunk in chunks)
        return
    pending: list[Future[list[Outcomes]]] = [
        executor.submit(outcome_chunk, situation, scenarios, how, chunk, wanted) for chunk in chunks
    ]
    try:
        yield from (future.result() for future in pending)
    finally:  # whoever stops listening stops the work
        for future in pending:
            future.cancel()


# --- as JSON --------------------------------------------------------------------------------------------------------


def as_json(told: Comparison) -> dict[str, Any]:
    """Plain values; NaN is null."""
    return {
        "members": told.members,
        "compared_with": told.usual,
        "criteria": [
            {"name": c.name, "fr": c.fr, "en": c.en, "unit": c.unit_in("en"), "better": c.better,
             "as_usual": or_none(told.usual_values[c.name], 4)}
            for c in told.criteria
        ],
        "effects": {name: {c: effect_json(one) for c, one in by.items()} for name, by in told.effects.items()},
        "dominated_by": {name: list(by) for name, by in told.dominated_by.items()},
        "to_choose_from": list(told.to_choose_from),
    }  # fmt: skip


def effect_json(one: Effect) -> dict[str, Any]:
    """Plain values; NaN is null."""
    low, middle, high = (or_none(cut, 4) for cut in one.quantiles)
    return {
        "value": or_none(one.value, 4), "mean": or_none(one.mean, 4), "ci95": [or_none(end, 4) for end in one.ci95],
        "quantiles": {"0.1": low, "0.5": middle, "0.9": high},
        "p_better": or_none(one.p_better, 4), "p_same": or_none(one.p_same, 4), "n": one.n,
    }  # fmt: skip


def scenarios_json(situation: Situation, scenarios: Sequence[Scenario]) -> list[dict[str, Any]]:
    """Scenarios beside their comparison: what they say, their numbers, and why one changes nothing here."""
    return [
        {"name": one.name, "fr": one.sentence("fr"), "en": one.sentence("en"), "parameters": one.parameters,
         "inapplicable": no_lever(situation, one)}
        for one in scenarios
    ]  # fmt: skip
