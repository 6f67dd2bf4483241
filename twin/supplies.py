"""SUPPLIES: what care uses up along each member, what is brought, and when it runs out.

A pure function of what members measure (`supply_needs.py`), of what is in stock (`supply_start.py`), of what is brought
when (`Plan`), and of luck drawn before (`supply_luck.py`). Nothing is negative and nothing is lost: what is needed and
not there is counted as unmet, and at every instant

    what was there, on order and in the laundry + what was ordered since
        = what is there, on order and in the laundry + used + thrown away + lost

    plan = plan_of(items, grid, usual_per_h)
    asked = Asked(expected(items, exposures, mix), meals_foreseen(items, plan, exposures, mix))
    run = run_supplies(items, plan, start, asked, luck)
    run.stock, run.unmet, run.lasts_min, run.accounts
    run_supplies(items, changed(plan, items, changes), start, asked, luck)         # the same luck under a scenario
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from twin.changes import SupplyChange
from twin.supply_file import Item
from twin.supply_luck import SupplyLuck
from twin.supply_needs import HOUR_MIN, Array, Grid
from twin.supply_plan import (
    DEVICE,
    MEALS,
    STOCK,
    WORK,
    Counts,
    Delivery,
    Plan,
    changed,
    meals_foreseen,
    plan_of,
)

__all__ = [
    "DEVICE", "MEALS", "STOCK", "WORK", "Accounts", "Asked", "Delivery", "Plan", "Start", "SupplyChange", "SupplyRun",
    "changed", "meals_foreseen", "plan_of", "run_supplies",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Start:
    """What there is at the beginning; rows are items."""

    stock: Counts
    """When it was last counted, with what came in since."""
    since: Array
    """How much was to be expected to be used since, `(item,)`; 0 where it was counted now."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What members ask for."""

    need: Array
    """How much is expected to be needed, `(item, step, member)`."""
    meals: Mapping[int, Array]
    """What is expected to be needed at a serving when its orders close, `(member,)`, by the place of its delivery."""


@dataclass(frozen=True, eq=False)
class Accounts:
    """Where everything is, `(item, member)` each."""

    stock: Counts
    on_order: Counts
    in_laundry: Counts
    ordered: Counts
    """From outside, since the beginning."""
    used: Counts
    """For good; what is in the laundry comes back."""
    thrown_away: Counts
    lost: Counts
    served: Counts
    """What was needed and there; of work, what was done."""

    @property
    def held(self) -> Counts:
        """All that is there or on its way."""
        return self.stock + self.on_order + self.in_laundry

    def balance(self, end: Accounts) -> Counts:
        """What is missing at the end; 0 where the books are right."""
        return self.held + end.ordered - (end.held + end.used + end.thrown_away + end.lost)


@dataclass(frozen=True, eq=False)
class SupplyRun:
    """What became of all items in every member."""

    grid: Grid
    need: npt.NDArray[np.int32]
    """`(item, step, member)`; of devices, how many are wanted at the end of the step."""
    stock: npt.NDArray[np.int32]
    """`(item, lead, member)`; of devices those that are free, of work what waits."""
    unmet: npt.NDArray[np.int32]
    """`(item, step, member)`: needed and not there; of work, what waits beyond an hour, or a usual one."""
    first: Accounts
    accounts: Accounts
    meals: Mapping[int, Counts]
    """What was ordered for a serving, `(member,)`, by the place of its delivery."""
    lasts_min: Array
    """`(item, member)`: when the stock of now is used up if nothing more comes; beyond the end by the pace so far."""

    @property
    def short_min(self) -> Array:
        """`(item, member)`: the end of the first step in which something was not there; infinite where nothing was."""
        lacks = self.unmet > 0
        first = lacks.argmax(axis=1) + 1
        return np.where(lacks.any(axis=1), first * self.grid.step_min, inf)


# --- the run ---------------------------------------------------------------------------------------------------------


def run_supplies(items: Sequence[Item], plan: Plan, start: Start, asked: Asked, luck: SupplyLuck) -> SupplyRun:
    """Every item in every member.

    1. What is needed in whole units, by luck, from what is expected to be.
    2. What is in stock now: what was counted and came in, less what was used since.
    3. Stocks and meals, step by step: what is ordered, brought, lost, used.
    4. Devices and work.
    """
    whole = _whole_needs(items, plan, start, asked.need, luck)  # 1
    used_since = np.stack([luck.used(i, luck.level[i] * start.since[i]) for i in range(len(items))])
    meals = {n: told * luck.level[plan.deliveries[n].item] for n, told in asked.meals.items()}
    book = _Book(items, plan, whole, meals, np.maximum(start.stock[:, None] - used_since, 0))  # 2
    first = book.accounts()
    for step in range(plan.grid.steps):  # 3
        book.turn(step)
    book.devices_and_work()  # 4
    lasts = _lasts(whole, first.stock, plan.grid)
    return SupplyRun(plan.grid, whole, book.stocks, book.unmets, first, book.accounts(), book.meals, lasts)


def _whole_needs(
    items: Sequence[Item], plan: Plan, start: Start, need: Array, luck: SupplyLuck
) -> npt.NDArray[np.int32]:
    out = np.empty(need.shape, dtype=np.int32)
    for place, item in enumerate(items):
        mine = need[place] * plan.factor[place][:, None] * luck.level[place]
        if item.kind == DEVICE:
            out[place] = np.floor(mine + luck.start[place])
            continue
        before = np.broadcast_to(luck.level[place] * start.since[place], (1, mine.shape[1]))
        clock = np.concatenate([before, before + np.cumsum(mine, axis=0)])
        out[place] = np.diff(luck.used(place, clock), axis=0)
    return out


class _Book:
    """The books of a run, `(item, member)`, and what they were at each instant."""

    def __init__(
        self,
        items: Sequence[Item],
        plan: Plan,
        need: npt.NDArray[np.int32],
        meals: Mapping[int, Array],
        stock: Counts,
    ) -> None:
        self._items, self._plan, self._need, self._meals = items, plan, need, meals
        n, steps, members = need.shape
        self._washed = np.array([item.told.laundry is not None for item in items])
        self._kept = np.array([item.kind == STOCK for item in items])
        self._rows = np.flatnonzero([item.kind in (STOCK, MEALS) for item in items])
        self.stock = np.where(self._kept[:, None], stock, 0)
        self.on_order, self.laundry, self.ordered, self.used, self.thrown, self.lost, self.served = (
            np.zeros((n, members), dtype=np.int64) for _ in range(7)
        )
        self.stocks = np.zeros((n, steps + 1, members), dtype=np.int32)
        self.unmets = np.zeros((n, steps, members), dtype=np.int32)
        self._events: dict[int, list[tuple[bool, int]]] = {}
        self._quantity: dict[int, Counts] = {}
        self.meals: dict[int, Counts] = {}
        self._sent: dict[int, list[tuple[int, Counts]]] = {}
        self._begin()

    def accounts(self) -> Accounts:
        """Copies of the books."""
        told = (self.stock, self.on_order, self.laundry, self.ordered, self.used, self.thrown, self.lost, self.served)
        return Accounts(*(book.copy() for book in told))

    def _begin(self) -> None:
        """What is in the laundry, and what is on order, now."""
        for row in np.flatnonzero(self._washed):
            self._in_laundry_now(int(row))
        for number, delivery in enumerate(self._plan.deliveries):
            if delivery.ordered < 0:
                self._quantity[number] = self._asked_for(number)
                self.on_order[delivery.item] += self._quantity[number]
            else:
                self._events.setdefault(delivery.ordered, []).append((False, number))
            if delivery.due is not None and delivery.due < self._plan.grid.steps:
                self._events.setdefault(delivery.due, []).append((True, number))
        for row in self._rows:
            self.stocks[row, 0] = self.stock[row]

    def _in_laundry_now(self, row: int) -> None:
        """All that is not in stock goes round; it was used evenly over the time that the laundry takes."""
        laundry, grid = self._items[row].told.laundry, self._plan.grid
        if laundry is None:
            return
        away = np.maximum(self._plan.up_to[row] - self.stock[row], 0)
        self.laundry[row] = away
        back = max(1, round(laundry.hours * HOUR_MIN / grid.step_min))
        shares = np.floor(np.linspace(0.0, 1.0, back + 1)[:, None] * away).astype(np.int64)
        self._sent[row] = [(step - back, part) for step, part in enumerate(np.diff(shares, axis=0))]

    def turn(self, step: int) -> None:
        """One step: what is ordered, then brought, then lost, then used; meals that are left are thrown away."""
        for is_brought, number in sorted(self._events.get(step, ())):
            if is_brought:
                self._bring(number, step)
            else:
                self._order(number)
        for at, row, share, count in self._plan.losses:
            if at == step and self._kept[row]:
                gone = np.minimum(self.stock[row], np.floor(share * self.stock[row]).astype(np.int64) + count)
                self.stock[row] -= gone
                self.lost[row] += gone
        rows = self._rows
        need = self._need[rows, step]
        taken = np.minimum(need, self.stock[rows])
        self.stock[rows] -= taken
        self.served[rows] += taken
        self.unmets[rows, step] = need - taken
        self._use(rows, step, taken)
        self.stocks[rows, step + 1] = self.stock[rows]

    def _use(self, rows: npt.NDArray[np.int64], step: int, taken: Counts) -> None:
        for place, row in enumerate(rows):
            if self._washed[row]:
                self.laundry[row] += taken[place]
                self._sent[int(row)].append((step, taken[place]))
                continue
            self.used[row] += taken[place]
            if not self._kept[row]:
                self.thrown[row] += self.stock[row]
                self.stock[row] = 0

    def _order(self, number: int) -> None:
        row, quantity = self._plan.deliveries[number].item, self._asked_for(number)
        self.ordered[row] += quantity
        self.on_order[row] += quantity
        self._quantity[number] = quantity

    def _asked_for(self, number: int) -> Counts:
        """What fills the stock up; of meals, what is foreseen for those who are there at the cut-off, and some more."""
        row = self._plan.deliveries[number].item
        kitchen = self._items[row].told.kitchen
        if kitchen is None:
            held = self.stock[row] + self.on_order[row] + self.laundry[row]
            return np.asarray(np.maximum(self._plan.up_to[row] - held, 0))
        self.meals[number] = np.asarray(np.ceil(self._meals[number] * (1.0 + kitchen.margin_share)), dtype=np.int64)
        return self.meals[number]

    def _bring(self, number: int, step: int) -> None:
        """What was ordered for it, what earlier ones did not bring, and what is back from the laundry."""
        delivery = self._plan.deliveries[number]
        row = delivery.item
        for other, missed in enumerate(self._plan.deliveries):
            late = other in self._quantity and missed.item == row and missed.due is None and self._kept[row]
            if other == number or late:
                quantity = self._quantity.pop(other)
                self.on_order[row] -= quantity
                self.stock[row] += quantity
        if self._washed[row]:
            self._take_back(row, step)

    def _take_back(self, row: int, step: int) -> None:
        laundry = self._items[row].told.laundry
        if laundry is None:
            return
        ready = step - round(laundry.hours * HOUR_MIN / self._plan.grid.step_min)
        back = [part for at, part in self._sent[row] if at <= ready]
        if not back:
            return
        self._sent[row] = [(at, part) for at, part in self._sent[row] if at > ready]
        came = np.sum(back, axis=0)
        worn = np.floor(came * laundry.worn_share).astype(np.int64)
        self.laundry[row] -= came
        self.stock[row] += came - worn
        self.used[row] += worn

    def devices_and_work(self) -> None:
        """Devices: those not wanted are free. Work: what cannot be done at once waits."""
        for row, item in enumerate(self._items):
            if item.kind == DEVICE:
                self._devices(row)
            elif item.kind == WORK:
                self._work(row)

    def _devices(self, row: int) -> None:
        owned = np.full(self._need.shape[1:], self._plan.up_to[row])
        for at, place, share, count in self._plan.losses:
            if place == row:
                owned[at:] -= np.minimum(owned[at:], np.floor(share * owned[at:]).astype(np.int64) + count)
        self.stocks[row, 1:] = np.maximum(owned - self._need[row], 0)
        self.stocks[row, 0] = self.stocks[row, 1]
        self.unmets[row] = np.maximum(self._need[row] - owned, 0)

    def _work(self, row: int) -> None:
        usual_h = float(self._plan.capacity[row].mean()) * HOUR_MIN / self._plan.grid.step_min
        waits, able = np.zeros(self._need.shape[2]), np.zeros(self._need.shape[2])
        for step in range(self._need.shape[1]):
            able = able + self._plan.capacity[row, step]
            asked = waits + self._need[row, step]
            done = np.minimum(asked, np.floor(able))
            able = np.minimum(able - done, 1.0)
            waits = asked - done
            self.stocks[row, step + 1] = waits
            an_hour = max(self._plan.capacity[row, step] * HOUR_MIN / self._plan.grid.step_min, usual_h)
            self.unmets[row, step] = np.maximum(waits - an_hour, 0)
            self.served[row] += done.astype(np.int64)


def _lasts(need: npt.NDArray[np.int32], stock: Counts, grid: Grid) -> Array:
    """When so much is used up if nothing more comes; infinite where nothing is needed."""
    total = np.cumsum(need, axis=1, dtype=np.int64)
    gone = total >= stock[:, None]
    step = gone.argmax(axis=1)
    there = np.take_along_axis(total, step[:, None], axis=1)[:, 0]
    mine = np.take_along_axis(need, step[:, None], axis=1)[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        within = np.where(mine > 0, 1.0 - (there - stock) / mine, 0.0)
        pace = total[:, -1] / (grid.steps * grid.step_min)
        beyond = grid.steps * grid.step_min + (stock - total[:, -1]) / pace
    out = np.where(gone.any(axis=1), (step + within) * grid.step_min, np.where(total[:, -1] > 0, beyond, inf))
    return np.where(stock <= 0, 0.0, out)
