"""Example values of the page of supplies: a made-up day, with stocks counted, lean and never counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np

from forecast.supplies import SuppliesKnown, supplies_outlook
from forecast.supplies_told import view_of
from forecast.supplies_view import ItemView, SuppliesView
from forecast.values import Array, Forecast, Members
from tests.boards import MADE_AT
from twin.scenarios import Scenario, ScenarioEntry, catalogue
from twin.supplies import SupplyChange
from twin.supply_file import Supplies, load_supplies
from twin.supply_needs import Exposures, Grid, expected
from twin.supply_start import Clock, StockTold, Use

ZONE = "Europe/Paris"
LEAD = np.arange(0.0, 1441.0, 15.0)
MIX = {"1": 0.01, "2": 0.08, "3A": 0.15, "3B": 0.30, "4": 0.33, "5": 0.13}
HOSPITAL = "Centre hospitalier de Valmont"


@cache
def measures(members: int = 200, seed: int = 3, more: float = 1.0) -> dict[str, Array]:
    """A day of a middling hospital, `(lead, member)`."""
    rng = np.random.default_rng(seed)
    hour = (LEAD / 60.0 + 15.5) % 24
    wave = 1.0 + 0.6 * np.sin((hour - 9.0) / 24 * 2 * np.pi)
    slow = 1.0 + 0.05 * rng.standard_normal(members)
    arrivals = rng.poisson(9.0 * more * wave[:, None] * slow)
    return {
        "ed_census": np.round(45 * more * wave[:, None] * slow), "ed_arrivals": arrivals.astype(float),
        "ed_departures": np.roll(arrivals, 8, axis=0).astype(float),
        "admissions": rng.poisson(2.0 * wave[:, None] * slow).astype(float),
        "census:medicine": np.round(210 + 6 * wave[:, None] * slow),
        "census:intensive_care": np.round(14 + 2 * wave[:, None] * slow),
    }  # fmt: skip


def forecast(scenarios: dict[str, float]) -> Forecast:
    """Members of scenarios, with so many times as many patients in the department."""
    members = {name: Members(LEAD, measures(more=more)) for name, more in scenarios.items()}
    return Forecast(MADE_AT, MADE_AT, MADE_AT, LEAD, {}, {}, {}, members=members)


def _spread(supplies: Supplies) -> tuple[Array, Array]:
    """The file's: from day to day, and in short times."""
    told = [(i.told.spread.day_cv, i.told.spread.batch) for i in supplies.items]
    day_cv, batch = (np.array(column) for column in zip(*told, strict=True))
    return day_cv, batch


def known(supplies: Supplies, *, stock_share: float = 0.6, counted: bool = True) -> SuppliesKnown:
    """The hospital's supplies at that moment, each stock so full."""
    past = {name: values[:, :1] for name, values in measures(2, seed=9).items()}
    grid = Grid(MADE_AT - timedelta(days=1), LEAD.size - 1, ZONE)
    exposures = Exposures(past, grid)
    clock = Clock.of(grid, expected(supplies.items, exposures, MIX)[:, :, 0])
    n = len(supplies.items)
    use = Use(np.ones(n), np.full(n, 0.05), *_spread(supplies), np.zeros(n))
    usual = clock.usual(supplies.items)
    full = tuple(i.told.up_to.of(float(u)) if i.told.up_to else 0 for i, u in zip(supplies.items, usual, strict=True))
    at = MADE_AT - timedelta(hours=3)
    told = tuple(
        StockTold(at, round(stock_share * (0.3 if i.told.service == "blood" else 1.0) * much),
                  "counted" if counted else "usual", at if counted else None)
        for i, much in zip(supplies.items, full, strict=True)
    )  # fmt: skip
    return SuppliesKnown(supplies, clock, use, exposures, MIX, told, full, usual, MADE_AT, ZONE)


class SupplyEntry(ScenarioEntry):
    """A scenario that changes supplies."""

    supplies: tuple[SupplyChange, ...] = ()


def missed(service: str) -> Scenario:
    """A service whose deliveries do not come."""
    change = SupplyChange(service=service, deliveries="missed")
    return Scenario(f"no_{service}", SupplyEntry(fr="Livraisons manquées", en="Deliveries missed", supplies=(change,)))


@cache
def _made(stock_share: float, counted: bool) -> SuppliesView:
    supplies = load_supplies()
    scenarios = [catalogue()["as_usual"], catalogue()["mass_casualty_20"], missed("linen"), missed("catering")]
    told = forecast({"as_usual": 1.0, "mass_casualty_20": 1.25, "no_linen": 1.0, "no_catering": 1.0})
    outlook = supplies_outlook(known(supplies, stock_share=stock_share, counted=counted), told, scenarios, 4)
    return view_of(outlook, MADE_AT, HOSPITAL, "live")


def ordinary_supplies() -> SuppliesView:
    """Stocks that were counted three hours ago."""
    return _made(0.6, True)


def lean_supplies() -> SuppliesView:
    """Little of everything."""
    return _made(0.12, True)


def uncounted() -> SuppliesView:
    """Nobody counts."""
    return _made(1.0, False)


def no_forecast() -> SuppliesView:
    """Before the first forecast."""
    return SuppliesView(MADE_AT, ZONE, HOSPITAL, "live")


def broken() -> SuppliesView:
    """Something went wrong."""
    return replace(no_forecast(), fault="ValueError")


def item(view: SuppliesView, name: str) -> ItemView:
    """One item of a view."""
    return next(one for one in view.items if one.name == name)


VIEWS: dict[str, Callable[[], SuppliesView]] = {
    "ordinary": ordinary_supplies, "lean": lean_supplies, "uncounted": uncounted, "nothing": no_forecast,
    "broken": broken,
}  # fmt: skip
