"""What is in stock, as far as counts and deliveries tell, and what they teach of how much is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ingest.events import Cancelled, Event, EventId, StockCounted, SupplyDelivered, SupplyEvent
from twin.state import State, fold
from twin.supply_file import Item, ItemEntry
from twin.supply_needs import Grid
from twin.supply_start import Clock, Told, Use, full_of, learned, start_of, stock_told, told_of

ZONE = "Europe/Paris"
START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 30
ITEM = Item(
    "linen_sets",
    ItemEntry.model_validate(
        {
            "service": "linen", "fr": "x", "en": "x", "unit_fr": "u", "unit_en": "u",
            "needs": [{"per": "arrival", "rate": 1.0, "source": "set"}],
            "spread": {"day_cv": 0.1, "batch": 1.5, "source": "set"},
            "up_to": {"count": 500, "source": "set"}, "deliveries": {"at": ["7:00"], "source": "set"},
        }
    ),
)  # fmt: skip


def at(day: float, hour: float = 0.0) -> datetime:
    return START + timedelta(days=day, hours=hour)


def counted(when: datetime, count: int, pool: str = "linen_sets", nth: int = 0) -> StockCounted:
    return StockCounted(
        event_id=EventId(f"c/{pool}/{when}/{nth}"), occurred_at=when, known_at=when, pool=pool, count=count
    )


def delivered(when: datetime, count: int) -> SupplyDelivered:
    return SupplyDelivered(
        event_id=EventId(f"d/{when}"), occurred_at=when, known_at=when, pool="linen_sets", count=count
    )


def steady(per_h: float = 10.0, days: int = DAYS) -> Clock:
    """A past in which so many were to be expected every hour."""
    return Clock.of(Grid(START, days * 96, ZONE), np.full((1, days * 96), per_h / 4))


def told(*events: SupplyEvent, as_of: datetime) -> Told:
    return told_of(events, [ITEM], as_of)[0]


def history(true_per_h: float, *, seed: int = 1, days: int = DAYS, day_cv: float = 0.0) -> list[SupplyEvent]:
    """Two counts and one delivery a day, of a stock of which so many are used an hour by chance."""
    rng, events, stock = np.random.default_rng(seed), list[SupplyEvent](), 600
    for day in range(days):
        level = rng.gamma(1 / day_cv**2, day_cv**2) if day_cv else 1.0
        for hour, length in ((6.5, 1.5), (8.0, 6.5), (14.5, 16.0)):
            if hour == 8.0:
                events.append(delivered(at(day, hour), 600 - stock))
                stock = 600
            else:
                events.append(counted(at(day, hour), stock))
            stock -= int(rng.poisson(level * true_per_h * length))
    return events


def test_a_count_is_taken_with_what_came_since_and_nothing_told_later_is_read() -> None:
    events = [counted(at(1, 6), 200), delivered(at(1, 7), 80), counted(at(2, 6), 50), delivered(at(2, 7), 999)]
    one = stock_told(told(*events, as_of=at(1, 12)), ITEM, 500, at(1, 12), ZONE)
    assert (one.at, one.stock, one.basis) == (at(1, 6), 280, "counted")
    assert stock_told(told(*events, as_of=at(2, 6.5)), ITEM, 500, at(2, 6.5), ZONE).stock == 50


def test_a_delivery_that_nobody_tells_of_fills_a_counted_stock_up() -> None:
    one = stock_told(told(counted(at(1, 5), 200), as_of=at(1, 12)), ITEM, 500, at(1, 12), ZONE)
    assert (one.at, one.stock, one.basis, one.counted_at) == (at(1, 6), 500, "delivered", at(1, 5))


def test_what_was_never_counted_was_full_at_its_last_delivery() -> None:
    one = stock_told(Told(), ITEM, 500, at(1, 12), ZONE)
    assert (one.at, one.stock, one.basis, one.counted_at) == (at(1, 6), 500, "usual", None)


def test_stocks_are_folded_like_all_that_is_told_and_a_count_can_be_cancelled() -> None:
    first, second = counted(at(1, 6), 200), counted(at(1, 14), 90)
    struck = Cancelled(event_id=EventId("x"), occurred_at=at(1, 15), known_at=at(1, 15), target=second.event_id)
    mended = replace(first, count=210, recorded_at=at(1, 9))
    for events in ([first, second, mended, struck], [struck, mended, second, first]):
        state = fold(State(), _copies(events))
        assert [(e.pool, e.count) for e in state.supplies] == [("linen_sets", 210)]
        assert state.places == ()


def _copies(events: Sequence[Event]) -> list[Event]:
    return [*events, *events]


def test_what_was_used_since_the_count_is_reckoned_by_what_was_learned() -> None:
    use = Use(*(np.array([value]) for value in (1.2, 0.1, 0.1, 1.5, 20.0)))
    one = stock_told(told(counted(at(9), 200), as_of=at(9, 5)), ITEM, 500, at(9, 5), ZONE)
    start = start_of([ITEM], [one], use, steady(), at(9, 5))
    assert start.stock[0] == 200
    assert start.since[0] == pytest.approx(1.2 * 50)


@pytest.mark.parametrize("true_per_h", [6.0, 10.0, 15.0])
def test_how_much_is_used_is_learned_from_counts_within_its_own_interval(true_per_h: float) -> None:
    off = []
    for seed in range(40):
        events = history(true_per_h, seed=seed, day_cv=0.15)
        use = learned(told_of(events, [ITEM], at(DAYS)), [ITEM], steady())
        off.append((float(use.factor[0]) - true_per_h / 10) / float(use.factor[0] * use.level_cv[0]))
        assert use.intervals[0] > 50
    assert abs(np.mean(off)) < 0.35
    assert np.mean(np.abs(off) < 1.28) > 0.8, "the level of a day has a wider interval than its mean"


def test_without_counts_the_files_figures_stay_and_less_is_known() -> None:
    nothing = learned([Told()], [ITEM], steady())
    assert (nothing.factor[0], nothing.intervals[0]) == (1.0, 0)
    much = learned(told_of(history(10.0), [ITEM], at(DAYS)), [ITEM], steady())
    assert much.level_cv[0] < nothing.level_cv[0]


def test_nothing_after_the_instant_is_learned_from() -> None:
    events = history(10.0)
    late = [counted(at(20, 1), 3), delivered(at(20, 2), 10_000), *history(30.0)]
    before = [e for e in events if e.occurred_at <= at(15)]
    after = [e for e in late if e.occurred_at > at(15)]
    clean, mixed = (learned(told_of(told, [ITEM], at(15)), [ITEM], steady()) for told in (before, before + after))
    assert (clean.factor[0], clean.batch[0]) == (mixed.factor[0], mixed.batch[0])
    seen = learned(told_of(before + after, [ITEM], at(DAYS)), [ITEM], steady())
    assert seen.factor[0] != clean.factor[0], "the mutant"


def test_a_stock_that_ran_out_teaches_only_where_it_was_used_faster_than_usual() -> None:
    slow = [counted(at(1, 6), 50), delivered(at(1, 7), 10), counted(at(1, 14), 0), counted(at(1, 22), 40)]
    assert learned(told_of(slow, [ITEM], at(2)), [ITEM], steady()).intervals[0] == 0
    fast = [counted(at(1, 6), 190), delivered(at(1, 7), 10), counted(at(1, 14), 0)]
    use = learned(told_of(fast, [ITEM], at(2)), [ITEM], steady())
    assert (use.intervals[0], use.factor[0] > 1.5) == (1, True)


def test_of_intervals_of_which_nobody_knows_who_was_there_nothing_is_learned() -> None:
    need = np.full((1, DAYS * 96), 2.5)
    need[:, : 5 * 96] = np.nan
    unknown = Clock.of(Grid(START, DAYS * 96, ZONE), need)
    some = learned(told_of(history(10.0, days=8), [ITEM], at(8)), [ITEM], unknown)
    assert 0 < some.intervals[0] <= 6


def test_how_full_a_stock_is_made_is_seen_from_deliveries_after_counts() -> None:
    events = history(10.0)
    assert full_of(ITEM, told(*events, as_of=at(DAYS)), steady(), 0, 10.0, 1.0) == pytest.approx(600, rel=0.05)
    assert full_of(ITEM, Told(), steady(), 0, 10.0, 1.0) == 500
