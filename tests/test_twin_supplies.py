"""Supplies along members: the books balance exactly, nothing is negative, luck is paired, time is local."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest.clock import stopwatch
from tests.supply_views import MIX, ZONE, measures
from twin.supplies import Asked, Plan, Start, SupplyChange, SupplyRun, changed, meals_foreseen, plan_of, run_supplies
from twin.supply_file import Item, ItemEntry, Need, load_supplies
from twin.supply_luck import CELLS, SupplyLuck, draw
from twin.supply_needs import Exposures, Grid, expected

AT = datetime(2026, 3, 3, 6, tzinfo=UTC)
SUPPLIES = load_supplies()
ITEMS = SUPPLIES.items


def entry(**more: Any) -> ItemEntry:
    """An item of which one is used per arrival, without luck worth speaking of."""
    told: dict[str, Any] = {
        "service": "linen", "fr": "x", "en": "x", "unit_fr": "u", "unit_en": "u",
        "needs": [{"per": "arrival", "rate": 1.0, "source": "set"}],
        "spread": {"day_cv": 0.0, "batch": 0.001, "source": "set"},
    }  # fmt: skip
    return ItemEntry.model_validate(told | more)


def stock(**more: Any) -> Item:
    """A stock of 100, filled up at noon, ordered at once."""
    told = {"up_to": {"count": 100, "source": "set"}, "deliveries": {"at": ["12:00"], "source": "set"}}
    return Item("x", entry(**told | more))


def luck_of(items: tuple[Item, ...], members: int, *, seed: int = 1, usual: float = 300.0) -> SupplyLuck:
    spread = [item.told.spread for item in items]
    return draw([s.batch for s in spread], [s.day_cv for s in spread], np.full(len(items), usual), members, seed=seed)


def ran(item: Item, need_a_step: float, *, have: int = 100, steps: int = 48, at: datetime = AT, since: float = 0.0,
        changes: tuple[SupplyChange, ...] = (), members: int = 3) -> SupplyRun:  # fmt: skip
    """One item of which so much is needed in every step; two hours of it are left out of luck."""
    grid = Grid(at, steps, ZONE)
    plan = changed(plan_of([item], grid, np.array([need_a_step * 4])), [item], changes)
    start = Start(np.array([have]), np.array([since]))
    asked = Asked(np.full((1, steps, members), need_a_step), {})
    return run_supplies([item], plan, start, asked, luck_of((item,), members))


def whole(*, members: int = 40, seed: int = 1, steps: int = 96, share: float = 1.0,
          changes: tuple[SupplyChange, ...] = (), at: datetime = AT, more: float = 1.0) -> SupplyRun:  # fmt: skip
    """All shipped items on a day of a middling hospital."""
    told = {name: values[: steps + 1] for name, values in measures(members, more=more).items()}
    grid = Grid(at, steps, ZONE)
    exposures = Exposures(told, grid)
    need = expected(ITEMS, exposures, MIX)
    usual = np.array([7.0 for _ in ITEMS])
    plan = changed(plan_of(ITEMS, grid, usual), ITEMS, changes)
    start = Start((share * plan.up_to).astype(np.int64), np.full(len(ITEMS), 3.0))
    asked = Asked(need, meals_foreseen(ITEMS, plan, exposures, MIX))
    return run_supplies(ITEMS, plan, start, asked, luck_of(ITEMS, members, seed=seed, usual=170.0))


def faults(run: SupplyRun) -> list[str]:
    """What does not balance, is negative, or is needed and neither served nor missing."""
    out = []
    if np.any(run.first.balance(run.accounts)):
        out.append("the books do not balance")
    books = [getattr(run.accounts, name) for name in run.accounts.__dataclass_fields__]
    if min(int(book.min()) for book in (*books, run.need, run.stock, run.unmet)) < 0:
        out.append("negative")
    need, unmet = run.need.sum(axis=1), run.unmet.sum(axis=1)
    for row, item in enumerate(ITEMS if len(run.need) == len(ITEMS) else ()):
        left = {"work": run.stock[row, -1], "device": need[row]}.get(item.kind, unmet[row])
        if not np.array_equal(need[row], run.accounts.served[row] + left):
            out.append(f"{item.name}: needed and forgotten")
    return out


CHANGES = st.lists(
    st.builds(
        lambda service, first, length, factor, lost, how, capacity: SupplyChange(
            service=service, from_min=first, until_min=first + length, factor=factor, lost_share=lost,
            deliveries=how, delay_min=95.0 if how == "delayed" else 0.0, capacity=capacity,
        ),
        st.sampled_from([s.name for s in SUPPLIES.services]), st.floats(0, 1500), st.floats(15, 1500),
        st.floats(0, 4), st.floats(0, 1), st.sampled_from(["on_time", "missed", "delayed"]), st.floats(0, 3),
    ),
    max_size=4,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    CHANGES, st.floats(0, 1.5), st.integers(1, 96), st.integers(0, 1000),
    st.integers(0, 7 * 24 * 4).map(lambda quarters: AT + timedelta(minutes=15 * quarters)),
)  # fmt: skip
def test_over_any_member_and_any_change_the_books_balance_to_the_unit(
    changes: list[SupplyChange], share: float, steps: int, seed: int, at: datetime
) -> None:
    assert faults(whole(members=5, seed=seed, steps=steps, share=share, changes=tuple(changes), at=at)) == []


def test_books_with_a_unit_lost_on_the_way_are_seen() -> None:
    run = whole()
    leaky = replace(run, accounts=replace(run.accounts, used=run.accounts.used - (run.accounts.used > 0)))
    assert "the books do not balance" in faults(leaky), "the mutant"
    below = replace(run, stock=run.stock - 10_000)
    assert "negative" in faults(below), "the mutant"
    forgotten = replace(run, unmet=run.unmet + 1)
    assert any("forgotten" in fault for fault in faults(forgotten)), "the mutant"


def test_a_stock_goes_down_by_what_is_used_and_is_filled_up_at_its_delivery() -> None:
    run = ran(stock(), 2.0)  # 7:00 to 19:00 local; the lorry comes at 12:00, the end of step 19
    assert run.need.sum() == pytest.approx(3 * 96, abs=3)
    assert run.stock[0, :20:5, 0] == pytest.approx([100, 90, 80, 70], abs=1)
    assert run.stock[0, 20, 0] == pytest.approx(98, abs=1)
    assert run.lasts_min[0] == pytest.approx(50 * 15, abs=10)
    assert np.all(np.isinf(run.short_min))


def test_what_is_needed_and_not_there_is_unmet_and_never_a_negative_stock() -> None:
    run = ran(stock(), 10.0, have=55)
    assert run.unmet[0, :5].sum() == 0
    assert run.unmet[0, 6:19].sum() == pytest.approx(3 * 130, abs=3)
    assert run.short_min[0] == pytest.approx(90)
    assert run.lasts_min[0] == pytest.approx(82.5, abs=3)


def test_what_was_used_since_the_count_is_not_there_any_more() -> None:
    assert ran(stock(), 1.0, since=30.0).stock[0, 0] == pytest.approx(70, abs=1)


def test_what_is_beyond_the_end_is_told_by_the_pace() -> None:
    assert ran(stock(), 1.0, steps=16).lasts_min[0] == pytest.approx(1500, rel=0.07)


def test_a_missed_delivery_comes_with_the_next_a_delayed_one_later_and_a_loss_is_lost() -> None:
    item = stock(deliveries={"at": ["9:00", "12:00"], "source": "set", "ordered_h": 1})
    missed = SupplyChange(item="x", until_min=150, deliveries="missed")
    usual, without = ran(item, 4.0, steps=40), ran(item, 4.0, steps=40, changes=(missed,))
    assert usual.stock[0, 8, 0] > 76 > without.stock[0, 8, 0]
    assert without.stock[0, 20, 0] == pytest.approx(usual.stock[0, 20, 0], abs=20)
    late = ran(
        item, 4.0, steps=40, changes=(SupplyChange(item="x", until_min=150, deliveries="delayed", delay_min=60),)
    )
    assert late.stock[0, 8, 0] == without.stock[0, 8, 0]
    assert late.stock[0, 12, 0] > without.stock[0, 12, 0] + 10
    burnt = ran(item, 4.0, steps=8, changes=(SupplyChange(item="x", from_min=30, lost_share=0.5),))
    assert burnt.accounts.lost[0] == pytest.approx(46, abs=2)


def test_linen_comes_back_from_the_laundry_less_what_is_worn() -> None:
    item = stock(
        laundry={"hours": 3, "source": "set", "worn_share": 0.1}, deliveries={"at": ["12:00"], "source": "set"}
    )
    run = ran(item, 2.0, have=100)
    used_by_nine = 2 * 8
    assert run.stock[0, 20, 0] == pytest.approx(100 - 40 + 0.9 * used_by_nine, abs=2)
    assert run.first.balance(run.accounts).max() == 0
    assert run.accounts.used[0] == pytest.approx(0.1 * used_by_nine, abs=1)


def meals(cut_off_h: float) -> Item:
    kitchen = {"at": ["12:00"], "cut_off_h": cut_off_h, "margin_share": 0.0, "source": "set"}
    return Item("m", entry(needs=[{"per": "serving", "where": "wards", "rate": 1.0, "source": "set"}], kitchen=kitchen))


def served(item: Item, wards: np.ndarray, changes: tuple[SupplyChange, ...] = ()) -> SupplyRun:
    grid = Grid(AT, 24, ZONE)
    exposures = Exposures({"ed_census": np.zeros((25, 2)), "census:a": np.repeat(wards[:, None], 2, axis=1)}, grid)
    plan = changed(plan_of([item], grid, np.ones(1)), [item], changes)
    asked = Asked(expected([item], exposures, {}), meals_foreseen([item], plan, exposures, {}))
    return run_supplies([item], plan, Start(np.zeros(1, dtype=np.int64), np.zeros(1)), asked, luck_of((item,), 2))


def test_meals_are_ordered_for_those_who_are_there_at_the_cut_off_and_too_few_come_late() -> None:
    wards = np.where(np.arange(25) < 10, 80.0, 100.0)  # twenty more come at 9:30
    run = served(meals(4.0), wards)
    assert run.need[0, 19] == pytest.approx(100, abs=1)
    assert run.unmet[0].sum(axis=0) == pytest.approx(20, abs=1)
    assert served(meals(1.0), wards).unmet.sum() <= 2
    fewer = served(meals(4.0), wards[::-1].copy())
    assert fewer.accounts.thrown_away[0] == pytest.approx(20, abs=1)
    down = served(meals(1.0), wards, (SupplyChange(item="m", deliveries="missed"),))
    assert down.unmet[0].sum(axis=0) == pytest.approx(100, abs=1)


def test_devices_are_free_again_and_work_that_cannot_be_done_waits() -> None:
    need = [{"per": "patient", "where": "ed", "rate": 1.0, "source": "set"}]
    device = Item("d", entry(needs=need, owned={"count": 8, "source": "set"}))
    run = ran(device, 5.2)
    assert set(np.unique(run.stock[0])) <= {2, 3}
    assert ran(device, 9.7).unmet.min() >= 1
    work = Item("w", entry(capacity={"hours": {"0-24": 8.0}, "count": True, "source": "set"}))
    assert ran(work, 1.5).stock[0, -1].max() <= 2
    waits = ran(work, 3.0)
    assert waits.stock[0, -1] == pytest.approx(48, abs=2)
    assert np.isfinite(waits.short_min).all()


def test_the_same_luck_under_a_scenario_that_changes_nothing_moves_nothing() -> None:
    first, again = whole(), whole(changes=(SupplyChange(service="linen", factor=1.0),))
    assert np.array_equal(first.stock, again.stock)
    assert np.array_equal(first.lasts_min, again.lasts_min)
    assert not np.array_equal(first.need, whole(seed=2).need), "the mutant"


def test_who_needs_more_goes_further_on_the_same_way() -> None:
    changes = tuple(SupplyChange(service=s.name, factor=1.2) for s in SUPPLIES.services)
    first, more = whole(share=0.3), whole(share=0.3, changes=changes)
    more_needed = more.need.sum(axis=1) - first.need.sum(axis=1)
    assert more_needed.min() >= 0
    assert more_needed.mean() > 5


def test_the_luck_of_a_member_does_not_depend_on_how_many_there_are() -> None:
    few, many = (luck_of(ITEMS, members) for members in (4, 9))
    assert np.array_equal(few.level, many.level[:, :4])
    assert np.array_equal(few.way, many.way[:, :4])
    assert np.array_equal(few.start, many.start[:, :4])


def test_what_is_used_has_the_mean_and_the_variance_that_it_should() -> None:
    luck = draw([3.0], [0.0], np.array([200.0]), 20_000, seed=4)
    used = luck.used(0, np.full((1, 20_000), 120.0))[0]
    assert used.mean() == pytest.approx(120, abs=0.6)
    assert used.var() == pytest.approx(360, rel=0.06)
    far = luck.used(0, np.full((1, 20_000), 1500.0))[0]
    assert far.mean() == pytest.approx(1500, rel=0.01), "beyond the end of the way it begins again"
    assert luck.way.shape[2] == CELLS + 1


def test_local_times_of_deliveries_follow_the_clock_through_its_changes() -> None:
    spring = Grid(datetime(2026, 3, 28, 12, tzinfo=UTC), 4 * 48, ZONE)
    assert spring.times(["7:00"], range(1, 8)) == [
        datetime(2026, 3, 29, 5, tzinfo=UTC),
        datetime(2026, 3, 30, 5, tzinfo=UTC),
    ]
    autumn = Grid(datetime(2026, 10, 24, 12, tzinfo=UTC), 4 * 48, ZONE)
    assert autumn.times(["7:00"], [7]) == [datetime(2026, 10, 25, 6, tzinfo=UTC)]
    assert autumn.times(["7:00"], [6]) == []


def test_patients_arrivals_and_exits_are_counted_by_the_hour_that_they_fall_in() -> None:
    grid = Grid(AT, 96, ZONE)
    rng = np.random.default_rng(2)
    came = rng.poisson(3.0, 120).astype(float)  # by quarter, from 4 before the grid on
    hourly = np.array([came[k : k + 4].sum() for k in range(97)])[:, None]
    exposures = Exposures({"ed_arrivals": hourly, "ed_census": np.full((97, 1), 8.0)}, grid)
    need = Need(per="arrival", rate=1.0, source="set")
    stay = Need(per="patient_hour", where="ed", rate=1.0, source="set")
    assert exposures.of(need).sum() == pytest.approx(came[4:100].sum(), rel=0.03)
    assert exposures.of(stay).sum() == pytest.approx(8 * 24)


def test_exits_from_wards_are_those_who_came_less_those_by_whom_they_are_fuller() -> None:
    there = 100.0 - 2.0 * np.arange(97)[:, None] / 4  # two fewer an hour
    exposures = Exposures({"admissions": np.full((97, 1), 3.0), "census:a": there}, Grid(AT, 96, ZONE))
    need = Need(per="ward_exit", rate=1.0, source="set")
    assert exposures.of(need).sum() == pytest.approx(5 * 24)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({}, "item or service must be given"),
        ({"item": "a", "service": "b"}, "one of them"),
        ({"item": "a", "from_min": 60, "until_min": 30}, "later than from_min"),
        ({"item": "a", "deliveries": "delayed"}, "delay_min must be given"),
        ({"item": "a", "lost_share": 1.4}, "less than or equal to 1"),
        ({"item": "a", "factr": 2}, "Extra inputs"),
    ],
)
def test_a_change_that_cannot_be_is_refused_in_words(told: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        SupplyChange.model_validate(told)


def test_a_change_of_a_time_of_day_is_later_by_the_clock_and_a_loss_is_suffered_once() -> None:
    at_noon = SupplyChange(item="x", from_clock="12:00", until_clock="14:00", lost=5).at(AT, ZONE)
    assert (at_noon.from_min, at_noon.until_min) == (300, 420)
    later = at_noon.begun(330)
    assert (later.from_min, later.until_min, later.lost) == (0, 90, 0)
    assert at_noon.begun(60).lost == 5
    assert at_noon.delayed(30).from_min == 330


def test_a_thousand_members_take_well_under_a_second() -> None:
    whole(members=1000)
    began = stopwatch()
    run = whole(members=1000)
    assert stopwatch() - began < 1.5  # 0.12 s on an idle core
    assert run.stock.shape == (len(ITEMS), 97, 1000)


def test_a_plan_that_is_not_changed_is_the_same_plan() -> None:
    grid = Grid(AT, 96, ZONE)
    plan: Plan = plan_of(ITEMS, grid, np.ones(len(ITEMS)))
    assert changed(plan, ITEMS, (SupplyChange(item="nothing_of_the_name", factor=3.0),)) is plan
