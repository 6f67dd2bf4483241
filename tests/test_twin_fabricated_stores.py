"""The fabricated stores: a law of their own that changes nothing else, conserves, and is told as events."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import cache

import numpy as np

from ingest.events import StockCounted, SupplyDelivered, SupplyEvent
from twin.fabricate import FabricatedHospital, Fabrication, World, fabricate
from twin.fabricated_stores import ITEMS, LAWS, TICK_MIN
from twin.supply_file import load_supplies

START = datetime(2026, 3, 2, tzinfo=UTC)
HOSPITAL = FabricatedHospital("congested", "small")


@cache
def made(stores: float = 1.0) -> Fabrication:
    return fabricate(HOSPITAL, start=START, days=8, seed=5, stores=stores)


def test_all_else_that_happens_and_is_told_is_the_same_with_and_without_stores() -> None:
    told = [(e.event_id, e.occurred_at, e.known_at) for e in made().events if not isinstance(e, SupplyEvent)]
    assert told == [(e.event_id, e.occurred_at, e.known_at) for e in made(0.0).events]


def test_stocks_are_counted_twice_a_day_and_deliveries_told_with_names_of_the_shipped_file() -> None:
    kinds = Counter((type(e), e.pool) for e in made().events if isinstance(e, SupplyEvent))
    assert {pool for _, pool in kinds} <= {item.name for item in load_supplies().items if item.kind == "stock"}
    assert all(13 <= kinds[StockCounted, item] <= 17 for item in ITEMS)
    assert all(kinds[SupplyDelivered, item] >= 1 for item in ITEMS)


def test_a_stock_is_what_was_there_and_came_less_what_was_used() -> None:
    truth = made().stores
    assert truth is not None
    minute = np.array(truth.minute)
    after = minute > (made().start_at - made().origin_at).total_seconds() / 60
    needs, stocks = np.array(truth.needs)[after], np.array(truth.stocks)[after]
    came = dict.fromkeys(ITEMS, 0)
    for event in made().events:
        if isinstance(event, SupplyDelivered) and event.occurred_at <= made().end_at:
            came[event.pool] += event.count
    for column, item in enumerate(ITEMS):
        if stocks[:, column].min() > 0:
            used = needs[1:, column].sum()
            assert stocks[0, column] + came[item] - used == stocks[-1, column]
    assert (stocks.min(axis=0) > 0).sum() >= 8
    assert stocks.min() >= 0


def test_counts_are_near_the_truth_and_not_equal_to_it() -> None:
    truth = made().stores
    assert truth is not None
    at = {minute: place for place, minute in enumerate(truth.minute)}
    off = []
    for event in made().events:
        if isinstance(event, StockCounted) and event.occurred_at > START:
            place = at[round((event.occurred_at - made().origin_at).total_seconds() / 60)]
            off.append(event.count - int(truth.stocks[place][ITEMS.index(event.pool)]))
    assert 0.2 < np.mean(np.array(off) != 0) < 1.0
    assert np.percentile(np.abs(off), 90) < 20


def test_patients_differ_days_differ_and_what_is_used_varies_more_than_by_chance_alone() -> None:
    truth = made().stores
    assert truth is not None
    daily = np.array(truth.needs)[: len(truth.needs) // 96 * 96].reshape(-1, 96, len(ITEMS)).sum(axis=1)[3:]
    dispersion = daily.var(axis=0) / daily.mean(axis=0)
    assert np.median(dispersion) > 1.5, "chance alone would give 1"


def test_a_world_that_is_run_in_small_steps_tells_the_same() -> None:
    end = START.replace(day=3)
    whole = World(HOSPITAL, START, 5, stores=1.0)
    at_once = whole.run_until(end)
    steps = World(HOSPITAL, START, 5, stores=1.0)
    told = [
        e for hour in range(1, 25) for e in steps.run_until(min(START.replace(hour=hour % 24, day=2 + hour // 24), end))
    ]
    assert [e for e in told if isinstance(e, SupplyEvent)] == [e for e in at_once if isinstance(e, SupplyEvent)]
    assert sum(isinstance(e, SupplyEvent) for e in told) >= len(LAWS)
    assert TICK_MIN == 15.0
