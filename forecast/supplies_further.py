"""Support services among what scenarios are compared on: of which services something lacks, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from forecast.ensemble import Run
from forecast.issue import Times, issue
from forecast.outcome_runs import Further, Outcomes
from forecast.past import Past, grid_start
from forecast.situation import Situation
from forecast.supplies import Runner, SuppliesKnown, changes_of, supplies_known
from forecast.values import Array, Members
from twin.scenarios import Scenario
from twin.state import State
from twin.supplies import SupplyRun
from twin.supply_file import Supplies

LACKS, SHORT = "unmet:", "supplies_short:"
"""Begin the names of how many items of a service lack something, and of for how many hours, items together."""
_FEW = 20
"""Members that say what is usual, where the log is younger than a day."""
Furthers = Callable[[Situation], tuple[Further, ...]]
"""What is known beside care at a situation's instant."""


@dataclass(frozen=True, eq=False)
class SuppliesFurther:
    """Runs supplies along the members of a chunk; the luck of each depends on the seed and its number alone."""

    known: SuppliesKnown
    seed: int

    def of(self, scenario: Scenario, told: Members, members: range) -> tuple[Outcomes, Outcomes]:
        """Items of each service that lack something, `(lead, member)`; hours of it in the window, `(member,)`."""
        whole = Members(told.lead_min, {"": np.empty((told.lead_min.size, members.stop))})
        runner = Runner.of(self.known, whole, self.seed)
        mine = replace(runner, luck=runner.luck.some(members))
        _, run = mine.run(told, changes_of(scenario, self.known.as_of, self.known.zone))
        lacks = self._lacking(run)
        step_h = float(told.lead_min[1] - told.lead_min[0]) / 60.0
        hours = {name.replace(LACKS, SHORT): values[1:].sum(axis=0) * step_h for name, values in lacks.items()}
        return lacks, hours

    def _lacking(self, run: SupplyRun) -> dict[str, Array]:
        out: dict[str, Array] = {}
        for place, item in enumerate(self.known.supplies.items):
            unmet = np.asarray(run.unmet[place] > 0, dtype=np.float64)
            lacking = np.concatenate([np.zeros((1, unmet.shape[1])), unmet])
            name = f"{LACKS}{item.told.service}"
            out[name] = out[name] + lacking if name in out else lacking
        return out


def supplies_further(
    supplies: Supplies, state: State, situation: Situation, usual: Scenario, how: Run
) -> SuppliesFurther:
    """Support services as they are known at a situation's instant, for runs that nobody has made a forecast for."""
    at = situation.as_of
    history, _ = Past(grid_start(at)).at(state, situation.known, situation.calibration, at)
    forecast = issue(situation, [usual], replace(how, members=_FEW), Times(at, at, at))
    return SuppliesFurther(supplies_known(supplies, state, history, situation, forecast), how.seed)
