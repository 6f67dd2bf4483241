"""When events come to their end: the limit, what is due, the quiet hour of a house that is fed, and what follows it."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dashboard import retaining
from dashboard.commands import up
from dashboard.commands.doctor import events_kept
from dashboard.errors import CommandError
from dashboard.house import House, open_house
from dashboard.keeper import EXIT_STATUS
from dashboard.retaining import QuietHour, begin_again, due, is_fed, limit_of, standing_of
from dashboard.settings import Settings
from ingest.clock import SimulatedClock, WallClock
from ingest.days import SCHEMA, Days
from ingest.log import Position
from tests.logs import departed
from twin.day_figures import midnight

ZONE = "Europe/Paris"
AT = datetime(2026, 4, 8, 1, 30, tzinfo=UTC)
"""Half past three in Paris."""


@contextmanager
def a_house(data: Path, at: datetime = AT, **settings: Any) -> Iterator[House]:
    """A house in which somebody left three years ago."""
    clock = SimulatedClock(at)
    with open_house(Settings(data=data, disk_reserve_mb=0, **settings), clock) as house:
        if house.log.span() is None:
            house.log.append([departed("a", occurred_at=at - timedelta(days=1100))], Position(source="s", offset=1))
        yield house


def days(until: datetime, *, is_done: bool = True) -> Days:
    return Days(until, SCHEMA.empty_table(), is_done)


def test_the_limit_is_the_first_of_a_month_thirteen_whole_months_ago(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        assert limit_of(house).day == date(2025, 3, 1)
        assert limit_of(house).until == datetime(2025, 2, 28, 23, tzinfo=UTC)
        house.log.keep_days(days(midnight(date(2025, 6, 1), ZONE)))
        assert limit_of(house).day == date(2025, 6, 1)  # a setting that was longer since brings nothing back
    with a_house(tmp_path / "new year", datetime(2025, 12, 31, 23, 30, tzinfo=UTC), keep_events_months=24) as house:
        assert limit_of(house).day == date(2024, 1, 1)  # in Paris it is January 2026
    with pytest.raises(ValueError, match="keep_events_months"):
        Settings(keep_events_months=12)


def test_due_is_what_is_older_and_what_was_begun(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        assert due(house)
        house.log.keep_days(days(limit_of(house).until, is_done=False))
        assert due(house)  # killed before the journal was written anew
        house.log.keep_days(days(limit_of(house).until))
        assert not due(house)
        cast(SimulatedClock, house.clock).advance_to(AT + timedelta(days=30))
        assert due(house)
        told = standing_of(house)
        assert (told["due"], told["late"], told["fed"]) == (True, True, False)
        assert told["kept_from"] == "2025-02-28T23:00:00+00:00"


def test_the_doctor_tells_what_is_kept_and_what_is_late() -> None:
    told = {"kept_from": None, "until": "2025-02-28T23:00:00", "due": False, "months": 13, "fed": True, "late": False}
    assert events_kept(told) == "kept all that ever came, 13 whole months"
    told |= {"due": True, "kept_from": "2025-01-31T23:00:00"}
    assert "those of before 2025-02-28 are to end (by the house itself" in events_kept(told)
    assert "nothing feeds the house" in events_kept(told | {"fed": False, "late": True})
    with pytest.raises(CommandError, match="or edtwin retain"):
        events_kept(told | {"late": True})


def test_a_house_that_nothing_feeds_keeps_its_events(tmp_path: Path) -> None:
    assert not is_fed(Settings())
    assert is_fed(Settings(mllp_port=2575, mllp_mapping=tmp_path))


def test_a_house_ends_once_at_its_quiet_hour_and_not_in_the_hour_in_which_it_began(tmp_path: Path) -> None:
    ended: list[str] = []
    with a_house(tmp_path) as house:
        clock = cast(SimulatedClock, house.clock)
        quiet = QuietHour(house, threading.Event(), lambda: ended.append("ended"))
        for hours, came in ((0, False), (0.5, False), (1, False), (20, False), (23.9, True)):
            clock.advance_to(AT + timedelta(hours=hours))
            quiet.look()
            assert quiet.came == came, hours
        assert ended == ["ended"]
        house.log.keep_days(days(limit_of(house).until))
        quiet.look()
        assert not quiet.came


def test_a_watch_ends_with_the_house_or_with_its_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retaining, "LOOKED_EVERY_S", 0.001)
    with a_house(tmp_path) as house:
        stop = threading.Event()
        stop.set()
        QuietHour(house, stop, pytest.fail).watch()
        quiet = QuietHour(house, threading.Event(), lambda: None)
        cast(SimulatedClock, house.clock).advance_to(AT + timedelta(days=1))
        quiet.watch()
        assert quiet.came


def test_it_begins_again_by_itself_or_is_started_by_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, arguments: ran.append(arguments))
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "dashboard", "up", "--port", "8051"])
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    begin_again()
    assert ran == [[sys.executable, "-m", "dashboard", "up", "--port", "8051"]]
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    assert begin_again() == EXIT_STATUS
    assert len(ran) == 1


def test_what_is_due_is_ended_before_the_house_serves_and_it_begins_again_after_its_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []
    fed = {"mllp_port": 2575, "mllp_mapping": tmp_path / "m.toml"}
    (tmp_path / "data").mkdir()
    settings = Settings(data=tmp_path / "data", disk_reserve_mb=0, **fed)

    def served(house: House, stop: threading.Event, options: argparse.Namespace) -> None:
        done.append("served")
        raise KeyboardInterrupt

    class Came(QuietHour):
        def watch(self) -> None:
            self.came = True

    monkeypatch.setattr(up, "open_house", lambda settings, **_: a_house(settings.data))
    monkeypatch.setattr(up, "_serve_live", served)
    monkeypatch.setattr(up, "begin_again", lambda: EXIT_STATUS)
    monkeypatch.setattr(up, "retained", lambda settings: done.append("ended"))
    with pytest.raises(KeyboardInterrupt):
        up._live(settings, argparse.Namespace())
    assert done == ["served"]  # there was no database yet
    monkeypatch.setattr(WallClock, "now", lambda self: AT)
    monkeypatch.setattr(up, "QuietHour", Came)
    monkeypatch.setattr(up, "Work", lambda name, work: SimpleNamespace(start=work))
    assert up._live(settings, argparse.Namespace()) == EXIT_STATUS
    assert done == ["served", "ended", "served"]

    def hindered(settings: Settings) -> None:
        raise CommandError("the disk is full")

    monkeypatch.setattr(up, "retained", hindered)
    assert up._live(settings, argparse.Namespace()) == EXIT_STATUS  # it serves all the same
    assert done[-2:] == ["served", "served"]
    assert "events that are too old could not be ended: the disk is full" in caplog.text
    monkeypatch.setattr(WallClock, "now", lambda self: AT + timedelta(hours=2))
    monkeypatch.setattr(up, "retained", pytest.fail)
    up._live(settings, argparse.Namespace())  # not by day
