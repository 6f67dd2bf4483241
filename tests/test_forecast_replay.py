"""The replay: an instant as it was known then, what was said, what came, and forecasts that are made afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from forecast import replay_desk
from forecast.archive import SCHEMA_SQL, Archive
from forecast.ensemble import Run
from forecast.issue import Times, issue
from forecast.loop import Site
from forecast.replay_address import address, asked_for, written
from forecast.replay_desk import ReplayDesk
from forecast.replay_store import KEEP, ReplayStore
from forecast.replay_view import DRAWN, MEASURES, Asked, ReplayView
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.errors import EdtwinError
from ingest.log import EventLog
from tests.histories import NOON, Remembered, hospital, other_log, scenarios, situation, whole_log
from twin.calibrate import Calibration, calibrate
from twin.hospital import Hospital
from twin.state import State

HOW = Run(members=3, horizon_min=240.0, seed=1)
SITE = Site(hospital(), tuple(scenarios("as_usual")), "fabricated", spaces=58)
LATER = NOON + timedelta(days=3)
ZONE = "Europe/Paris"
AT_NOON = f"?at={written(NOON, ZONE)}"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_desk, "Memory", Remembered)
    monkeypatch.setattr(replay_desk, "calibrate", learned)


@pytest.fixture
def archive() -> Iterator[Archive]:
    with Database.open(None, [SCHEMA_SQL], threads=1) as database:
        yield Archive(database)


_LEARNED: dict[tuple[str, datetime], Calibration] = {}


def learned(state: State, of: Hospital, at: datetime, **how: Any) -> Calibration:
    """What a state teaches, worked out once."""
    key = (state.hash, at)
    _LEARNED[key] = _LEARNED.get(key) or calibrate(state, of, at, **how)
    return _LEARNED[key]


def here() -> Executor:
    return ThreadPoolExecutor(1)


def desk(archive: Archive, folder: Path, log: EventLog | None = None, now: datetime = LATER) -> ReplayDesk:
    store = ReplayStore(folder)
    return ReplayDesk(log or whole_log(), archive, SITE, store, SimulatedClock(now), HOW, workers=here)


def read(one: ReplayDesk, query: str = AT_NOON) -> ReplayView:
    """The page once it is there."""
    one.view(query)
    while (reader := one._reader) is not None:
        reader.join(120.0)
    return one.view(query)


def published(archive: Archive, at: datetime = NOON) -> None:
    archive.store(issue(situation(), scenarios("as_usual"), HOW, Times(at, NOON, at)))


# --- what was known -----------------------------------------------------------------------------------------------


def test_an_instant_is_being_read_and_then_there_with_its_figures_wards_and_last_hours(
    archive: Archive, tmp_path: Path
) -> None:
    one = desk(archive, tmp_path)
    assert one.view(AT_NOON).state == "looking"
    page = read(one)
    assert (page.state, page.at, page.mode, page.spaces) == ("shown", NOON, "fabricated", 58)
    assert page.looked is not None
    then = page.looked.then
    assert then.now.present is not None
    assert then.now.present > 10
    assert then.past_at[-1] == NOON
    assert then.past["ed_census"][-1] == pytest.approx(then.now.present, abs=0.5)
    assert set(then.past) == set(MEASURES)
    assert {"medicine", "surgery"} <= {unit.unit for unit in then.units}
    assert then.heard_at is not None
    assert then.heard_at <= NOON
    assert then.learned_days >= 10


def test_what_came_out_later_changes_nothing_of_what_was_known(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = read(desk(archive, tmp_path))
    other = read(desk(archive, tmp_path, other_log()))
    assert mine.looked == other.looked
    assert mine.came is not None
    assert other.came is not None
    assert mine.came.values != other.came.values, "the two logs tell of another future"

    class Knows(Remembered):
        def at(self, known_at: datetime) -> State:
            return super().at(known_at + timedelta(days=1))

    monkeypatch.setattr(replay_desk, "Memory", Knows)
    leaked = [read(desk(archive, tmp_path, log)).looked for log in (whole_log(), other_log())]
    assert leaked[0] != leaked[1], "the mutant: it knows a day more"


def test_what_came_reaches_as_far_as_the_log_and_no_further(archive: Archive, tmp_path: Path) -> None:
    page = read(desk(archive, tmp_path, now=NOON + timedelta(hours=6)))
    assert page.came is not None
    census = dict(zip(page.came.at, page.came.values["ed_census"], strict=True))
    assert census[NOON + timedelta(hours=5)] is not None
    assert census[NOON + timedelta(hours=7)] is None
    whole = read(desk(archive, tmp_path))
    assert whole.came is not None
    assert None not in whole.came.values["ed_census"]
    assert whole.came.at[-1] == NOON + DRAWN


def test_outside_of_the_log_and_in_the_future_there_is_nothing(archive: Archive, tmp_path: Path) -> None:
    one = desk(archive, tmp_path)
    for query in ("?at=2020-01-01T08:00", "?at=2030-01-01T08:00", f"{AT_NOON}&vs=2030-01-01T08:00"):
        page = one.view(query)
        assert page.state == "outside"
        assert page.first_at is not None
    assert one._reader is None, "nothing is read for it"


def test_too_early_for_anything_to_be_learned_is_told_in_words(archive: Archive, tmp_path: Path) -> None:
    span = whole_log().span()
    assert span is not None
    page = read(desk(archive, tmp_path), f"?at={written(span.first_occurred_at + timedelta(hours=2), ZONE)}")
    assert page.state == "fault"
    assert page.fault


def test_an_empty_log_says_so(archive: Archive, tmp_path: Path) -> None:
    with Database.open(None, threads=1) as database:
        page = desk(archive, tmp_path, EventLog(database, SimulatedClock(NOON))).view("")
        assert (page.state, page.at) == ("empty", None)


def test_where_no_instant_is_named_it_is_a_day_before_the_end_at_the_full_hour(
    archive: Archive, tmp_path: Path
) -> None:
    assert desk(archive, tmp_path).view("").at == NOON + timedelta(days=2)


# --- what was said --------------------------------------------------------------------------------------------------


def test_the_forecast_is_the_last_one_published_by_then(archive: Archive, tmp_path: Path) -> None:
    for minutes in (-70, -10, 10):
        published(archive, NOON + timedelta(minutes=minutes))
    page = read(desk(archive, tmp_path))
    assert page.looked is not None
    assert page.looked.said is not None
    assert page.looked.said.issued_at == NOON - timedelta(minutes=10)
    assert not page.looked.said.is_made_afterwards
    fan = page.looked.said.fans["ed_census"]
    assert fan.past == page.looked.then.past["ed_census"]
    assert fan.capacity == 58.0
    assert page.issues == (NOON - timedelta(minutes=10), NOON + timedelta(minutes=10))


def test_one_of_more_than_an_hour_before_was_no_longer_shown(archive: Archive, tmp_path: Path) -> None:
    published(archive, NOON - timedelta(minutes=61))
    page = read(desk(archive, tmp_path))
    assert page.looked is not None
    assert page.looked.said is None
    assert page.issues == (NOON - timedelta(minutes=61), None)


def test_two_instants_are_compared(archive: Archive, tmp_path: Path) -> None:
    published(archive)
    earlier = NOON - timedelta(hours=4)
    page = read(desk(archive, tmp_path), f"{AT_NOON}&vs={written(earlier, ZONE)}")
    assert page.versus is not None
    assert page.versus.then.at == earlier
    assert page.versus.said is None


def test_a_forecast_made_afterwards_is_kept_and_knows_no_more_than_was_known(archive: Archive, tmp_path: Path) -> None:
    made = [_made(archive, tmp_path / name, log) for name, log in (("a", whole_log()), ("b", other_log()))]
    assert made[0].looked is not None
    said = made[0].looked.said
    assert said is not None
    assert said.is_made_afterwards
    assert set(said.fans) == set(MEASURES)
    assert made[0].looked == made[1].looked, "the two futures give the same forecast"
    assert archive.latest() is None, "what is published is not touched"
    again = read(desk(archive, tmp_path / "a"))
    assert again.looked == made[0].looked, "whoever opens it again sees the same"


def _made(archive: Archive, folder: Path, log: EventLog) -> ReplayView:
    one = desk(archive, folder, log)
    assert read(one).looked is not None
    assert one.forecast(one.asked(AT_NOON))
    assert not one.forecast(one.asked(AT_NOON)), "one at a time"
    assert one.view(AT_NOON).forecasting_at == NOON
    assert one._forecasts is not None
    one._forecasts.join(120.0)
    return read(one)


def test_a_fault_of_making_it_is_told_and_the_next_can_be_made(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise EdtwinError("the workers are gone")

    monkeypatch.setattr(replay_desk, "forecast_then", broken)
    one = desk(archive, tmp_path)
    assert one.forecast(one.asked(AT_NOON))
    assert one._forecasts is not None
    one._forecasts.join(60.0)
    page = read(one)
    assert (page.state, page.fault, page.ready) == ("shown", "the workers are gone", True)


def test_nothing_is_forecast_outside_of_the_log_nor_once_the_house_ends(archive: Archive, tmp_path: Path) -> None:
    one = desk(archive, tmp_path)
    assert not one.forecast(one.asked("?at=2030-01-01T08:00"))
    one.stop(1.0)
    assert not one.forecast(one.asked(AT_NOON))
    one.view(AT_NOON)
    assert one._reader is None


def test_more_than_a_few_instants_do_not_wait(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = desk(archive, tmp_path)
    monkeypatch.setattr(one, "_reader", object())  # nobody reads
    for minutes in range(30):
        one.view(f"?at={written(NOON + timedelta(minutes=minutes), ZONE)}")
    assert len(one._wanted) == replay_desk.WAITING
    assert next(reversed(one._wanted)) == NOON + timedelta(minutes=29)


# --- the store ------------------------------------------------------------------------------------------------------


def test_the_store_keeps_the_latest_and_survives_what_is_not_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecast.replay_store.KEEP", 2)
    store, told = ReplayStore(tmp_path), issue(situation(), scenarios("as_usual"), HOW, Times(NOON, NOON, NOON))
    times = [NOON + timedelta(hours=k) for k in range(3)]
    for at in times:
        store.keep(replace(told, issued_at=at, as_of=at, known_at=at), "d")
    kept = [store.of(at, "d") for at in times]
    assert kept[0] is None
    assert kept[2] is not None
    assert store.of(times[2], "other") is None, "another log"
    next(tmp_path.glob(f"{times[2]:%Y%m%dT%H%M}*.rows")).write_bytes(b"half")
    assert store.of(times[2], "d") is None
    assert KEEP >= 100


# --- the address ----------------------------------------------------------------------------------------------------


def test_an_address_is_read_back_as_it_was_written() -> None:
    autumn = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # the second 2:30 of that night in Paris
    spring = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    for at in (NOON, autumn, autumn - timedelta(hours=1), spring):
        asked = Asked(at, at - timedelta(hours=5), at + timedelta(minutes=75), 900)
        assert asked_for(address(asked, ZONE, "fr"), ZONE) == asked
    assert address(Asked(NOON), ZONE, "en") == "?lang=en&at=2025-01-26T13:00"
    wrong = asked_for(address(Asked(autumn), ZONE, "fr").replace("%2B01:00", ""), ZONE)
    assert wrong.at == autumn - timedelta(hours=1), "the mutant: without its offset it is the first passage"


def test_what_cannot_be_read_of_an_address_is_told_and_left_out() -> None:
    found = asked_for("?at=yesterday&vs=9999-12-31T23:00&speed=7&to=2026-02-30T08:00", ZONE)
    assert (found.at, found.versus, found.to, found.speed) == (None, None, None, 300)
    assert found.fault is not None
    assert all(name in found.fault for name in ("at=yesterday", "vs=", "speed=7", "to="))
    assert asked_for("", ZONE) == Asked()
