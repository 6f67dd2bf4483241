"""Learned anew at a fixed hour of the night; a night that fails keeps what was known, says so, and is tried again."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forecast import nightly as module
from forecast.nightly import Nightly, earlier_report
from ingest.log import EventLog
from tests.histories import NOON, calibration, hospital, log_of, state, told
from twin.errors import TwinError
from twin.state import State

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PARIS_4 = datetime(NOON.year, NOON.month, NOON.day, 3, tzinfo=UTC)
"""Four in the morning in Paris, in winter, of the day of NOON."""


class Counted:
    """Stands for `calibrate`: what was learned at noon, dated anew; counts, and fails when it is told to."""

    def __init__(self) -> None:
        self.times: list[datetime] = []
        self.fault: Exception | None = None

    def __call__(self, known: State, of: Any, as_of: datetime, **how: Any) -> Any:
        self.times.append(as_of)
        if self.fault is not None:
            raise self.fault
        found = calibration()
        report = {**found.report, "as_of": as_of.isoformat(), "arrivals_per_day": 90.0 + len(self.times)}
        return replace(found, as_of=as_of, report=report)


@pytest.fixture
def learning(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted()
    monkeypatch.setattr(module, "calibrate", counted)
    return counted


@pytest.fixture
def log() -> EventLog:
    return log_of(told().known(NOON)[:50])


def learned(nightly: Nightly, *instants: datetime) -> list[bool]:
    return [nightly.calibration(state(), at)[1] for at in instants]


def test_at_once_and_then_at_the_hour(learning: Counted, log: EventLog) -> None:
    nightly = Nightly(log, hospital(), hour=4)
    next_4 = PARIS_4 + DAY
    instants = (NOON, NOON + HOUR, next_4 - timedelta(minutes=10), next_4, next_4 + HOUR, next_4 + DAY)
    assert learned(nightly, *instants) == [True, False, False, True, False, True]
    assert learning.times == [NOON, next_4, next_4 + DAY]


def test_after_a_silence_it_is_made_up_for_once(learning: Counted, log: EventLog) -> None:
    nightly = Nightly(log, hospital(), hour=4)
    assert learned(nightly, NOON, NOON + 3 * DAY, NOON + 3 * DAY + HOUR) == [True, True, False]


def test_another_hour_is_another_hour(learning: Counted, log: EventLog) -> None:
    assert learned(Nightly(log, hospital(), hour=14), NOON, NOON + HOUR, NOON + 2 * HOUR) == [True, True, False]


def test_the_night_of_the_clock_change_has_one(learning: Counted, log: EventLog) -> None:
    """Paris, 29 March 2026: 2 h does not exist; the next is a day later in local time."""
    nightly, evening = Nightly(log, hospital(), hour=2), datetime(2026, 3, 28, 20, tzinfo=UTC)
    nights = [evening + timedelta(hours=h) for h in range(48)]
    assert sum(learned(nightly, *nights)) == 3


def test_a_failure_keeps_the_old_and_says_so_and_is_tried_again_after_an_hour(
    learning: Counted, log: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    nightly, night = Nightly(log, hospital(), hour=4), PARIS_4 + DAY
    kept, _ = nightly.calibration(state(), NOON)
    learning.fault = TwinError("a calibration needs visits")
    with caplog.at_level(logging.CRITICAL):
        assert [nightly.calibration(state(), night + i * HOUR / 2) for i in range(3)] == [(kept, False)] * 3
    assert learning.times == [NOON, night, night + HOUR]
    view = nightly.view(night + HOUR, "live")
    assert (view.fault, view.learned_at) == ("a calibration needs visits", NOON)
    learning.fault = None
    assert learned(nightly, night + 2 * HOUR) == [True]
    assert nightly.view(night + 2 * HOUR, "live").fault is None


def test_a_fault_of_ours_is_named_and_not_quoted(learning: Counted, log: EventLog) -> None:
    nightly = Nightly(log, hospital(), hour=4)
    nightly.calibration(state(), NOON)
    learning.fault = ZeroDivisionError("patient 12")
    nightly.calibration(state(), NOON + DAY)
    assert nightly.view(NOON + DAY, "live").fault == "ZeroDivisionError"


def test_a_first_failure_is_nobodys_to_hide(learning: Counted, log: EventLog) -> None:
    learning.fault = TwinError("too little")
    with pytest.raises(TwinError, match="too little"):
        Nightly(log, hospital()).calibration(state(), NOON)


def test_what_has_changed_is_told_also_by_a_house_that_starts_again(learning: Counted, log: EventLog) -> None:
    first = Nightly(log, hospital(), hour=4)
    learned(first, NOON)
    assert first.view(NOON, "live").changed_since is None
    again = Nightly(log, hospital(), hour=4)
    learned(again, NOON + DAY)
    view = again.view(NOON + DAY, "live")
    assert view.changed_since == NOON
    assert view.changes == ({"what": "arrivals_per_day", "before": 91.0, "now": 92.0},)
    assert earlier_report(log, NOON) == (None, None)


def test_how_long_it_took_and_when_it_comes_again_are_shown(learning: Counted, log: EventLog) -> None:
    nightly = Nightly(log, hospital(), hour=4)
    before = nightly.view(NOON, "live")
    assert (before.report, before.next_at) == (None, PARIS_4 + DAY)
    learned(nightly, NOON)
    view = nightly.view(NOON, "live")
    assert view.seconds is not None
    assert view.report is not None
    assert view.seconds >= 0
    assert view.next_at == PARIS_4 + DAY
