"""Support services in a forecast: need, stock, and when it runs out, for as usual and every scenario on the same luck.

    known = supplies_known(supplies, state, history, situation, forecast)
    outlook = supplies_outlook(known, forecast, scenarios, seed)
    view_of(outlook, made_at, hospital, mode)                    # `supplies_told.py`: the page
    _, run = Runner.of(known, members, seed).run(members, changes)
    supply_measures(run, known.supplies.items)                   # (lead, member) by name

The members are those of the forecast, as published; the luck of what is used is drawn beside theirs from the same seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from forecast.baselines import History
from forecast.situation import Situation
from forecast.usual import STEP_MIN
from forecast.values import Array, Forecast, Members
from twin.scenarios import Scenario
from twin.state import State
from twin.supplies import (
    DEVICE,
    MEALS,
    STOCK,
    Asked,
    Plan,
    Start,
    SupplyChange,
    SupplyRun,
    changed,
    meals_foreseen,
    plan_of,
    run_supplies,
)
from twin.supply_file import Item, Supplies
from twin.supply_luck import SupplyLuck, draw
from twin.supply_needs import Exposures, Grid, expected
from twin.supply_start import Clock, StockTold, Use, full_of, in_laundry, learned, start_of, stock_told, told_of

LOOKED_BACK = timedelta(days=35)
"""How far back what was used is compared with who was there."""
NEXT_H = 4
"""Hours of the need that is told first."""


@dataclass(frozen=True, eq=False)
class SuppliesKnown:
    """What is known of supplies at an instant, before any member is looked at."""

    supplies: Supplies
    clock: Clock
    use: Use
    past: Exposures
    mix: Mapping[str, float]
    told: tuple[StockTold, ...]
    full: tuple[int, ...]
    usual_per_h: Array
    as_of: datetime
    zone: str


@dataclass(frozen=True, eq=False)
class SuppliesOutlook:
    """What a forecast says of supplies: the runs of each scenario, the first of which the others are compared with."""

    known: SuppliesKnown
    scenarios: tuple[Scenario, ...]
    plan: Plan
    plans: Mapping[str, Plan]
    """By scenario, as `runs`."""
    runs: Mapping[str, SupplyRun]

    @property
    def first(self) -> SupplyRun:
        """The run of the first scenario."""
        return self.runs[self.scenarios[0].name]


def supplies_known(
    supplies: Supplies, state: State, history: History, situation: Situation, forecast: Forecast
) -> SuppliesKnown:
    """What is known at the forecast's instant; nothing told or measured after it is read.

    1. What the patients of the last weeks were to be expected to use, as the file says.
    2. How much is used indeed, by counts and deliveries.
    3. What is in stock.
    """
    hospital, as_of = situation.calibration.hospital, forecast.as_of
    supplies = supplies.within(hospital)
    items, mix = supplies.items, mix_of(situation)
    past = _past(history, as_of)
    clock = Clock.of(past.grid, expected(items, past, mix)[:, :, 0])  # 1
    usual = clock.usual(items)
    if np.isnan(usual).any():
        usual = np.where(np.isnan(usual), _usual_ahead(items, forecast, mix), usual)
    said = told_of(state.supplies, items, as_of)
    use = learned(said, items, clock)  # 2
    usual = usual * use.factor
    full = tuple(
        full_of(item, told, clock, k, float(usual[k]), float(use.factor[k]))
        for k, (item, told) in enumerate(zip(items, said, strict=True))
    )
    stocks = tuple(
        stock_told(told, item, much, as_of, hospital.zone) for item, told, much in zip(items, said, full, strict=True)
    )  # 3
    return SuppliesKnown(supplies, clock, use, past, mix, stocks, full, usual, as_of, hospital.zone)


def supplies_outlook(
    known: SuppliesKnown, forecast: Forecast, scenarios: Sequence[Scenario], seed: int
) -> SuppliesOutlook:
    """The runs of the forecast's scenarios; `forecast` must hold its members."""
    runner = Runner.of(known, forecast.members[scenarios[0].name], seed)
    ran = {s.name: runner.run(forecast.members[s.name], changes_of(s, known.as_of, known.zone)) for s in scenarios}
    plans, runs = ({name: both[which] for name, both in ran.items()} for which in (0, 1))
    return SuppliesOutlook(known, tuple(scenarios), runner.plan, plans, runs)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Runner:
    """Runs supplies along members, whatever scenario these are of, on the one luck of their seed."""

    known: SuppliesKnown
    plan: Plan
    start: Start
    luck: SupplyLuck

    @classmethod
    def of(cls, known: SuppliesKnown, members: Members, seed: int) -> Runner:
        """For members with these leads, the first of which is the instant of what is known, and as many."""
        lead = members.lead_min
        grid, items = Grid(known.as_of, lead.size - 1, known.zone, float(lead[1] - lead[0])), known.supplies.items
        plan = _filled(plan_of(items, grid, known.usual_per_h), items, known)
        start = start_of(items, known.told, known.use, known.clock, known.as_of)
        return cls(known, plan, start, luck_of(known, grid, members.count, seed))

    def run(self, members: Members, changes: Sequence[SupplyChange] = ()) -> tuple[Plan, SupplyRun]:
        """The plan under the changes, and what becomes of every item in every member."""
        items = self.known.supplies.items
        plan = changed(self.plan, items, changes) if changes else self.plan
        asked = _asked(self.known, items, plan, self.plan.grid, members)
        return plan, run_supplies(items, plan, self.start, asked, self.luck)


def supply_measures(run: SupplyRun, items: Sequence[Item]) -> dict[str, Array]:
    """As members have measures, `(lead, member)` by name, for whoever compares scenarios or looks for what breaks.

    `need:<item>` and `unmet:<item>` are of the hour before (of devices and work, the most in it), `stock:<item>` is
    what is there (of devices, free; of work, waiting).
    """
    hour = max(1, round(60.0 / run.grid.step_min))
    out: dict[str, Array] = {}
    for place, item in enumerate(items):
        out[f"stock:{item.name}"] = run.stock[place].astype(np.float64)
        total = item.kind in (STOCK, MEALS)
        out[f"need:{item.name}"] = _in_the_hour_before(run.need[place], hour, most=item.kind == DEVICE)
        out[f"unmet:{item.name}"] = _in_the_hour_before(run.unmet[place], hour, most=not total)
    return out


def _in_the_hour_before(values: Any, steps: int, *, most: bool) -> Array:
    """Sums, or the most, of the last steps before each instant, `(lead, member)`; at first of those there are."""
    out = np.zeros((values.shape[0] + 1, values.shape[1]))
    for back in range(steps):
        part = values[: values.shape[0] - back]
        into = out[1 + back :]
        into[:] = np.maximum(into, part) if most else into + part
    return out


def changes_of(scenario: Scenario, as_of: datetime, zone: str) -> tuple[SupplyChange, ...]:
    """What a scenario does to supplies, from an instant on."""
    return tuple(change.at(as_of, zone) for change in scenario.change.supplies)


def luck_of(known: SuppliesKnown, grid: Grid, members: int, seed: int) -> SupplyLuck:
    """The luck of as many members, far enough for what is to come and what was used since the last counts."""
    hours = grid.steps * grid.step_min / 60.0
    usual = known.usual_per_h * np.array([0.0 if item.kind == DEVICE else hours for item in known.supplies.items])
    return draw(known.use.batch.tolist(), known.use.level_cv.tolist(), usual, members, seed=seed)


def mix_of(situation: Situation) -> dict[str, float]:
    """The usual share of each acuity among those who come."""
    c = situation.calibration
    share = np.asarray(c.parameters.streams[0].class_share).mean(axis=0)
    out = dict.fromkeys(c.hospital.acuities, 0.0)
    for one, of in zip(c.parameters.classes, share, strict=True):
        if 0 <= one.acuity < len(c.hospital.acuities):
            out[c.hospital.acuities[one.acuity]] += float(of)
    return out


def _asked(known: SuppliesKnown, items: Sequence[Item], plan: Plan, grid: Grid, members: Members) -> Asked:
    exposures = Exposures(members.measures, grid)
    factor = known.use.factor
    need = np.nan_to_num(expected(items, exposures, known.mix)) * factor[:, None, None]
    meals = meals_foreseen(items, plan, exposures, known.mix, known.past)
    return Asked(need, {n: told * factor[plan.deliveries[n].item] for n, told in meals.items()})


def _filled(plan: Plan, items: Sequence[Item], known: SuppliesKnown) -> Plan:
    """The plan with stocks filled up as they are known to be; of what goes round, with what is in the laundry."""
    up_to = plan.up_to.copy()
    for place, item in enumerate(items):
        if item.kind == STOCK:
            up_to[place] = known.full[place] + in_laundry(item, float(known.usual_per_h[place]))
    return Plan(plan.grid, up_to, plan.deliveries, plan.capacity, plan.factor, plan.losses)


def _past(history: History, as_of: datetime) -> Exposures:
    """The measures of the last weeks as one member; the present may lie a little after their last instant."""
    steps = min(history.now_index, LOOKED_BACK // timedelta(minutes=STEP_MIN))
    first = history.now_index - steps
    measures = {name: values[first : history.now_index + 1, None] for name, values in history.measures.items()}
    start_at = history.start_at + timedelta(minutes=STEP_MIN * first)
    return Exposures(measures, Grid(start_at, steps, history.zone, float(STEP_MIN)))


def _usual_ahead(items: Sequence[Item], forecast: Forecast, mix: Mapping[str, float]) -> Array:
    """What is usual as far as the forecast itself tells: for a log that is younger than a day."""
    members = next(iter(forecast.members.values()))
    lead = forecast.lead_min
    grid = Grid(forecast.as_of, lead.size - 1, "UTC", float(lead[1] - lead[0]))
    need = np.nan_to_num(expected(items, Exposures(members.measures, grid), mix)).mean(axis=2)
    hours = np.array([grid.steps if item.kind == DEVICE else grid.steps * grid.step_min / 60.0 for item in items])
    return np.asarray(need.sum(axis=1) / hours)
