"""NEDOCS by hand and against the well-known error, levels between thresholds, the minimal need of beds, the nights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
import pytest

from forecast.alert_rules import SiteFacts
from forecast.ensemble import Run, ensemble
from forecast.past import Past, grid_start
from forecast.tension import bjml, category, level, nedocs, usual_thresholds
from forecast.tension_days import days_told
from forecast.tension_now import Told, nedocs_ahead, tension, told_now
from ingest.events import VisitId
from tests.histories import NOON, calibration, scenarios, situation, state
from twin.visit import Visit

Nedocs = Callable[..., object]

# --- NEDOCS

WORKED = [
    # patients, ED beds, boarders, hospital beds, ventilated, longest boarding h, door to bed h -> score, what it means
    ((0, 30, 0, 300, 0, 0.0, 0.0), -20.0, "not_busy"),
    ((30, 30, 0, 300, 0, 0.0, 0.0), 65.8, "extremely_busy"),
    ((40, 30, 6, 300, 1, 10.0, 2.0), 140.38, "severe"),  # -20 + 114.4 + 12 + 13.4 + 9.3 + 11.28
    ((55, 38, 12, 420, 2, 18.5, 3.25), 183.65, "dangerous"),  # -20 + 124.184 + 17.143 + 26.8 + 17.205 + 18.33
    ((18, 24, 2, 200, 0, 3.0, 0.5), 55.96, "busy"),  # -20 + 64.35 + 6 + 2.79 + 2.82
]


def scored(formula: Nedocs, case: tuple[float, ...]) -> float:
    patients, ed_beds, boarders, hospital_beds, ventilated, longest_h, door_h = case
    found = formula(
        patients, boarders, ed_beds=ed_beds, hospital_beds=hospital_beds, ventilated=ventilated,
        longest_boarding_h=longest_h, last_door_to_bed_h=door_h,
    )  # fmt: skip
    return float(found)  # type: ignore[arg-type]


@pytest.mark.parametrize(("case", "score", "means"), WORKED)
def test_nedocs_by_hand(case: tuple[float, ...], score: float, means: str) -> None:
    assert scored(nedocs, case) == pytest.approx(score, abs=0.02)
    assert category(scored(nedocs, case)) == means


def the_calculators(patients: float, boarders: float, *, ed_beds: float, ventilated: float, longest_boarding_h: float,
                    last_door_to_bed_h: float, hospital_beds: float) -> float:  # fmt: skip
    """The mutant that is found on the web: boarders over the department's beds, 13.4 before hours."""
    beds = 85.8 * patients / ed_beds + 600 * boarders / ed_beds
    return -20 + beds + 13.4 * longest_boarding_h + 0.93 * ventilated + 5.64 * last_door_to_bed_h


def test_the_error_of_the_calculators_is_caught() -> None:
    off = [scored(the_calculators, case) - score for case, score, _ in WORKED if case[2]]
    assert min(off) > 50
    assert scored(the_calculators, WORKED[2][0]) > 350


@pytest.mark.parametrize(
    ("score", "means"),
    [(20.0, "not_busy"), (20.1, "busy"), (60.0, "busy"), (100.0, "extremely_busy"), (140.0, "overcrowded"),
     (180.0, "severe"), (180.1, "dangerous")],
)  # fmt: skip
def test_the_limits_of_the_categories(score: float, means: str) -> None:
    assert category(score) == means


def test_a_department_without_beds_has_no_score() -> None:
    with pytest.raises(ValueError, match="more than 0, but are 0 and 300"):
        nedocs(1, 0, ed_beds=0, hospital_beds=300)


# --- HET


@pytest.mark.parametrize(
    ("value", "thresholds", "found"),
    [(100, (110.0, 120.0), 0.0), (105, (110.0, 120.0), 0.5), (110, (110.0, 120.0), 1.0), (120, (110.0, 120.0), 2.0),
     (135, (110.0, 120.0), 3.5), (900, (110.0, 120.0), 4.0), (10, (8.0, 4.0), 0.5), (4, (8.0, 4.0), 2.0)],
)  # fmt: skip
def test_a_level_lies_on_the_line_through_its_thresholds(
    value: float, thresholds: tuple[float, float], found: float
) -> None:
    """The last two: few free beds are bad, so the second threshold is below the first."""
    assert level(value, thresholds) == found


def test_usual_thresholds_are_one_and_two_deviations_on_the_bad_side() -> None:
    past = np.array([8.0, 12.0] * 10)
    spread = past.std(ddof=1)
    assert usual_thresholds(past, inverted=False) == (10 + spread, 10 + 2 * spread)
    assert usual_thresholds(past, inverted=True) == (10 - spread, 10 - 2 * spread)
    assert level(10.0, usual_thresholds(past, inverted=True) or (0, 0)) == 0.0
    assert level(10 - 4 * spread, usual_thresholds(past, inverted=True) or (0, 0)) == 4.0
    assert usual_thresholds(np.full(20, 7.0), inverted=False) is None
    assert usual_thresholds(past[:6], inverted=False) is None


# --- BJML


def test_the_minimal_need_is_the_lower_quarter_of_that_week_in_three_years() -> None:
    """Monday to Sunday of week 10 of 2023 to 2025 have 1 to 21; the week before, and the year 2022, do not count."""
    told = {date.fromisocalendar(2023 + i // 7, 10, 1 + i % 7): i + 1 for i in range(21)}
    told |= {date.fromisocalendar(2025, 9, day): 900 for day in range(1, 8)}
    told |= {date.fromisocalendar(2022, 10, day): 900 for day in range(1, 8)}
    assert bjml(told, date.fromisocalendar(2026, 10, 3)) == (6.0, 3)
    assert bjml(told, date.fromisocalendar(2026, 9, 3)) == (900.0, 1)
    assert bjml(told, date.fromisocalendar(2026, 20, 1)) is None


# --- days


def visit(name: str, arrived_h: float, left_h: float | None, *, to: str = "home", age: str = "75+") -> Visit:
    """Hours from midnight of 2 March 2026 in UTC."""
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    left = None if left_h is None else midnight + timedelta(hours=left_h)
    return Visit(VisitId(name), age_band=age, arrived_at=midnight + timedelta(hours=arrived_h), departed_at=left, to=to)


def test_a_night_counts_for_who_was_here_at_midnight_and_at_eight() -> None:
    visits = [
        visit("all night", 20, 32.0), visit("gone at seven", 20, 31.9), visit("came after midnight", 24.1, 40),
        visit("two nights", 20, 57), visit("younger", 20, 40, age="18-74"), visit("still here", 20, None),
    ]  # fmt: skip
    days = days_told(visits, "UTC", datetime(2026, 3, 1, tzinfo=UTC))
    assert {day.day: told.elderly_night for day, told in days.items()} == {2: 0, 3: 2, 4: 1}
    assert (days[date(2026, 3, 2)].visits, days[date(2026, 3, 2)].elderly) == (5, 4)


def test_a_day_is_the_hospitals_own_and_stays_are_of_those_who_got_a_ward() -> None:
    """Half past eleven in UTC is the next day in Paris."""
    days = days_told([visit("a", 23.5, 30, to="ward")], "Europe/Paris", datetime(2026, 3, 1, tzinfo=UTC))
    assert list(days) == [date(2026, 3, 3)]
    assert (days[date(2026, 3, 3)].hospitalised, days[date(2026, 3, 3)].stays_min) == (1, [390.0])


# --- now and tomorrow, from a real forecast


OFF_THE_QUARTER = NOON + timedelta(minutes=7, seconds=11)
"""As live: cycles are not at whole quarters of an hour."""


@cache
def told(at: datetime = OFF_THE_QUARTER, **facts: int) -> Told:
    known, zone = situation(at), calibration().hospital.zone
    members = ensemble(known, scenarios("as_usual"), Run(members=6))["as_usual"]
    history, _ = Past(grid_start(at)).at(state(at), known.known, calibration(), at)
    days = days_told(state(at).visits.values(), zone, NOON - timedelta(days=60))
    return told_now(state(at), known, members, history, SiteFacts(**facts), None, days)


def test_everything_that_the_log_tells_is_told_now_and_ahead() -> None:
    found = tension(told(ed_beds=14))
    now = {one.name: one.now for one in found.indicators}
    assert all(value is not None for value in now.values())
    assert [one.name for one in found.indicators if one.ahead is None] == ["het3"]
    assert all(one.ahead[0] <= one.ahead[1] <= one.ahead[2] for one in found.indicators if one.ahead)
    assert found.nedocs is not None
    assert found.nedocs_worst is not None
    assert found.nedocs_worst[1] >= found.nedocs - 20
    assert (found.bjml, found.bjml_lacks) == (None, "history")
    assert found.elderly is not None
    assert found.elderly_p is not None
    assert 1 - np.exp(-found.elderly) - 0.2 <= found.elderly_p <= min(1.0, found.elderly + 1e-9)


def test_what_is_not_told_says_what_it_lacks() -> None:
    bare = told()
    assert tension(bare).nedocs_lacks == "spaces"
    assert nedocs_ahead(bare) is None
    young = replace(bare, days={day: replace(one, elderly=0) for day, one in bare.days.items()})
    found = tension(young)
    assert found.elderly_lacks == "ages"
    assert [one.lacks for one in found.indicators][5] == "ages"
    short = replace(bare, members=replace(bare.members, lead_min=bare.members.lead_min[:9], measures={
        name: values[:9] for name, values in bare.members.measures.items()
    }))  # fmt: skip
    assert {one.name: one.lacks for one in tension(short).indicators}["het2"] == "horizon"


def test_the_minimal_need_is_missed_as_often_as_members_offer_less() -> None:
    have = told()
    day = NOON.date()
    before = date.fromisocalendar(day.isocalendar().year - 1, day.isocalendar().week, 1)
    need = {before + timedelta(days=i): 10_000 for i in range(7)}
    days = {d: replace(next(iter(have.days.values())), hospitalised=n) for d, n in need.items()}
    found = tension(replace(have, days={**have.days, **days}))
    assert (found.bjml, found.bjml_years, found.bjml_p_missed) == (10_000.0, 1, 1.0)
    low = {d: replace(one, hospitalised=0) for d, one in days.items()}
    assert tension(replace(have, days={**have.days, **low})).bjml_p_missed == 0.0


def test_nedocs_of_members_is_the_formula_of_their_counts() -> None:
    have = told(ed_beds=14, hospital_beds=100, ventilated=1)
    scores, members = nedocs_ahead(have), have.members.measures
    assert scores is not None
    census, boarders = members["ed_census"][8, 2], members["ed_boarders"][8, 2]
    rest = scores[8, 2] + 20 - 85.8 * census / 14 - 600 * boarders / 100 - 13.4
    assert rest == pytest.approx(float(scores[0, 0]) + 20 - 85.8 * members["ed_census"][0, 0] / 14
                                 - 600 * members["ed_boarders"][0, 0] / 100 - 13.4)  # fmt: skip
    assert rest >= 0
