"""The forecast by unit: means that add up, intervals of sums that are those of the sums."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from dashboard.panels import by_unit as page
from dashboard.words import NBSP, Reader
from forecast.by_unit import by_unit
from forecast.by_unit_view import ByUnitView, UnitRow
from forecast.values import Members
from tests.component_trees import texts
from tests.unit_views import DIVISION, MADE_AT, forecast_of, full, hospital, no_wards, ordinary_units, quantiles

ENGLISH, FRENCH = Reader("en", "Europe/Paris"), Reader("fr", "Europe/Paris")


def of(view: ByUnitView, kind: str, counted: str) -> list[UnitRow]:
    return [row for row in view.rows if (row.kind, row.counted) == (kind, counted)]


@pytest.mark.parametrize("counted", ["free", "patients"])
@pytest.mark.parametrize("view", [ordinary_units(), full()], ids=["ordinary", "full"])
def test_means_add_up_from_ward_to_hospital(view: ByUnitView, counted: str) -> None:
    [everything] = of(view, "all", counted)
    wards = of(view, "ward", counted)
    assert len(wards) == len(hospital().wards)
    assert sum(row.at_hour.mean for row in wards) == pytest.approx(everything.at_hour.mean)
    [group] = [row for row in of(view, "group", counted) if row.en == DIVISION[1]]
    assert sum(row.at_hour.mean for row in wards[:2]) == pytest.approx(group.at_hour.mean)


def summed(rows: Iterable[UnitRow], level: float) -> float:
    """The mutant: quantiles added up."""
    return sum(row.at_hour.quantiles[level] for row in rows)


def test_the_interval_of_a_sum_is_read_from_the_sum() -> None:
    told = forecast_of()
    measures = next(iter(told.members.values())).measures
    view = by_unit(told, hospital(), MADE_AT, "live", "?at=6")
    place = 6 * 4
    by_hand = np.sum([np.maximum(measures[f"beds_free:{w.name}"][place], 0) for w in hospital().wards], axis=0)
    [everything] = of(view, "all", "free")
    assert everything.at_hour.quantiles[0.1] == pytest.approx(np.quantile(by_hand, 0.1))
    assert everything.at_hour.quantiles[0.9] == pytest.approx(np.quantile(by_hand, 0.9))
    assert summed(of(view, "ward", "free"), 0.1) != pytest.approx(np.quantile(by_hand, 0.1), abs=0.5)


def test_a_ward_that_is_over_full_takes_no_bed_of_another_one() -> None:
    assert all(row.at_hour.quantiles[0.1] >= 0 for row in full().rows if row.counted == "free")
    assert any(row.at_hour.quantiles[0.9] == 0 for row in of(full(), "ward", "free"))


def test_at_least_so_many_is_so_in_nine_of_ten_members() -> None:
    told = forecast_of()
    measures = next(iter(told.members.values())).measures
    row = of(ordinary_units(), "ward", "free")[0]
    free = np.maximum(measures[f"beds_free:{hospital().wards[0].name}"], 0)
    assert np.mean(free[16] >= row.at_hour.sure) >= 0.9 > np.mean(free[16] >= row.at_hour.sure + 1)
    assert row.throughout is not None
    assert np.mean(free[:17].min(axis=0) >= row.throughout.sure) >= 0.9
    assert row.throughout.sure <= row.at_hour.sure


@pytest.mark.parametrize(
    ("asked", "hours"), [("", 4), ("at=6", 6), ("at=999", 24), ("at=0", 1), ("at=-3", 4), ("at=x&form=y", 4)]
)
def test_the_hour_asked_for_or_the_nearest_that_there_is(asked: str, hours: int) -> None:
    view = by_unit(forecast_of(), hospital(), MADE_AT, "live", f"?{asked}")
    assert view.at == view.hours[hours]
    assert view.form == "words"


def test_the_next_morning_is_eight_o_clock_there_and_absent_beyond_the_forecast() -> None:
    at = quantiles().at
    assert abs(at - (MADE_AT.replace(hour=7, minute=0) + timedelta(days=1))) <= timedelta(minutes=8)
    short = by_unit(forecast_of(hours=6), hospital(), MADE_AT, "live", "?at=morning")
    assert short.morning_at is None
    assert short.at == short.hours[4]


def test_a_log_without_wards_tells_the_department_alone() -> None:
    assert {row.kind for row in no_wards().rows} == {"department"}


@pytest.mark.parametrize("reader", [ENGLISH, FRENCH], ids=["en", "fr"])
def test_the_page_says_what_the_view_says(reader: Reader) -> None:
    said = texts(page.panel(ordinary_units(), reader))
    [everything] = of(ordinary_units(), "all", "free")
    assert reader.number(everything.at_hour.mean, 1) in said
    assert any(text.startswith("At least" if reader.language == "en" else "Au moins") for text in said)
    quarter = reader.percent(0.25).replace(NBSP, " ")
    assert quarter in texts(page.panel(quantiles(), reader))
    assert quarter not in said


def test_steps_that_leave_hours_out_name_those_that_there_are() -> None:
    told = forecast_of()
    [(name, members)] = told.members.items()
    every_40 = Members(members.lead_min[::2] * (80 / 60), {m: v[::2] for m, v in members.measures.items()})
    view = by_unit(replace(told, members={name: every_40}), hospital(), MADE_AT, "live", "?at=3")
    assert all(at - told.as_of == timedelta(hours=n) for n, at in view.hours.items())
    assert 1 not in view.hours
    assert view.at == view.hours[2]
