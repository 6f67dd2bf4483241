"""Moments of the past: as known then, made once on demand, kept for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from forecast import whatif_moments as module
from forecast.archive import SCHEMA_SQL, Archive
from forecast.backtest import seed_of
from forecast.ensemble import Run
from forecast.errors import QuestionError
from forecast.whatif import Ground
from forecast.whatif_moments import Moments, PastGrounds
from ingest.database import Database
from ingest.log import EventLog
from tests.histories import (
    NOON,
    Remembered,
    calibration,
    fingerprint,
    hospital,
    other_log,
    scenarios,
    situation,
    whole_log,
)
from tests.test_forecast_whatif import ground
from twin.calibrate import Calibration
from twin.state import State

HOW = Run(members=4, horizon_min=120.0, seed=9)
[USUAL] = scenarios("as_usual")
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Memory", Remembered)


@pytest.fixture
def archive() -> Iterator[Archive]:
    with Database.open(None, [SCHEMA_SQL], threads=1) as database:
        yield Archive(database)


def learn(state: State, _: datetime) -> Calibration:
    assert state.visits
    return calibration()


def past(log: EventLog, archive: Archive) -> PastGrounds:
    return PastGrounds(log, archive, hospital().zone, USUAL, HOW, learn)


# --- as known then


def test_a_moment_is_the_situation_as_known_then(archive: Archive) -> None:
    found = past(whole_log(), archive)(NOON)
    assert found.situation.state_hash == situation().state_hash
    assert (found.as_of, found.how.seed, found.usual) == (NOON, seed_of(9, NOON), USUAL)
    assert set(found.rivals) >= {"persistence", "climatology", "count_model"}


def test_nothing_that_came_out_later_is_looked_at(archive: Archive) -> None:
    assert told(whole_log(), archive, NOON) == told(other_log(), archive, NOON)  # another future
    later = NOON + HOUR  # the mutant: a moment that has seen an hour of it
    assert told(whole_log(), archive, later) != told(other_log(), archive, later)


def told(log: EventLog, archive: Archive, at: datetime) -> str:
    """All of a ground as one name."""
    found = past(log, archive)(at)
    return fingerprint((found.situation, found.recalibration, found.rivals))


@pytest.mark.parametrize("at", [NOON - timedelta(days=400), NOON + timedelta(days=400)])
def test_a_moment_that_the_log_does_not_know_is_refused(archive: Archive, at: datetime) -> None:
    with pytest.raises(
        QuestionError, match=r"The moment must lie between 2024-12-24 \d\d:\d\d and 2025-01-30 \d\d:\d\d, but is 202\d"
    ):
        past(whole_log(), archive)(at)


# --- made once, kept for a while


class Maker:
    """Makes grounds when a test lets it; counts them."""

    def __init__(self) -> None:
        self.made: list[datetime] = []
        self.go = threading.Event()

    def __call__(self, at: datetime) -> Ground:
        self.go.wait(60.0)
        self.made.append(at)
        if at > NOON + 50 * HOUR:
            raise QuestionError("trop tard", "too late")
        if at > NOON + 40 * HOUR:
            raise ZeroDivisionError
        return ground(HOW)


def waited(moments: Moments, at: datetime) -> Ground:
    pause = threading.Event()
    for _ in range(6000):
        if (found := moments.at(at)) is not None:
            return found
        pause.wait(0.01)
    raise AssertionError("it never came")


def test_it_is_made_once_and_kept() -> None:
    maker = Maker()
    moments = Moments(maker, kept=2)
    assert [moments.at(NOON) for _ in range(3)] == [None] * 3
    maker.go.set()
    assert waited(moments, NOON) is waited(moments, NOON)
    assert maker.made == [NOON]
    for i in (1, 2):
        waited(moments, NOON + i * HOUR)
    assert moments.at(NOON) is None  # the one asked about longest ago was let go
    waited(moments, NOON)
    assert maker.made == [NOON, NOON + HOUR, NOON + 2 * HOUR, NOON]


def test_what_went_wrong_is_told_again_and_again() -> None:
    maker = Maker()
    maker.go.set()
    moments = Moments(maker)
    for _ in range(2):
        with pytest.raises(QuestionError, match="too late"):
            waited(moments, NOON + 60 * HOUR)
    assert maker.made == [NOON + 60 * HOUR]


def test_a_fault_of_ours_is_told_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    maker = Maker()
    maker.go.set()
    with pytest.raises(Exception, match="ZeroDivisionError"):
        waited(Moments(maker), NOON + 45 * HOUR)
    assert "could not be made" in caplog.text


def test_too_many_are_refused() -> None:
    maker = Maker()
    moments = Moments(maker)
    for i in range(module.WAITING):
        assert moments.at(NOON + i * HOUR) is None
    with pytest.raises(QuestionError, match="4 other moments are being made already"):
        moments.at(NOON + 30 * HOUR)
    maker.go.set()
    waited(moments, NOON)
