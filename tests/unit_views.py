"""Example views of the forecast by unit, from members drawn with known means."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from forecast.by_unit import by_unit
from forecast.by_unit_view import ByUnitView
from forecast.values import Array, Forecast, Members
from twin.hospital import Hospital, load_hospital

MADE_AT = datetime(2026, 11, 24, 13, 34, tzinfo=UTC)
MEMBERS = 400
DIVISION = ("Pôle A", "Division A")


def hospital() -> Hospital:
    """The shipped one, two of its wards of one specialty."""
    shipped = load_hospital()
    first, second = (ward.name for ward in shipped.wards[:2])
    units = tuple(replace(u, group=DIVISION) if u.name in (first, second) else u for u in shipped.units)
    return replace(shipped, units=units)


def forecast_of(*, free: float = 4.0, department: bool = True, hours: int = 24) -> Forecast:
    """Members whose wards rise and fall together by half, so that sums are wider than independent ones."""
    rng = np.random.default_rng(11)
    lead = np.arange(0.0, hours * 60 + 1, 15.0)
    shared = rng.normal(0.0, 1.0, (lead.size, MEMBERS))
    measures: dict[str, Array] = {}
    for number, ward in enumerate(hospital().wards):
        own = rng.normal(0.0, 1.0, (lead.size, MEMBERS))
        measures[f"beds_free:{ward.name}"] = np.round(free - number + 2.0 * shared + own)
        measures[f"census:{ward.name}"] = ward.places - measures[f"beds_free:{ward.name}"]
    if department:
        measures["ed_census"] = np.maximum(0.0, np.round(48.0 + 5.0 * shared))
        measures["ed_waiting"] = np.maximum(0.0, np.round(14.0 + 3.0 * shared))
        measures["ed_boarders"] = np.maximum(0.0, np.round(8.0 + 2.0 * shared))
    members = {"as_usual": Members(lead, measures)}
    at = MADE_AT - timedelta(minutes=4)
    return Forecast(at, at, at, lead, {}, {}, {}, members=members)


def ordinary_units() -> ByUnitView:
    """Four hours ahead, in words."""
    return by_unit(forecast_of(), hospital(), MADE_AT, "live")


def quantiles() -> ByUnitView:
    """The next morning, as quantiles."""
    return by_unit(forecast_of(), hospital(), MADE_AT, "live", "?at=morning&form=quantiles")


def full() -> ByUnitView:
    """A hospital that is over full."""
    return by_unit(forecast_of(free=-1.0), hospital(), MADE_AT, "live", "?at=8")


def no_wards() -> ByUnitView:
    """A log without wards."""
    told = forecast_of()
    [(name, members)] = told.members.items()
    department = {m: v for m, v in members.measures.items() if m.startswith("ed_")}
    return by_unit(replace(told, members={name: replace(members, measures=department)}), hospital(), MADE_AT, "live")
