"""What a forecast says of supplies: as the page has it, as it is kept, and as the command prints it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from forecast.supplies import NEXT_H, SuppliesOutlook
from forecast.supplies_view import Effect, Instants, ItemAhead, ItemView, Range, ServiceView, Serving, SuppliesView
from forecast.supply_archive import SupplyRow
from forecast.values import Array
from twin.scenarios import Scenario
from twin.supplies import DEVICE, MEALS, STOCK, Plan, SupplyRun
from twin.supply_file import Item
from twin.supply_needs import Grid

_THREE = (0.1, 0.5, 0.9)
LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Quantile levels by hour."""
_FARTHEST = timedelta(days=30)
"""What lasts longer is not told to the day."""


def view_of(outlook: SuppliesOutlook, made_at: datetime, hospital: str, mode: str) -> SuppliesView:
    """The page of a forecast's supplies."""
    items, grid = outlook.known.supplies.items, outlook.first.grid
    shown = _hourly(grid)
    of_item = [_item(outlook, place, item, shown) for place, item in enumerate(items)]
    services = tuple(
        ServiceView(s.name, s.fr, s.en, tuple(one for one in of_item if one.service == s.name))
        for s in outlook.known.supplies.services
    )
    valid_at = tuple(grid.at(int(step)) for step in shown)
    return SuppliesView(made_at, outlook.known.zone, hospital, mode, grid.start_at, valid_at, services)


def told_of_each(outlook: SuppliesOutlook) -> list[SupplyRow]:
    """What is kept of every scenario and item."""
    shown, rows = _hourly(outlook.first.grid), []
    for number, scenario in enumerate(outlook.scenarios):
        run = outlook.runs[scenario.name]
        for place, item in enumerate(outlook.known.supplies.items):
            ahead = _ahead(outlook, place, run, outlook.plans[scenario.name], shown)
            lasts = np.quantile(run.lasts_min[place], LEVELS, method="nearest") if item.kind == STOCK else []
            rows.append(SupplyRow(scenario.name, number, item.name, run.grid.start_at, ahead, tuple(map(float, lasts))))
    return rows


def _hourly(grid: Grid) -> np.ndarray[Any, np.dtype[np.int64]]:
    every = max(1, round(60.0 / grid.step_min))
    return np.arange(0, grid.steps + 1, every)


def _item(outlook: SuppliesOutlook, place: int, item: Item, shown: Any) -> ItemView:
    known, run, told = outlook.known, outlook.first, item.told
    steps = min(run.grid.steps, round(NEXT_H * 60.0 / run.grid.step_min))
    soon = run.need[place, :steps]
    return ItemView(
        name=item.name, service=told.service, fr=told.fr, en=told.en, unit_fr=told.unit_fr, unit_en=told.unit_en,
        place_fr=told.place_fr, place_en=told.place_en, kind=item.kind,
        now=_range(run.stock[place, 0]), basis=known.told[place].basis, counted_at=known.told[place].counted_at,
        full=int(outlook.plan.up_to[place]) if item.kind == DEVICE else known.full[place],
        deliveries=tuple(d.at for d in outlook.plan.deliveries if d.item == place and d.due is not None),
        need_next=_range(soon.max(axis=0) if item.kind == DEVICE else soon.sum(axis=0)),
        ahead=_ahead(outlook, place, run, outlook.plan, shown),
        learned_from=int(known.use.intervals[place]), factor=float(known.use.factor[place]),
        effects=tuple(_effect(outlook, place, scenario) for scenario in outlook.scenarios[1:]),
    )  # fmt: skip


def _ahead(outlook: SuppliesOutlook, place: int, run: SupplyRun, plan: Plan, shown: Any) -> ItemAhead:
    item = outlook.known.supplies.items[place]
    short = run.short_min[place]
    due = [d.due for d in plan.deliveries if d.item == place and d.due is not None]
    lacks = np.isfinite(short)
    next_min = min(due) * run.grid.step_min if due and item.kind == STOCK else None
    servings = _servings(outlook, place, run) if item.kind == MEALS else ()
    short_at = run.grid.start_at + timedelta(minutes=float(np.median(short[lacks]))) if lacks.any() else None
    if servings and short_at is not None:
        short_at = max(servings, key=lambda one: one.p_late).at
    return ItemAhead(
        need=_range(_needed(run, place, item)),
        need_by_hour=_by_level(_hourly_need(run, place, item, shown)),
        stock=_by_level(run.stock[place][shown]),
        lasts_until=_lasts(run, place, item),
        p_short=float(lacks.mean()),
        p_short_before_next=None if next_min is None else float((short <= next_min).mean()),
        short_at=short_at,
        missing=float(_missing(run, place, item).mean()),
        servings=servings,
    )


def _by_level(values: Any) -> dict[float, tuple[float, ...]]:
    """Quantiles over members of `(time, member)`."""
    quantiles = np.quantile(values, LEVELS, axis=1, method="nearest")
    return {level: tuple(map(float, row)) for level, row in zip(LEVELS, quantiles, strict=True)}


def _hourly_need(run: SupplyRun, place: int, item: Item, shown: Any) -> Array:
    total = np.maximum if item.kind == DEVICE else np.add
    return np.asarray(total.reduceat(run.need[place], shown[:-1], axis=0))


def _needed(run: SupplyRun, place: int, item: Item) -> Array:
    return np.asarray(run.need[place].max(axis=0) if item.kind == DEVICE else run.need[place].sum(axis=0))


def _missing(run: SupplyRun, place: int, item: Item) -> Array:
    """What is needed and not there in all; of devices and work, the most at once."""
    unmet = run.unmet[place]
    return np.asarray(unmet.sum(axis=0) if item.kind in (STOCK, MEALS) else unmet.max(axis=0), dtype=np.float64)


def _lasts(run: SupplyRun, place: int, item: Item) -> Instants:
    if item.kind != STOCK:
        return None, None, None
    early, middle, late = (
        run.grid.start_at + timedelta(minutes=float(m)) if m <= _FARTHEST / timedelta(minutes=1) else None
        for m in np.quantile(run.lasts_min[place], _THREE, method="nearest")
    )
    return early, middle, late


def _servings(outlook: SuppliesOutlook, place: int, run: SupplyRun) -> tuple[Serving, ...]:
    """Serving by serving, at its hour, whenever its meals come."""
    kitchen = outlook.known.supplies.items[place].told.kitchen
    out = []
    for number, delivery in enumerate(outlook.plan.deliveries):
        if delivery.item != place or delivery.due is None or kitchen is None:
            continue
        needed, late = run.need[place, delivery.due], run.unmet[place, delivery.due]
        closes_at = delivery.at - timedelta(hours=kitchen.cut_off_h)
        out.append(
            Serving(delivery.at, closes_at, _range(run.meals[number].astype(np.float64)), _range(needed),
                    float((late > 0).mean()), float(late.mean()))
        )  # fmt: skip
    return tuple(out)


def _effect(outlook: SuppliesOutlook, place: int, scenario: Scenario) -> Effect:
    item, first, run = outlook.known.supplies.items[place], outlook.first, outlook.runs[scenario.name]
    more = _needed(run, place, item).astype(np.int64) - _needed(first, place, item)
    missing = _missing(run, place, item)
    return Effect(
        scenario.name, scenario.sentence("fr"), scenario.sentence("en"), _range(more),
        float(np.isfinite(run.short_min[place]).mean()), _lasts(run, place, item), float(missing.mean()),
        _range(missing - _missing(first, place, item)),
    )  # fmt: skip


def _range(values: Array) -> Range:
    low, middle, high = np.quantile(values, _THREE, method="nearest").tolist()
    return float(low), float(middle), float(high)


# --- the command -----------------------------------------------------------------------------------------------------


def as_json(view: SuppliesView) -> dict[str, Any]:
    """The page as the command prints it; what is not known is null."""
    return {
        "as_of": _iso(view.as_of),
        "valid_at": [_iso(at) for at in view.valid_at],
        "services": {s.name: {item.name: _item_json(item) for item in s.items} for s in view.services},
        "first_out": [item.name for item in view.first_out],
    }


def _item_json(item: ItemView) -> dict[str, Any]:
    ahead = item.ahead
    return {
        "kind": item.kind, "unit": item.unit_en, "now": list(item.now), "basis": item.basis,
        "counted_at": _iso(item.counted_at), "full": item.full,
        "deliveries": [_iso(at) for at in item.deliveries], "need_next": list(item.need_next), "need": list(ahead.need),
        "need_by_hour": {f"{level:g}": list(values) for level, values in ahead.need_by_hour.items()},
        "stock": {f"{level:g}": list(values) for level, values in ahead.stock.items()},
        "lasts_until": [_iso(at) for at in ahead.lasts_until],
        "p_short": round(ahead.p_short, 4), "short_at": _iso(ahead.short_at), "missing": round(ahead.missing, 2),
        "p_short_before_next": None if ahead.p_short_before_next is None else round(ahead.p_short_before_next, 4),
        "servings": [
            {"at": _iso(one.at), "closes_at": _iso(one.closes_at), "ordered": list(one.ordered),
             "needed": list(one.needed), "p_late": round(one.p_late, 4), "late": round(one.late, 2)}
            for one in ahead.servings
        ],
        "learned_from": item.learned_from, "factor": round(item.factor, 4),
        "scenarios": {
            one.scenario: {"need_more": list(one.need_more), "p_short": round(one.p_short, 4),
                           "lasts_until": [_iso(at) for at in one.lasts_until], "missing": round(one.missing, 2),
                           "missing_more": list(one.missing_more)}
            for one in item.effects
        },
    }  # fmt: skip


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
