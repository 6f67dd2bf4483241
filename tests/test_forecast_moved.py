"""Why a forecast moved: each block alone moves its own share, and the blocks add up to the change of what is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from forecast import moved as module
from forecast.board import Moved
from forecast.calibrated import Correction, Recalibration
from forecast.ensemble import Run, drawn
from forecast.issue import Times, issue
from forecast.moved import (
    ADOPTED,
    ARRIVALS,
    BLOCKS,
    CAPACITY,
    CORRECTION,
    LEARNED,
    PATIENTS,
    Remembered,
    Said,
    moved,
    said,
)
from forecast.situation import Situation, situation_of
from ingest.events import Arrived, EventId, VisitId
from tests.histories import NOON, calibration, scenarios, situation, state
from twin.calibrate import Calibration
from twin.scenarios import Scenario, scenario_from
from twin.state import fold

HOUR = timedelta(hours=1)
BEFORE = Run(members=60, horizon_min=300.0, seed=5)
NOW = replace(BEFORE, seed=6)
USUAL = scenarios("as_usual")[0]


@cache
def before() -> Said:
    return as_said(situation(NOON), BEFORE)


def as_said(of: Situation, how: Run, correction: Recalibration | None = None, usual: Scenario = USUAL) -> Said:
    forecast = issue(of, [usual], how, Times(of.as_of, of.as_of, of.as_of), recalibration=correction)
    return said(of, how, forecast, usual)


def later(known: Calibration | None = None, more: int = 0) -> Situation:
    """An hour later, with so many more arrivals than there were, half an hour ago."""
    at = NOON + timedelta(minutes=30)
    extra = [
        Arrived(
            event_id=EventId(f"more/{i}"), occurred_at=at, known_at=at, source="t", visit=VisitId(f"more/{i}"),
            age_band="18-74",
        )
        for i in range(more)
    ]  # fmt: skip
    return situation_of(fold(state(NOON + HOUR), extra), known or calibration(), NOON + HOUR)


def why(now: Situation, correction: Recalibration | None = None) -> Moved:
    return moved(before(), as_said(now, NOW, correction))


@cache
def quiet() -> Moved:
    """Nothing but the hour itself."""
    return why(later())


def test_the_blocks_add_up_to_the_change_of_what_is_shown() -> None:
    for found in (quiet(), why(later(more=9))):
        assert sum(found.by.values()) == pytest.approx(found.now - found.before)
        assert [block for block in BLOCKS if block in found.by] == list(found.by)


def test_what_did_not_change_is_no_block() -> None:
    assert set(quiet().by) == {ARRIVALS, PATIENTS, CORRECTION}
    assert quiet().by[CORRECTION] == pytest.approx(0.0)


def test_more_arrivals_than_expected_move_it_and_are_named() -> None:
    """The mutant that leaves the arrivals of the hour to chance lays them at the door of those who were here."""
    found = why(later(more=12))
    assert found.arrived == quiet().arrived + 12
    assert found.arrivals_expected == pytest.approx(quiet().arrivals_expected)
    assert found.by[ARRIVALS] - quiet().by[ARRIVALS] > 5.0
    assert abs(found.by[PATIENTS] - quiet().by[PATIENTS]) < 3.0


def test_mutant_arrivals_left_to_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "with_arrivals", lambda before, now: before)
    found = why(later(more=12))
    assert found.by[ARRIVALS] == pytest.approx(0.0)
    assert found.by[PATIENTS] > 5.0


def test_the_earlier_run_has_exactly_the_arrivals_that_came() -> None:
    now = later(more=7)
    came = np.sort(now.came_min[now.came_min > -60.0] + 60.0)
    again = module.with_arrivals(situation(NOON), now)
    for first_hour in hours_of(again):
        np.testing.assert_allclose(first_hour, came)
    doubled = replace(again, announced=tuple(replace(one, all_until_min=0.0) for one in again.announced))
    assert any(first_hour.size > came.size for first_hour in hours_of(doubled))


def hours_of(of: Situation) -> list[np.ndarray]:
    """Who comes to the department in the first hour, by member: all candidates of a day as usual."""
    _, luck = drawn(of, BEFORE, range(8))
    out = []
    for begin, end in zip(luck.first[:-1], luck.first[1:], strict=True):
        rows = slice(begin, end)
        comes = (luck.group[rows] == 0) & (luck.mark[rows] < 1.0 / 3.0) & (luck.at_min[rows] < 60.0)
        out.append(np.sort(luck.at_min[rows][comes]))
    return out


def test_fewer_doctors_are_told_as_staff() -> None:
    now = later()
    gone = dict.fromkeys(("doctor", "care:doctor"), ((0.0, 0), (60.0, 0)))
    found = why(replace(now, told_ahead=gone))
    assert found.by[CAPACITY] > 3.0
    assert found.by[ARRIVALS] == pytest.approx(quiet().by[ARRIVALS], abs=3.0)


def test_slower_care_is_told_as_learned() -> None:
    known = calibration()
    slower = {name: d.scaled(1.6) if name.startswith("care") else d for name, d in known.parameters.durations.items()}
    anew = replace(known, as_of=NOON + HOUR, parameters=replace(known.parameters, durations=slower))
    found = why(later(anew))
    assert found.by[LEARNED] > 2.0
    assert CAPACITY not in found.by


def test_a_correction_of_past_forecasts_is_told_apart() -> None:
    lead, off = np.array([60.0]), np.full((4, 1), 3.0)
    down = Recalibration("UTC", {"ed_census": Correction(lead, off, np.ones((4, 1)))}, 30)
    found = why(later(), down)
    assert found.by[CORRECTION] == pytest.approx(-3.0, abs=0.2)


def test_exits_close_the_account_of_the_two_presents() -> None:
    found, was = quiet(), before().simulated["ed_census"][0]
    is_now = as_said(later(), NOW).simulated["ed_census"][0]
    assert was + found.arrived - found.left == pytest.approx(is_now)


def test_the_forecast_of_about_an_hour_ago_is_remembered() -> None:
    memory, now = Remembered(), at_minute(120)
    assert memory.before(now) is None
    for minute in range(0, 120, 10):
        memory.keep(at_minute(minute))
    found = memory.before(now)
    assert found is not None
    assert found.situation.as_of == NOON + timedelta(minutes=60)


def test_one_that_is_too_near_or_of_another_path_is_not_compared() -> None:
    memory = Remembered()
    memory.keep(at_minute(30))
    assert memory.before(at_minute(60)) is None
    other = replace(at_minute(0).situation.calibration, path=replace(calibration().path, name="stay"))
    memory.keep(replace(at_minute(0), situation=replace(situation(NOON), calibration=other)))
    assert memory.before(at_minute(60)) is None


def at_minute(minute: float) -> Said:
    return replace(before(), situation=replace(situation(NOON), as_of=NOON + timedelta(minutes=minute)))


def test_what_was_decided_at_the_desk_is_a_block_of_its_own() -> None:
    """The mutant, a forecast that does not say what it carries, leaves it to the patients."""
    change = {"arrivals": [{"factor": 2.0}], "capacity": [{"pool": "largest wards", "add": -5}]}
    carries = replace(scenario_from("x", "x", change), name=USUAL.name)
    told = moved(before(), as_said(later(), NOW, usual=carries))
    assert told.by[ADOPTED] > 4.0
    plain = why(later())
    assert told.by[PATIENTS] + told.by[ARRIVALS] - plain.by[PATIENTS] - plain.by[ARRIVALS] < 0.5 * told.by[ADOPTED]
    assert ADOPTED not in quiet().by
    hidden = replace(as_said(later(), NOW, usual=carries), usual=USUAL)
    assert ADOPTED not in moved(before(), hidden).by
    assert sum(told.by.values()) == pytest.approx(told.now - told.before)
