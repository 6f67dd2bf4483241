"""A fabricated hospital whose level changes on the way: more arrivals, longer stays, from a day on."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dashboard.commands.fabricate import shift
from ingest.events import Arrived, Departed, Event
from twin.fabricate import FabricatedHospital, FabricationError, LevelShift, fabricate

START = datetime(2025, 1, 6, tzinfo=ZoneInfo("Europe/Paris"))
ROOMY = FabricatedHospital("roomy", "small")
DAYS, AFTER = 28, 14


@cache
def truth(arrivals: float, stays: float) -> list[Event]:
    level = LevelShift(AFTER, arrivals, stays)
    return fabricate(ROOMY, start=START, days=DAYS, seed=5, shift=level).truth


def arrived(events: list[Event]) -> np.ndarray:
    """How many came on each day."""
    days = [(e.occurred_at - START) // timedelta(days=1) for e in events if isinstance(e, Arrived)]
    return np.bincount([day for day in days if 0 <= day < DAYS], minlength=DAYS)


def mean_stay(events: list[Event], since: int, until: int) -> float:
    """Minutes in the department of those who came on some days."""
    came = {e.visit: e.occurred_at for e in events if isinstance(e, Arrived)}
    left = {e.visit: e.occurred_at for e in events if isinstance(e, Departed)}
    between = (START + timedelta(days=since), START + timedelta(days=until))
    stays = [left[v] - at for v, at in came.items() if v in left and between[0] <= at < between[1]]
    return float(np.mean([stay.total_seconds() / 60 for stay in stays]))


def test_a_shift_by_nothing_changes_no_event() -> None:
    assert truth(1.0, 1.0) == fabricate(ROOMY, start=START, days=DAYS, seed=5).truth


def test_arrivals_rise_from_the_day_on_and_not_before() -> None:
    usual, more = arrived(truth(1.0, 1.0)), arrived(truth(1.5, 1.0))
    assert (usual[:AFTER] == more[:AFTER]).all()
    assert 1.4 < more[AFTER:].sum() / usual[AFTER:].sum() < 1.6


def test_stays_lengthen_from_the_day_on_and_not_before() -> None:
    assert mean_stay(truth(1.0, 1.5), 0, AFTER - 1) == mean_stay(truth(1.0, 1.0), 0, AFTER - 1)
    assert mean_stay(truth(1.0, 1.5), AFTER, DAYS - 1) > 1.15 * mean_stay(truth(1.0, 1.0), AFTER, DAYS - 1)


def test_a_hospital_that_forgets_its_shift_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: delays know nothing of it."""
    monkeypatch.setattr("twin.fabricated_timeline.STAY_STEPS", frozenset())
    level = LevelShift(AFTER, 1.0, 1.5)
    same = fabricate(ROOMY, start=START, days=DAYS, seed=5, shift=level).truth
    assert same == truth(1.0, 1.0)


def test_a_shift_as_people_type_it() -> None:
    assert shift("arrivals=1.15@90") == LevelShift(90.0, arrivals=1.15)
    assert shift("arrivals=1.15,stays=0.9@90") == LevelShift(90.0, 1.15, 0.9)
    assert shift(None) is None


@pytest.mark.parametrize(
    "text", ["arrivals=1.15", "1.15@90", "beds=2@90", "arrivals=x@90", "arrivals=0@9", "stays=nan@9"]
)
def test_a_shift_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(FabricationError, match=r"level shift must be"):
        shift(text)
