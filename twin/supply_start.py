"""What is in stock now, as far as counts and deliveries tell; and what they teach of how much is used.

A stock that nobody counts is taken to have been full at its last delivery, and the page says so. `learned` compares
what was used between two counts with what was to be expected of the patients who were there. Nothing is read that was
told after the instant of which it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

import numpy as np

from ingest.events import StockCounted, SupplyDelivered, SupplyEvent
from twin.supplies import DEVICE, STOCK, Start
from twin.supply_file import Item
from twin.supply_needs import HOUR_MIN, Array, Grid

Basis = Literal["counted", "delivered", "usual"]
"""A count; deliveries told since a count that a full stock is taken to follow; a stock as it usually is."""
LOOKED_BACK = timedelta(days=8)
"""Deliveries come once a week at least."""
SHORTEST, LONGEST = timedelta(hours=2), timedelta(hours=72)
"""Between two counts that something can be learned from."""
PRIOR_CV = 0.5
"""How far a site's use may lie from the file's before anything was counted."""
PRIOR_INTERVALS = 5.0
"""As many intervals the file's spread from day to day is worth."""
LEAST_EXPECTED = 0.5
UNTOLD_CV = 0.25
"""How far a site's use may lie from the file's, as far as a forecast says so, where nothing was counted."""
DAY = timedelta(hours=20)
RECENT_DAYS = 3
LARGEST_BATCH = 20.0
"""Times the file's."""
LEVELS, LEAST_LEVELS = 10, 3
"""Deliveries that tell how full a stock is made, and how few are too few."""


@dataclass(frozen=True)
class StockTold:
    """What the log tells of one item: the last count, and what came in since."""

    at: datetime
    stock: int
    basis: Basis
    counted_at: datetime | None = None
    """When it was counted last; None where it never was."""


@dataclass(frozen=True, eq=False)
class Clock:
    """How much of each item was to be expected to be used by each instant of the past, `(item, instant)`, from 0."""

    grid: Grid
    total: Array
    known: Array
    """The same of steps of which it is known who was there: 1 each."""

    @classmethod
    def of(cls, grid: Grid, need: Array) -> Clock:
        """From what is expected of each step, `(item, step)`; where it is not known, as much as on average."""
        told = ~np.isnan(need)
        mean = np.divide(np.where(told, need, 0.0).sum(axis=1), np.maximum(told.sum(axis=1), 1))
        whole = np.where(told, need, mean[:, None])
        nothing = np.zeros((need.shape[0], 1))
        return cls(
            grid, np.concatenate([nothing, np.cumsum(whole, axis=1)], axis=1),
            np.concatenate([nothing, np.cumsum(told, axis=1)], axis=1),
        )  # fmt: skip

    def between(self, item: int, since: datetime, until: datetime) -> float:
        """What was to be expected to be used; outside the past that is known, at the mean pace."""
        return self._at(item, until) - self._at(item, since)

    def is_known(self, item: int, since: datetime, until: datetime) -> bool:
        """Whether it is known all the time who was there."""
        first, last = (self._place(at) for at in (since, until))
        if first < 0 or last > self.grid.steps:
            return False
        low, high = int(np.floor(first)), int(np.ceil(last))
        return bool(self.known[item, high] - self.known[item, low] >= high - low)

    def usual(self, items: Sequence[Item]) -> Array:
        """The mean need an hour, `(item,)`; of devices, how many are in use; NaN where less than a day is known."""
        per_step = self.total[:, -1] / max(self.grid.steps, 1)
        steps_per_h = np.array([1.0 if item.kind == DEVICE else HOUR_MIN / self.grid.step_min for item in items])
        a_day = 24 * HOUR_MIN / self.grid.step_min
        return np.where(self.known[:, -1] >= a_day, per_step * steps_per_h, np.nan)

    def _place(self, at: datetime) -> float:
        return (at - self.grid.start_at) / timedelta(minutes=self.grid.step_min)

    def _at(self, item: int, at: datetime) -> float:
        place, pace = self._place(at), self.total[item, -1] / max(self.grid.steps, 1)
        inside = float(np.interp(place, np.arange(self.grid.steps + 1), self.total[item]))
        return inside + float(pace * (min(place, 0.0) + max(place - self.grid.steps, 0.0)))


@dataclass(frozen=True, eq=False)
class Use:
    """What was learned of how much is used, `(item,)` each."""

    factor: Array
    """Times what the file says."""
    factor_cv: Array
    """How well that is known."""
    day_cv: Array
    """How the whole varies beside what patients explain."""
    batch: Array
    """Variance over mean in short times."""
    intervals: Array
    """Pairs of counts that taught it."""

    @property
    def level_cv(self) -> Array:
        """Both as one."""
        return np.asarray(np.sqrt(self.factor_cv**2 + self.day_cv**2))


@dataclass(frozen=True)
class Interval:
    """Between two counts: used and expected."""

    since: datetime
    until: datetime
    used: float
    expected: float
    ran_out: bool = False
    """More would have been used if there had been more."""


@dataclass(frozen=True)
class Told:
    """The counts and deliveries of one item up to an instant, in order."""

    counts: tuple[StockCounted, ...] = ()
    deliveries: tuple[SupplyDelivered, ...] = ()

    def came(self, since: datetime, until: datetime) -> int:
        """What was delivered after an instant and up to another."""
        return sum(e.count for e in self.deliveries if since < e.occurred_at <= until)


def told_of(supplies: Iterable[SupplyEvent], items: Sequence[Item], as_of: datetime) -> list[Told]:
    """What is told of each item; of what is no item, nothing is asked."""
    by_name: dict[str, list[SupplyEvent]] = {item.name: [] for item in items}
    for event in supplies:
        if event.pool in by_name and event.occurred_at <= as_of:
            by_name[event.pool].append(event)
    return [
        Told(
            tuple(e for e in mine if isinstance(e, StockCounted)),
            tuple(e for e in mine if isinstance(e, SupplyDelivered)),
        )
        for mine in by_name.values()
    ]


def full_of(item: Item, told: Told, clock: Clock, place: int, usual_per_h: float, factor: float) -> int:
    """How many are in stock right after a delivery.

    The middle of the last `LEVELS` deliveries that follow a count, where there are some; else by the file: of what goes
    round, without what is in the laundry.
    """
    after = []
    for delivery in told.deliveries[-LEVELS:]:
        before = [c for c in told.counts if delivery.occurred_at - LONGEST <= c.occurred_at < delivery.occurred_at]
        if before:
            count, at = before[-1].count, before[-1].occurred_at
            used = factor * clock.between(place, at, delivery.occurred_at)
            after.append(max(count + told.came(at, delivery.occurred_at) - used, delivery.count))
    if len(after) >= LEAST_LEVELS:
        return round(float(np.median(after)))
    whole = item.told.up_to.of(usual_per_h) if item.told.up_to else 0
    return max(whole - in_laundry(item, usual_per_h), round(usual_per_h)) if item.told.laundry else whole


def in_laundry(item: Item, usual_per_h: float) -> int:
    """How many are usually in the laundry."""
    return round(item.told.laundry.hours * usual_per_h) if item.told.laundry else 0


def stock_told(told: Told, item: Item, full: int, as_of: datetime, zone: str) -> StockTold:
    """What is known of a stock at an instant.

    1. The last count, and what was told to come in since.
    2. Where deliveries of the item are never told: a delivery since the count filled it up.
    3. Where it was never counted: full at the last delivery.
    """
    filled_at = None if told.deliveries else _last_delivery(item, as_of, zone)
    if told.counts:
        last = told.counts[-1]
        if filled_at is None or filled_at <= last.occurred_at:  # 1
            stock = last.count + told.came(last.occurred_at, as_of)
            return StockTold(last.occurred_at, stock, "counted", last.occurred_at)
        return StockTold(filled_at, full, "delivered", last.occurred_at)  # 2
    return StockTold(_last_delivery(item, as_of, zone) or as_of, full, "usual")  # 3


def _last_delivery(item: Item, as_of: datetime, zone: str) -> datetime | None:
    told = item.told.deliveries
    if told is None:
        return None
    grid = Grid(as_of - LOOKED_BACK, int(LOOKED_BACK / timedelta(minutes=15)), zone)
    return max(grid.times(told.at, told.weekdays), default=None)


def start_of(items: Sequence[Item], told: Sequence[StockTold], use: Use, clock: Clock, as_of: datetime) -> Start:
    """What there is now: what was told, and what was to be expected to be used since."""
    since = [
        use.factor[place] * clock.between(place, one.at, as_of) if item.kind == STOCK else 0.0
        for place, (item, one) in enumerate(zip(items, told, strict=True))
    ]
    return Start(np.array([one.stock for one in told], dtype=np.int64), np.maximum(np.array(since), 0.0))


def learned(told: Sequence[Told], items: Sequence[Item], clock: Clock) -> Use:
    """How much is used, times what the file says, from pairs of counts.

    1. Of an interval that used r times the E that was expected, the variance of r is batch / E + day_cv^2: the mean of
       r is weighed so, and shrunk towards 1 as one more observation with a spread of `PRIOR_CV`.
    2. Days (intervals put together to `DAY` at least) say how the whole varies, and how much of what the last
       `RECENT_DAYS` of them were off lasts into the next; single intervals say how much more short times vary.
       Each is shrunk towards the file's as `PRIOR_INTERVALS` intervals.
    """
    found = [_use(item, mine, clock, place) for place, (item, mine) in enumerate(zip(items, told, strict=True))]
    return Use(*(np.array(column, dtype=np.float64) for column in zip(*found, strict=True)))


def _use(item: Item, told: Told, clock: Clock, place: int) -> tuple[float, float, float, float, int]:
    """Factor, its spread, that of days, batch, intervals."""
    day_cv, batch = item.told.spread.day_cv, item.told.spread.batch
    intervals = _telling(_intervals(item, told, clock, place), batch, day_cv)
    if not intervals:
        return 1.0, UNTOLD_CV if item.kind == STOCK else 0.0, day_cv, batch, 0
    single, days = Ratios.of(intervals), Ratios.of(_days(intervals))
    factor, factor_var = single.mean(batch, day_cv)  # 1
    off, lasting = days.lasting(factor)  # 2
    after = days.ratio / factor - 1.0 - lasting * off[:-1]
    day_var = float(np.mean(after**2))
    short_var = float(np.mean((single.ratio / factor - 1.0) ** 2))
    thinner = float(np.mean(1.0 / single.expected) - np.mean(1.0 / days.expected)) / factor
    n = single.ratio.size
    if thinner > 0 and days.ratio.size > 1:
        found = min(max((short_var - day_var) / thinner, batch / 2), LARGEST_BATCH * batch)
        batch = (PRIOR_INTERVALS * batch + n * found) / (PRIOR_INTERVALS + n)
    left = max(day_var - batch * float(np.mean(1.0 / days.expected)) / factor, 0.0)
    day_cv = float(
        np.sqrt((PRIOR_INTERVALS * day_cv**2 + days.ratio.size * left) / (PRIOR_INTERVALS + days.ratio.size))
    )
    return factor * max(1.0 + lasting * off[-1], 0.1), float(np.sqrt(factor_var)) / factor, day_cv, batch, n


def _telling(intervals: Sequence[Interval], batch: float, day_cv: float) -> list[Interval]:
    """Without those in which the stock ran out, but for those that used more than usual all the same.

    To leave out all of them would leave out the days that used most.
    """
    kept = [one for one in intervals if not one.ran_out]
    for _ in range(3):
        factor = Ratios.of(kept).mean(batch, day_cv)[0] if kept else 1.0
        kept = [one for one in intervals if not one.ran_out or one.used > factor * one.expected]
    return kept


@dataclass(frozen=True, eq=False)
class Ratios:
    """Of some intervals: used over expected, and expected."""

    ratio: Array
    expected: Array

    @classmethod
    def of(cls, intervals: Sequence[Interval]) -> Ratios:
        """In their order."""
        expected = np.array([one.expected for one in intervals])
        return cls(np.array([one.used for one in intervals]) / expected, expected)

    def mean(self, batch: float, day_cv: float) -> tuple[float, float]:
        """The mean and its variance."""
        prior, factor = 1.0 / PRIOR_CV**2, 1.0
        weight = np.ones_like(self.ratio)
        for _ in range(3):
            weight = 1.0 / (batch * factor / self.expected + (day_cv * factor) ** 2)
            factor = float((prior + (weight * self.ratio).sum()) / (prior + weight.sum()))
        return factor, float(1.0 / (prior + weight.sum()))

    def lasting(self, factor: float) -> tuple[Array, float]:
        """How far off the last ones were before each and at the end, and the share of it that lasts."""
        own = self.ratio / factor - 1.0
        off = np.array([own[max(0, k - RECENT_DAYS) : k].mean() if k else 0.0 for k in range(own.size + 1)])
        before = off[:-1]
        together, apart = float((before * own).sum()), float((before**2).sum())
        usual = float(np.mean(own**2)) / RECENT_DAYS
        share = together / (apart + PRIOR_INTERVALS * usual) if apart else 0.0
        return off, min(max(share, 0.0), 1.0)


def _days(intervals: Sequence[Interval]) -> list[Interval]:
    """Intervals one after the other put together until they last a day; the last part of a day is left out."""
    out: list[Interval] = []
    now: Interval | None = None
    for one in intervals:
        joined = now is not None and one.since == now.until
        now = (
            Interval(now.since, one.until, now.used + one.used, now.expected + one.expected, now.ran_out or one.ran_out)
            if joined and now else one
        )  # fmt: skip
        if now.until - now.since >= DAY:
            out.append(now)
            now = None
    return out or list(intervals)


def _intervals(item: Item, told: Told, clock: Clock, place: int) -> list[Interval]:
    """Used and expected between two counts, where both are known."""
    if item.kind != STOCK or not told.deliveries:
        return []
    out = []
    for first, last in pairwise(told.counts):
        length = last.occurred_at - first.occurred_at
        if not SHORTEST <= length <= LONGEST:
            continue
        used = first.count + told.came(first.occurred_at, last.occurred_at) - last.count
        if used >= 0 and clock.is_known(place, first.occurred_at, last.occurred_at):
            expected = clock.between(place, first.occurred_at, last.occurred_at)
            if expected >= LEAST_EXPECTED:
                out.append(Interval(first.occurred_at, last.occurred_at, float(used), expected, not last.count))
    return out
