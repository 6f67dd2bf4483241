"""What is brought when, up to how much, and what can be done: on an ordinary day, and under a scenario's changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

import numpy as np
import numpy.typing as npt

from twin.changes import SupplyChange
from twin.supply_file import Item, hours_of
from twin.supply_needs import HOUR_MIN, Array, Exposures, Grid, rate_of

Counts = npt.NDArray[np.int64]
STOCK, MEALS, DEVICE, WORK = "stock", "meals", "device", "work"


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
            if _is_of(change, item):
                plan = _changed(plan, place, item, change)
    return plan


def _is_of(change: SupplyChange, item: Item) -> bool:
    return item.told.service == change.service if change.item is None else item.name == change.item


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
