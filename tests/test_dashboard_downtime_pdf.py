"""The downtime sheet on paper: two pages of what was last known and how far it can be believed; one is always there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
from flask import Flask

from dashboard import downtime_files, downtime_words
from dashboard.downtime_files import EVERY, KEPT, NEWEST, DowntimeSheets, answer_downtime, drawn
from dashboard.downtime_pdf import pdf
from dashboard.downtime_words import Told, told
from dashboard.words import Reader
from forecast.board import Board
from forecast.on_duty import OnDuty
from ingest.clock import SimulatedClock
from tests import boards
from tests.component_trees import FRENCH, READER
from tests.logs import AT

STAFF = (
    OnDuty("Médecins urgentistes", "Emergency doctors", (6, 5, 4)),
    OnDuty("Infirmiers d'orientation (IOA)", "Triage nurses", (3, 2, 1)),
)


def called(board: Board) -> Board:
    return replace(board, call="5999")


def pages(made: bytes) -> list[str]:
    """The text of each page, its spaces made plain."""
    document = pypdfium2.PdfDocument(made)
    try:
        return [re.sub(r"[\s\u00a0\u202f]+", " ", page.get_textpage().get_text_bounded()) for page in document]
    finally:
        document.close()


def lacking(board: Board, reader: Reader, made: bytes) -> list[str]:
    """What should stand on the first page and does not."""
    first, words = pages(made)[0], told(board, STAFF, reader)
    wanted = [words.known, words.made, words.call, words.feed, words.warning or "", words.not_real or ""]
    for grid in (words.department, words.wards, words.staff, words.ahead):
        wanted += [grid.title, *(" ".join(row) for row in grid.rows)]
    plain = (re.sub(r"[\s\u00a0\u202f]+", " ", text.replace("\u25b2", "!")).strip() for text in wanted)
    return [text for text in plain if text not in first]


@pytest.mark.parametrize("name", boards.EXAMPLES)
@pytest.mark.parametrize("reader", [READER, FRENCH], ids=["en", "fr"])
def test_two_pages_say_all_that_was_last_known_whatever_the_state(name: str, reader: Reader) -> None:
    board = called(boards.EXAMPLES[name]())
    made = pdf(board, STAFF, reader)
    assert len(pages(made)) == 2
    assert lacking(board, reader, made) == []
    assert "None" not in pages(made)[0]
    assert "5999" in pages(made)[1], "two sheets of paper may lie apart"


def test_forty_wards_and_many_staff_still_fit_on_the_first_page() -> None:
    board = called(boards.overfull())
    units = tuple(replace(board.units[n % 11], unit=f"u{n}", name_en=f"A ward with a long name {n}") for n in range(40))
    crowded, staff = replace(board, units=units), STAFF * 5
    made = pdf(crowded, staff, READER)
    assert len(pages(made)) == 2
    assert all(unit.name_en in pages(made)[0] for unit in units)
    assert "Check before you rely on it." in pages(made)[0], "to the last line"


@pytest.mark.parametrize(("name", "says"), [
    ("ordinary", None), ("quiet", None), ("late", "Messages come late"), ("catching_up", "PROVISIONAL"),
    ("inconsistent", "Numbers marked !"), ("stale", "NOT THE PRESENT"), ("off", "NOT THE PRESENT"),
    ("before_first", "NOTHING IS KNOWN"),
])  # fmt: skip
def test_a_sheet_that_is_not_the_present_says_so_above_all_else(name: str, says: str | None) -> None:
    board = called(boards.EXAMPLES[name]())
    first = pages(pdf(board, STAFF, READER))[0]
    warning = told(board, STAFF, READER).warning
    assert (warning is None) == (says is None)
    if says is not None:
        assert first.startswith(says)


def test_a_stale_sheet_without_its_warning_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: numbers of an hour ago that look like those of now."""
    monkeypatch.setattr(downtime_words, "_warning", lambda *_: None)
    with pytest.raises(AssertionError):
        test_a_sheet_that_is_not_the_present_says_so_above_all_else("stale", "NOT THE PRESENT")


def test_a_forecast_that_the_wall_hides_is_not_on_the_sheet() -> None:
    def ahead(board: Board) -> Told:
        return told(board, STAFF, READER)

    shown = ahead(boards.ordinary()).ahead
    assert [len(row) for row in shown.rows] == [6, 6, 6, 6]
    assert shown.head[1:] == ("15:30", "16:30", "18:30", "22:30", "02:30")
    assert ahead(boards.off()).ahead.rows == ()
    assert "No forecast" in ahead(boards.off()).ahead.note


def test_the_same_board_is_the_same_bytes() -> None:
    assert pdf(boards.ordinary(), STAFF, FRENCH) == pdf(boards.ordinary(), STAFF, FRENCH)


# --- the folder -----------------------------------------------------------------------------------------------------


def sheets(folder: Path, clock: SimulatedClock, draw: Callable[[], bytes | None] = lambda: b"%PDF") -> DowntimeSheets:
    return DowntimeSheets(folder / "sheets", draw, clock)


def test_one_is_written_every_quarter_of_an_hour_and_kept_a_day(tmp_path: Path) -> None:
    clock = SimulatedClock(AT)
    made = iter(range(1000))
    writing = sheets(tmp_path, clock, lambda: b"%d" % next(made))
    for _ in range(26 * 4):
        writing.turn()
        writing.turn()
        clock.advance_to(clock.now() + EVERY)
    kept = sorted(file.name for file in writing.folder.iterdir())
    assert len(kept) == KEPT // EVERY + 2, "a day of them, and the newest under its own name"
    assert writing.newest() == b"103"
    assert (writing.folder / kept[0]).read_bytes() == b"7"
    assert writing.written_at() == clock.now() - EVERY


def test_before_anything_is_known_the_last_sheet_of_before_stays(tmp_path: Path) -> None:
    clock = SimulatedClock(AT)
    sheets(tmp_path, clock).turn()
    clock.advance_to(AT + timedelta(hours=1))
    restarted = sheets(tmp_path, clock, lambda: drawn(boards.before_first(), None, READER))
    restarted.turn()
    assert (restarted.newest(), restarted.written_at()) == (b"%PDF", AT)
    assert drawn(boards.ordinary(), None, READER) is not None


def test_a_folder_that_cannot_be_written_is_told_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SimulatedClock(AT)
    (tmp_path / "sheets").write_text("a file in the way")
    writing = sheets(tmp_path, clock)
    writing.turn()
    writing.turn()
    assert [record.message for record in caplog.records] == ["the downtime sheet could not be written: File exists"]
    (tmp_path / "sheets").unlink()
    writing.turn()
    assert writing.newest() == b"%PDF"


def test_whoever_opens_a_sheet_opens_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full half-way: the one before stays, whole; a sheet written in place would be torn."""
    clock = SimulatedClock(AT)
    writing = sheets(tmp_path, clock)
    writing.turn()

    def fails(handle: int) -> None:
        raise OSError(28, "No space left on device")

    clock.advance_to(AT + EVERY)
    with monkeypatch.context() as full:
        full.setattr("dashboard.downtime_files.os.fsync", fails)
        writing.turn()
        assert (writing.newest(), writing.written_at()) == (b"%PDF", AT)

        def in_place(made: bytes, target: Path) -> None:
            with target.open("wb") as out:
                out.write(made[:2])
                fails(out.fileno())

        full.setattr(downtime_files, "_put", in_place)
        writing.turn()
    assert writing.written_at() != AT, "the mutant left a torn sheet under a sheet's name"


def test_the_newest_is_one_tap_away(tmp_path: Path) -> None:
    server, writing = Flask("test"), sheets(tmp_path, SimulatedClock(AT))
    answer_downtime(server, writing)
    ask = server.test_client().get
    assert ask("/downtime/sheet.pdf").status_code == 404
    writing.turn()
    answer = ask("/downtime/sheet.pdf")
    assert (answer.data, answer.mimetype) == (b"%PDF", "application/pdf")
    assert (writing.folder / NEWEST).is_file()
