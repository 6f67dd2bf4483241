"""Ready is whose log takes a write and gives it back, and who has a forecast."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from dashboard.probes import answer_readyz
from dashboard.readiness import Readiness
from ingest.log import EventLog, Snapshot
from tests.logs import AT, HOUR, departed, memory_log, tell


def test_ready_once_a_forecast_is_there() -> None:
    log, clock = memory_log()
    there = False
    readiness = Readiness(log, lambda: there, clock)
    assert readiness.fault() == "no forecast yet"
    there = True
    assert readiness.fault() is None


def test_a_source_that_is_stopped_is_said_first() -> None:
    log, clock = memory_log()
    stopped = ["kafka:ed.events is stopped: .."]
    readiness = Readiness(log, lambda: False, clock, stopped=lambda: next(iter(stopped), None))
    assert readiness.fault() == "kafka:ed.events is stopped: .."
    stopped.clear()
    assert readiness.fault() == "no forecast yet"


def test_a_log_that_takes_no_write_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    log, clock = memory_log()

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(EventLog, "save_snapshot", full)
    assert Readiness(log, lambda: True, clock).fault() == "the log takes no write"


def test_a_log_that_loses_what_was_written_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    log, clock = memory_log()
    monkeypatch.setattr(EventLog, "save_snapshot", lambda *_, **__: None)
    assert Readiness(log, lambda: True, clock).fault() == "the log does not give back what was written"


def test_it_is_tried_anew_after_two_seconds_and_keeps_one_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    log, clock = memory_log()
    readiness = Readiness(log, lambda: True, clock)
    assert readiness.fault() is None
    monkeypatch.setattr(EventLog, "latest_snapshot", lambda *_: Snapshot(name="", at=AT, known_at=AT, blob=b""))
    assert readiness.fault() is None
    clock.advance_to(AT + timedelta(seconds=2))
    assert readiness.fault() is not None
    monkeypatch.undo()
    assert log.latest_snapshot("readyz", AT - timedelta(days=40_000)) is None
    assert log.latest_snapshot("readyz", AT) is not None


def test_events_that_come_meanwhile_do_not_make_it_unready() -> None:
    log, clock = memory_log()
    readiness = Readiness(log, lambda: True, clock)
    for hour in range(3):
        tell(log, departed(f"v{hour}", known_at=AT - 1000 * HOUR))
        clock.advance_to(AT + hour * HOUR)
        assert readiness.fault() is None


@pytest.mark.parametrize(("there", "answer"), [(True, (200, "ready\n")), (False, (503, "no forecast yet\n"))])
def test_readyz_answers(there: bool, answer: tuple[int, str]) -> None:
    log, clock = memory_log()
    server = Flask("test")
    answer_readyz(server, Readiness(log, lambda: there, clock))
    told = server.test_client().get("/readyz")
    assert (told.status_code, told.get_data(as_text=True)) == answer


def test_readyz_says_that_members_run_elsewhere_than_they_should() -> None:
    log, clock = memory_log()
    server = Flask("test")
    answer_readyz(server, Readiness(log, lambda: True, clock), lambda: "dask://far:8786 has no workers")
    told = server.test_client().get("/readyz")
    assert told.status_code == 200
    assert told.get_data(as_text=True) == (
        "ready, but members run in processes of the house's own: dask://far:8786 has no workers\n"
    )
