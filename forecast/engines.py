"""Which engine ran the members, and whether the law says the same: a few members of each forecast are run twice.

The compiled engine (`twin/kernel.py`) runs the members once it is there; SimPy (`twin/model.py`) is the law, and serves
until then. Both give the same marks to the last bit; that they do is looked at in every cycle.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import numpy as np

from forecast.ensemble import Run, law_and_engine
from forecast.situation import Situation
from twin import kernel
from twin.scenarios import Scenario
from twin.story import Story

logger = logging.getLogger(__name__)

CHECKED = 3
"""Members of a forecast that are run in both engines, each under one of the scenarios."""


@dataclass(frozen=True)
class Agreement:
    """Was the compiled engine there; how many members were run in both, and in how many did every mark agree?"""

    compiled: bool
    checked: int
    equal: int


def agreement(
    situation: Situation, scenarios: Sequence[Scenario], how: Run, executor: Executor | None = None
) -> Future[Agreement]:
    """To come: some members run in both engines, chosen by the seed; none where the law has run them all."""
    if executor is not None:
        return executor.submit(compare_engines, situation, scenarios, how)
    here: Future[Agreement] = Future()
    here.set_result(compare_engines(situation, scenarios, how))
    return here


def compare_engines(situation: Situation, scenarios: Sequence[Scenario], how: Run) -> Agreement:
    """Some members of a forecast in both engines."""
    if how.engine == "simpy" or not kernel.ready():
        return Agreement(compiled=False, checked=0, equal=0)
    equal = 0
    checked = min(CHECKED, how.members)
    for i in range(checked):
        first, member = (how.seed + i) % len(scenarios), (how.seed + i * how.members // checked) % how.members
        law, told = law_and_engine(situation, [*scenarios[first:], *scenarios[:first]], how, member)
        equal += alike(law, told)
    if equal < checked:
        logger.error("in %d of %d members the compiled engine differs from the law", checked - equal, checked)
    return Agreement(compiled=True, checked=checked, equal=equal)


def alike(one: Story, other: Story) -> bool:
    """Every mark equal to the last bit, in the same order."""
    columns = zip(vars(one).values(), vars(other).values(), strict=True)
    return all(np.array_equal(mine, others) for mine, others in columns)
