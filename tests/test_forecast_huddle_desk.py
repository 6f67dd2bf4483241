"""The huddle sheets of a house: at their hours, once each, also after a restart; kept, bounded, read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forecast import backtest, huddle_desk
from forecast import loop as loop_module
from forecast.archive import SCHEMA_SQL, Archive
from forecast.board import Feed
from forecast.ensemble import Run
from forecast.errors import ForecastError
from forecast.huddle_desk import KEPT, Huddle, Sheets, as_json
from forecast.loop import Loop, Rhythm, Site
from forecast.sheet import Sheet
from forecast.wall import Made
from ingest.clock import SimulatedClock, local
from ingest.database import Database
from tests.histories import START, Remembered, hospital, scenarios, whole_log
from tests.huddle_sheets import SHEETS, ordinary

PARIS = "Europe/Paris"
HOURS = ("2:30", "8:00", "13:00", "18:00")
TEN = timedelta(minutes=10)
FEED = Feed("live", None, None, timedelta(0))
MADE: Made = object()  # type: ignore[assignment]  # what is made of it is replaced here


def _sheet_of(_: Made, __: Feed, due_at: datetime, made_at: datetime, **___: object) -> Sheet:
    return replace(ordinary(), due_at=due_at, made_at=made_at)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Sheet]:
    """Every sheet that is made, in order, by a formula."""
    found: list[Sheet] = []

    def noted(*of: object, **how: object) -> Sheet:
        found.append(_sheet_of(*of, **how))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(huddle_desk, "make_sheet", noted)
    return found


def replayed(desk: type[Huddle], data: Path, first: str, days: int, *, restart_every: int = 0) -> None:
    """Days of cycles on a clock, ten minutes apart and some seconds late; the house is started again now and then."""
    clock = SimulatedClock(datetime.fromisoformat(first).astimezone(UTC))
    huddle = desk(Sheets(data), PARIS, "replay", HOURS)
    for turn in range(days * 144):
        if restart_every and turn % restart_every == 0:
            huddle = desk(Sheets(data), PARIS, "replay", HOURS)
        huddle.turn(MADE, FEED, clock.now() + timedelta(seconds=7))
        clock.advance_to(clock.now() + TEN)


def told(made: list[Sheet]) -> list[str]:
    return [f"{local(sheet.made_at, PARIS):%m-%dT%H:%M}" for sheet in made]


NIGHTS = {
    "2026-03-28T12:05+01:00": ["03-28T13:00", "03-28T18:00", "03-29T03:30", "03-29T08:00", "03-29T13:00", "03-29T18:00",
                               "03-30T02:30", "03-30T08:00"],
    "2026-10-24T12:05+02:00": ["10-24T13:00", "10-24T18:00", "10-25T02:30", "10-25T08:00", "10-25T13:00", "10-25T18:00",
                               "10-26T02:30", "10-26T08:00"],
}  # fmt: skip
"""Where clocks change: in spring half past two is half past three, in autumn it is the first of two."""


@pytest.mark.parametrize("first", NIGHTS)
@pytest.mark.parametrize("restart_every", [0, 1, 5])
def test_in_a_replay_each_sheet_appears_at_its_hour_and_once(
    first: str, restart_every: int, made: list[Sheet], tmp_path: Path
) -> None:
    replayed(Huddle, tmp_path, first, 2, restart_every=restart_every)
    wanted = NIGHTS[first]
    assert [text[:-1] for text in told(made)] == [text[:-1] for text in wanted]  # to the turn
    assert len(Sheets(tmp_path).names) == len(made)


class Forgets(Huddle):
    """A mutant: what was made is known only as long as the house runs."""

    def __init__(self, *of: object) -> None:
        super().__init__(*of)  # type: ignore[arg-type]
        self._mine: set[datetime] = set()

    def _is_kept(self, at: datetime) -> bool:
        known, _ = at in self._mine, self._mine.add(at)  # type: ignore[func-returns-value]
        return known


class ByOffset(Huddle):
    """A mutant: the hour of the day is that of the winter's offset."""

    def __init__(self, sheets: Sheets, zone: str, *of: object) -> None:
        super().__init__(sheets, "Etc/GMT-1", *of)  # type: ignore[arg-type]


class EveryTurn(Huddle):
    """A mutant: a sheet is made at each turn after its hour."""

    def _is_kept(self, at: datetime) -> bool:
        return False


@pytest.mark.parametrize("mutant", [Forgets, ByOffset, EveryTurn])
def test_the_mutants_are_caught(mutant: type[Huddle], made: list[Sheet], tmp_path: Path) -> None:
    first = next(iter(NIGHTS))
    replayed(mutant, tmp_path, first, 2, restart_every=5)
    assert [text[:-1] for text in told(made)] != [text[:-1] for text in NIGHTS[first]]


def test_a_house_that_starts_late_makes_the_sheet_with_its_first_forecast(made: list[Sheet], tmp_path: Path) -> None:
    huddle = Huddle(Sheets(tmp_path), PARIS, "live", HOURS)
    at = datetime(2026, 11, 24, 7, 20, tzinfo=UTC)
    huddle.turn(None, FEED, at)
    huddle.turn(MADE, FEED, at + TEN)
    assert told(made) == ["11-24T08:30"]
    assert made[0].due_at == datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


def test_a_fault_is_said_on_the_page_and_it_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huddle, at = Huddle(Sheets(tmp_path), PARIS, "live", HOURS), datetime(2026, 11, 24, 7, 0, tzinfo=UTC)

    def refused(*_: object, **__: object) -> Sheet:
        raise ForecastError("it does not reach")

    monkeypatch.setattr(huddle_desk, "make_sheet", refused)
    huddle.turn(MADE, FEED, at)
    assert (huddle.view(at, "CHU").fault, huddle.view(at, "CHU").sheets) == ("it does not reach", ())
    monkeypatch.setattr(huddle_desk, "make_sheet", _sheet_of)
    huddle.turn(MADE, FEED, at + TEN)
    view = huddle.view(at, "CHU")
    assert (view.fault, [sheet.due_at for sheet in view.sheets]) == (None, [at])


def test_whoever_sends_sheets_on_is_told_of_each_once_it_is_kept(made: list[Sheet], tmp_path: Path) -> None:
    sheets, heard = Sheets(tmp_path), list[tuple[Sheet, list[str]]]()
    huddle = Huddle(sheets, PARIS, "live", HOURS, told=lambda sheet: heard.append((sheet, sheets.names)))
    for minutes in (0, 10, 20):
        huddle.turn(MADE, FEED, datetime(2026, 11, 24, 7, minutes, tzinfo=UTC))
    assert heard == [(made[0], [made[0].name])]


# --- kept


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_is_read_as_it_was_kept(name: str, tmp_path: Path) -> None:
    sheet = SHEETS[name]()
    Sheets(tmp_path).keep(sheet)
    assert Sheets(tmp_path).named(sheet.name) == sheet
    assert json.loads(as_json(sheet))["department"]["present"] == sheet.department.present


def test_the_oldest_are_let_go(tmp_path: Path) -> None:
    sheets = Sheets(tmp_path)
    for n in range(KEPT + 3):
        sheets.keep(replace(ordinary(), due_at=ordinary().due_at + timedelta(hours=8 * n)))
    assert len(sheets.names) == KEPT
    newest = ordinary().due_at + timedelta(hours=8 * (KEPT + 2))
    assert sheets.names[0] == replace(ordinary(), due_at=newest).name
    assert sheets.named(ordinary().name) is None


def test_a_damaged_file_is_passed_over_and_names_lead_nowhere_else(tmp_path: Path) -> None:
    sheets = Sheets(tmp_path)
    sheets.keep(ordinary())
    later = replace(ordinary(), due_at=ordinary().due_at + timedelta(hours=5))
    (tmp_path / "huddle" / f"{later.name}.json").write_text("{")
    (tmp_path / "secret.json").write_bytes(as_json(ordinary()))
    assert sheets.named(later.name) is None
    assert sheets.before(later.due_at + timedelta(hours=1)) == ordinary()
    assert sheets.named("../secret") is None


# --- in the loop


@pytest.fixture
def archive() -> Iterator[Archive]:
    with Database.open(None, [SCHEMA_SQL], threads=1) as database:
        yield Archive(database)


def test_the_loop_makes_the_sheets_of_its_forecasts_and_holds_each_against_the_last(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_module, "Memory", Remembered)
    monkeypatch.setattr(backtest, "Memory", Remembered)
    start = START + timedelta(days=20, hours=11, minutes=50)
    clock, sheets = SimulatedClock(start), Sheets(tmp_path)
    site = Site(hospital(), tuple(scenarios("as_usual")), "fabricated")
    with ThreadPoolExecutor(1) as executor:
        loop = Loop(
            whole_log(), archive, site, executor, clock, how=Run(members=2), rhythm=Rhythm(TEN),
            huddle=Huddle(sheets, PARIS, "fabricated", ("13:00", "13:20")),
        )  # fmt: skip
        for minutes in (0, 10, 20, 30):
            clock.advance_to(start + timedelta(minutes=minutes))
            loop.turn()
    assert sheets.names == ["2025-01-26T1320", "2025-01-26T1300"]
    first, second = (sheets.named(name) for name in reversed(sheets.names))
    assert first is not None
    assert second is not None
    assert (first.issued_at, first.made_at, first.previous_at) == (start + TEN, start + TEN, None)
    assert second.previous_at == first.due_at
    board = loop.board
    assert second.department.present == pytest.approx(board.now.present or 0, abs=0.5)
    assert second.department.usual_peak is not None
    assert {c.what for c in second.changes} >= {"present", "peak", "end"}
