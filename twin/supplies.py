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
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil, inf
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from twin.changes import Windowed
from twin.supply_file import Item, hours_of
from twin.supply_luck import SupplyLuck
from twin.supply_needs import HOUR_MIN, Array, Exposures, Grid, rate_of

Counts = npt.NDArray[np.int64]
BEFORE_DAYS = 8
"""How far back deliveries are looked for: a week and a day, so that even a weekly one is found."""
STOCK, MEALS, DEVICE, WORK = "stock", "meals", "device", "work"


class SupplyChange(Windowed):
    """What a scenario does to an item, or to all items of a service."""

    item: str | None = None
    service: str | None = None
    factor: Annotated[float, Field(ge=0, le=10)] = 1.0
    """So many times as much is needed."""
    lost_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Of the stock at its beginning."""
    lost: Annotated[int, Field(ge=0)] = 0
    """Units of the stock at its beginning."""
    deliveries: Literal["on_time", "missed", "delayed"] = "on_time"
    """Those due in the window: what a missed one would have brought comes with the next; of meals, not at all."""
    delay_min: Annotated[float, Field(ge=0)] = 0.0
    capacity: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Of work, so many times as much can be done."""

    @model_validator(mode="after")
    def _is_whole(self) -> SupplyChange:
        if (self.item is None) == (self.service is None):
            raise ValueError("item or service must be given, one of them")
        if (self.deliveries == "delayed") != (self.delay_min > 0):
            raise ValueError("delay_min must be given where deliveries are delayed, and only there")
        return self

    def begun(self, passed_min: float) -> SupplyChange:
        """What is left of it so long after: what was lost is lost already."""
        gone = {"lost_share": 0.0, "lost": 0} if passed_min > self.from_min else {}
        return super().begun(passed_min).model_copy(update=gone)

    def is_of(self, item: Item) -> bool:
        """Whether an item is changed."""
        return item.told.service == self.service if self.item is None else item.name == self.item


@dataclass(frozen=True)
class Delivery:
    """One delivery: of which item, when it was ordered (below 0: before now) and when it comes, in steps.

    A step of None: it does not come.
    """

    item: int
    ordered: int
    due: int | None
    at: datetime
    """When it comes, or should have come."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What is brought when, up to how much, and what can be done; rows are items."""

    grid: Grid
    up_to: Counts
    """`(item,)`: what a delivery fills up to; of devices, how many there are; 0 of meals and work."""
    deliveries: tuple[Delivery, ...]
    capacity: Array
    """Of work, how much can be done, `(item, step)`."""
    factor: Array
    """How many times as much is needed, `(item, step)`."""
    losses: tuple[tuple[int, int, float, int], ...] = ()
    """Step, item, share and number of what is lost."""


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


# --- what is brought when --------------------------------------------------------------------------------------------


def plan_of(items: Sequence[Item], grid: Grid, usual_per_h: Array) -> Plan:
    """The plan of an ordinary day, where so much of each item is usually needed an hour (of devices: is in use)."""
    hours, step_h = grid.hours(), grid.step_min / HOUR_MIN
    up_to = np.zeros(len(items), dtype=np.int64)
    capacity = np.zeros((len(items), grid.steps))
    deliveries: list[Delivery] = []
    for place, item in enumerate(items):
        amount = item.told.up_to or item.told.owned
        up_to[place] = amount.of(float(usual_per_h[place])) if amount else 0
        deliveries += _deliveries(place, item, grid)
        if item.told.capacity is not None:
            times = 1.0 if item.told.capacity.count else float(usual_per_h[place])
            capacity[place] = times * step_h * _table(item.told.capacity.hours)[hours]
    return Plan(grid, up_to, tuple(deliveries), capacity, np.ones((len(items), grid.steps)))


def _deliveries(place: int, item: Item, grid: Grid) -> list[Delivery]:
    """Those that come within the grid; an order is placed at the beginning of a step."""
    if (told := item.told.deliveries) is not None:
        times, before_h = grid.times(told.at, told.weekdays), told.ordered_h
    elif (kitchen := item.told.kitchen) is not None:
        times, before_h = grid.times(kitchen.at, range(1, 8)), kitchen.cut_off_h
    else:
        return []
    due = [(at, grid.step_of(at), grid.step_of(at - timedelta(hours=before_h))) for at in times]
    return [Delivery(place, min(ordered, step), step, at) for at, step, ordered in due]


def meals_foreseen(
    items: Sequence[Item], plan: Plan, exposures: Exposures, mix: Mapping[str, float], before: Exposures | None = None
) -> dict[int, Array]:
    """What those who are there when orders close would need at the serving, `(member,)`, by the place of its delivery.

    `before` tells who was there before now, where that is known; else those who are here now count.
    """
    out = {}
    for number, delivery in enumerate(plan.deliveries):
        item = items[delivery.item]
        if item.kind == MEALS:
            there, lead = exposures, max(delivery.ordered, 0)
            if delivery.ordered < 0 and before is not None:
                past = before.grid.step_of(plan.grid.at(delivery.ordered)) + 1
                if 0 <= past <= before.grid.steps:
                    there, lead = before, past
            patients = [(rate_of(need, mix), there.patients(str(need.where))[lead]) for need in item.told.needs]
            told = sum(rate * np.nan_to_num(here) for rate, here in patients)
            out[number] = np.broadcast_to(np.maximum(told, 0.0), exposures.patients("hospital").shape[1:])
    return out


def _table(by_hours: Mapping[str, float]) -> Array:
    out = np.zeros(24)
    for text, value in by_hours.items():
        out[hours_of(text)] = value
    return out


def changed(plan: Plan, items: Sequence[Item], changes: Sequence[SupplyChange]) -> Plan:
    """The plan under changes, one after the other; what they do not speak of stays as it is."""
    for change in changes:
        for place, item in enumerate(items):
            if change.is_of(item):
                plan = _changed(plan, place, item, change)
    return plan


def _changed(plan: Plan, place: int, item: Item, change: SupplyChange) -> Plan:
    step_min = plan.grid.step_min
    start = np.arange(plan.grid.steps) * step_min
    inside = (start >= change.from_min) & (start < change.end_min)
    factor, capacity = plan.factor.copy(), plan.capacity.copy()
    factor[place, inside] *= change.factor
    capacity[place, inside] *= change.capacity
    losses = plan.losses
    if change.lost_share or change.lost:
        losses = (*losses, (int(change.from_min // step_min), place, change.lost_share, change.lost))
    deliveries = plan.deliveries
    if change.deliveries != "on_time":
        deliveries = tuple(
            _put_off(d, change, step_min) if d.item == place and _is_due_in(d, change, step_min) else d
            for d in deliveries
        )
    return replace(plan, factor=factor, capacity=capacity, losses=losses, deliveries=deliveries)


def _is_due_in(delivery: Delivery, change: SupplyChange, step_min: float) -> bool:
    return delivery.due is not None and change.from_min <= delivery.due * step_min < change.end_min


def _put_off(delivery: Delivery, change: SupplyChange, step_min: float) -> Delivery:
    if change.deliveries == "missed" or delivery.due is None:
        return replace(delivery, due=None)
    due = delivery.due + ceil(change.delay_min / step_min)
    return replace(delivery, due=due, at=delivery.at + timedelta(minutes=change.delay_min))


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
