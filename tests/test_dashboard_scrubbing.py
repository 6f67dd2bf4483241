"""The journal looked through every week: a flipped byte in any file is found and told; mutants look at the newest file
alone, at what memory holds of it, stop at the first fault, or hurry.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashboard import house as houses
from dashboard import scrubbing
from dashboard.__main__ import main
from dashboard.backups import Backups
from dashboard.care import Care
from dashboard.commands import doctor
from dashboard.errors import CommandError
from dashboard.house import House, open_house
from dashboard.mending import noted
from dashboard.panels import about as about_page
from dashboard.panels import banner
from dashboard.readiness import Readiness
from dashboard.scrubbing import AGAIN, NOTE, Scrubs, noted_scrub
from dashboard.settings import Settings
from dashboard.words import Reader
from forecast.board import Board, Scrubbed
from ingest import scrub as scrubs_of
from ingest.clock import SimulatedClock
from ingest.journal import Journal
from ingest.journal_tail import Tail
from ingest.log import Position
from ingest.scrub import RESTS, scrub
from tests.boards import ordinary
from tests.component_trees import texts
from tests.journals import line, opened
from tests.logs import AT, departed
from tests.term_views import about
from tests.test_dashboard_probes import asked, names, one

RECORDS = 60
WEEK = timedelta(days=7)
NOW = AT + timedelta(days=30)


def at_once(_: float) -> bool:
    """No rest, and no end."""
    return False


def lived(folder: Path) -> Journal:
    """A journal of many files, held by a house."""
    journal = opened(folder, segment_bytes=700)
    for n in range(RECORDS):
        journal.append([line(n)])
    assert len(journal.segments()) > 8
    return journal


def flipped(path: Path, place: int) -> None:
    held = bytearray(path.read_bytes())
    held[place] ^= 1
    path.write_bytes(held)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with lived(tmp_path / "journal") as journal:
        yield journal


def test_a_journal_that_is_whole_is_read_to_its_end(journal: Journal) -> None:
    found = scrub(journal, at_once)
    assert found is not None
    assert (found.records, found.files, found.faults) == (RECORDS, len(journal.segments()), ())


def check_each_file(journal: Journal) -> None:
    """A byte of each file in its turn, the oldest first."""
    rng = np.random.default_rng(1)
    for segment in journal.segments():
        whole = segment.path.read_bytes()
        flipped(segment.path, int(rng.integers(len(whole))))
        found = scrub(journal, at_once)
        assert found is not None
        assert len(found.faults) == 1, segment
        assert segment.path.name in found.faults[0]
        segment.path.write_bytes(whole)


def test_a_flipped_byte_is_found_in_whichever_file_it_is(journal: Journal) -> None:
    check_each_file(journal)


def test_a_look_at_the_newest_file_alone_is_seen(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: what the opening of a house reads."""
    whole = Journal.segments
    check = [*whole(journal)]
    monkeypatch.setattr(scrubs_of, "Tail", lambda held, after: _Newest(held, after))
    monkeypatch.setattr(Journal, "segments", lambda held: whole(held)[-1:])
    flipped(check[0].path, 300)
    found = scrub(journal, at_once)
    assert found is not None
    assert found.faults == (), "and so the test above would be red"


class _Newest(Tail):
    def _first(self) -> Any:
        return self._journal.segments()[-1]


def test_those_behind_a_damaged_file_are_looked_at_all_the_same(journal: Journal) -> None:
    segments = journal.segments()
    for damaged in (segments[1], segments[4]):
        flipped(damaged.path, 300)
    segments[6].path.unlink()
    found = scrub(journal, at_once)
    assert found is not None
    names = [segments[n].path.name for n in (1, 4, 6)]
    assert all(name in fault for name, fault in zip(names, found.faults, strict=True))
    assert found.records > RECORDS // 2


def test_a_file_that_the_disk_does_not_give_is_a_fault(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    third, opening = journal.segments()[2], os.open

    def refused(path: Any, *given: Any) -> int:
        if path == third.path:
            raise OSError(5, "Input/output error")
        return opening(path, *given)

    monkeypatch.setattr(os, "open", refused)
    found = scrub(journal, at_once)
    assert found is not None
    assert found.faults == (f"{third.path} cannot be read: Input/output error",)


def test_each_file_is_asked_of_the_disk_and_not_of_memory(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[int] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda *given: forgotten.append(given[3]))
    scrub(journal, at_once)
    assert forgotten == [os.POSIX_FADV_DONTNEED] * len(journal.segments())


def test_it_rests_three_times_as_long_as_it_reads(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock on which each look takes a second."""
    seconds, rests = [0.0], list[float]()

    def stopwatch() -> float:
        seconds[0] += 1.0
        return seconds[0]

    def rested(seconds: float) -> bool:
        rests.append(seconds)
        return False

    monkeypatch.setattr(scrubs_of, "stopwatch", stopwatch)
    assert scrub(journal, rested) is not None
    assert len(rests) >= len(journal.segments())
    assert set(rests) == {RESTS}


def test_it_ends_with_the_house_and_notes_nothing(journal: Journal, tmp_path: Path) -> None:
    ended = threading.Event()
    ended.set()
    watched = Scrubs(journal, tmp_path, SimulatedClock(NOW), 7)
    watched.look(ended)
    assert (watched.last, noted_scrub(tmp_path)) == (None, None)


def test_what_comes_while_it_looks_is_left_for_the_next(journal: Journal) -> None:
    def one_more(_: float) -> bool:
        journal.append([line(journal.last)])
        return False

    found = scrub(journal, one_more)
    assert found is not None
    assert (found.records, found.faults) == (RECORDS, ())


# --- when -------------------------------------------------------------------------------------------------------------


def test_it_is_time_at_first_and_then_every_week_whenever_the_house_was_started(
    journal: Journal, tmp_path: Path
) -> None:
    clock, stop = SimulatedClock(NOW), threading.Event()
    watched = Scrubs(journal, tmp_path, clock, 7)
    assert watched.due
    watched.look(stop)
    assert (watched.due, watched.last) == (False, Scrubbed(NOW, RECORDS, len(journal.segments())))
    for later, is_due in ((WEEK - timedelta(hours=1), False), (WEEK, True)):
        begun_again = Scrubs(journal, tmp_path, SimulatedClock(NOW + later), 7)
        assert (begun_again.last, begun_again.due) == (watched.last, is_due)
    assert not Scrubs(journal, tmp_path / "elsewhere", clock, 0).due, "0: never"


def test_a_house_that_starts_looks_again_soon_where_damage_was_found(journal: Journal, tmp_path: Path) -> None:
    clock, stop = SimulatedClock(NOW), threading.Event()
    flipped(journal.segments()[0].path, 300)
    watched = Scrubs(journal, tmp_path, clock, 7)
    watched.look(stop)
    assert watched.last is not None
    assert len(watched.last.faults) == 1
    assert not watched.due, "it is known: once a week is enough"
    assert Scrubs(journal, tmp_path, clock, 7).due


def test_what_hinders_it_is_told_and_it_is_tried_again_later(
    journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SimulatedClock(NOW)
    watched = Scrubs(journal, tmp_path / "is no folder", clock, 7)
    watched.look(threading.Event())
    assert "the journal could not be looked through" in caplog.text
    assert not watched.due
    clock.advance_to(NOW + AGAIN)
    assert watched.due


def test_a_note_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    for text in ("", "{}", "[]", '{"at": "x", "records": 1, "files": 1, "faults": []}'):
        (tmp_path / NOTE).write_text(text)
        assert noted_scrub(tmp_path) is None


# --- a house ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    scenarios = houses.scenario_catalogue(Settings())
    monkeypatch.setattr(houses, "scenario_catalogue", lambda _: scenarios)
    monkeypatch.setattr("ingest.journal.SEGMENT_BYTES", 2000)
    settings = Settings(data=tmp_path / "d", backup_folder=tmp_path / "b", disk_reserve_mb=0)
    monkeypatch.setattr(houses, "open_journal", in_small_files)
    with open_house(settings) as house:
        for n in range(8):
            house.log.append([departed(f"v{n}")], Position(source="s", offset=n + 1))
        yield house


def in_small_files(settings: Settings, log: Any) -> Journal:
    return Journal.open(settings.data / houses.JOURNAL, log.instants, reserve_bytes=0, segment_bytes=2000)


def test_a_running_house_looks_and_the_doctor_tells(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole of the care that a house takes, with a shorter wait before its first look."""
    monkeypatch.setattr(scrubbing, "AFTER_S", 0.01)
    data, stop = house.settings.data, threading.Event()
    flipped(house.journal.segments()[0].path, 300)
    watched = Scrubs(house.journal, data, house.clock, 7)
    care = Care(house, "live", ordinary, lambda: None, watched)
    care.start(Readiness(house.log, lambda: True, house.clock), stop)
    for _ in range(600):
        if watched.last is not None:
            break
        threading.Event().wait(0.05)
    stop.set()
    care.end(10.0)
    assert watched.last is not None
    assert len(watched.last.faults) == 1
    with pytest.raises(CommandError, match=r"1 of them damaged: .*00000\.journal is damaged at byte"):
        doctor._journal(house.settings, True)


def test_the_doctor_tells_of_one_that_is_late_in_a_house_that_runs(house: House) -> None:
    assert doctor._journal(house.settings, True) == "not looked through yet"
    never = house.settings.model_copy(update={"scrub_every_days": 0})
    assert "scrub_every_days is 0" in doctor._journal(never, True)
    told = {"at": (house.clock.now() - 15 * timedelta(days=1)).isoformat(), "records": 8, "files": 3, "faults": []}
    (house.settings.data / NOTE).write_text(json.dumps(told))
    assert "8 records in 3 files, none damaged" in doctor._journal(house.settings, False)
    with pytest.raises(CommandError, match="it must be 7 days at most"):
        doctor._journal(house.settings, True)


def test_the_next_start_makes_it_whole_from_a_backup_and_looks_again(house: House, tmp_path: Path) -> None:
    Backups(house).make(tmp_path / "b")
    first = house.journal.segments()[0].path
    before = first.read_bytes()
    flipped(first, 300)
    Scrubs(house.journal, house.settings.data, house.clock, 7).look(threading.Event())
    house.journal.close()
    house.database.close()
    with open_house(house.settings) as again:
        assert first.read_bytes() == before
        assert [mended.part for mended in noted(house.settings.data)] == ["journal"]
        watched = Scrubs(again.journal, house.settings.data, again.clock, 7)
        assert watched.due
        watched.look(threading.Event())
        assert watched.last is not None
        assert watched.last.faults == ()


# --- what is said -----------------------------------------------------------------------------------------------------


def test_the_wall_the_page_and_the_figures_tell_what_was_found() -> None:
    whole, damaged = Scrubbed(AT, 60, 9), Scrubbed(AT, 50, 9, ("a is damaged", "b is damaged"))

    def on(scrubbed: Scrubbed | None) -> Board:
        board = ordinary()
        return replace(board, cycle=replace(board.cycle, scrubbed=scrubbed))

    for language, words in (("en", "2 files of the journal are damaged"), ("fr", "2 fichiers du journal")):
        reader = Reader(language, "Europe/Paris")  # type: ignore[arg-type]
        said = [any(words in t for t in texts(banner.panel(on(s), reader))) for s in (None, whole, damaged)]
        assert said == [False, False, True]
        assert any(words in t for t in texts(about_page.panel(replace(about(), scrubbed=damaged), reader)))
    page = about_page.panel(replace(about(), scrubbed=whole), Reader("en", "Europe/Paris"))
    assert "Journal looked through" in texts(page)
    assert not any("damaged" in text for text in texts(page))
    told = asked(on(damaged))
    assert one(told, "edtwin_journal_scrubbed_timestamp_seconds") == AT.timestamp()
    assert one(told, "edtwin_journal_damaged_files") == 2
    assert "edtwin_journal_damaged_files" not in names(asked(on(None)))


def test_the_command_has_a_line_of_it(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.journal.close()
    house.database.close()
    main(["doctor", "--data", str(house.settings.data), "--json"])
    findings = {one["thing"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert (findings["journal"]["well"], findings["journal"]["said"]) == (True, "not looked through yet")
