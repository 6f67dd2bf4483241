"""When the board is blind: the number to call, where it stands, and the sheet to go on with by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.app import WallSettings, build_app
from dashboard.pages.beside import Place, beside
from dashboard.panels import banner, downtime
from dashboard.words import NBSP, UNKNOWN, Reader
from forecast.board import Board, Now
from tests.boards import before_first, catching_up, late, off, ordinary, stale
from tests.component_trees import FRENCH, READER, rows, texts, with_class
from tests.test_dashboard_app import SCREEN, refresh

CALL = "5999"


def blind(board: Board, call: str | None = CALL) -> Board:
    return replace(board, call=call)


# --- the banners


@pytest.mark.parametrize("board", [stale(), off()])
def test_the_banner_of_a_blind_board_says_whom_to_call_and_leads_to_the_sheet(board: Board) -> None:
    said = texts(banner.panel(blind(board), READER))
    assert any(text.endswith(f", call {CALL}") for text in said)
    assert [link.href for link in with_class(banner.panel(blind(board), READER), "to-sheet")] == ["/downtime?lang=en"]
    assert any(f", appeler le {CALL}" in text for text in texts(banner.panel(blind(board), FRENCH)))
    unset = banner.panel(blind(board, None), READER)
    assert not any("call" in text for text in texts(unset))
    assert len(with_class(unset, "to-sheet")) == 1


@pytest.mark.parametrize("board", [ordinary(), late(), catching_up(), before_first()])
def test_no_other_banner_sends_people_to_the_telephone(board: Board) -> None:
    panel = banner.panel(blind(board), READER)
    assert not any(CALL in text for text in texts(panel))
    assert with_class(panel, "to-sheet") == []


# --- the overlay of a page that is frozen


def index(call: str | None) -> str:
    app = build_app(ordinary, WallSettings(downtime_call=call))
    return str(app.server.test_client().get("/").data.decode())


def test_the_frozen_page_holds_the_number_before_it_freezes() -> None:
    """It stands in the page itself: when it is needed the server cannot be asked."""
    page = index('<5999> "red phone"')
    assert f'data-fr-call="Procédure dégradée{NBSP}: appeler le &lt;5999&gt; &quot;red phone&quot;"' in page
    assert 'data-en-call="Downtime procedure: call &lt;5999&gt;' in page
    assert "-call=" not in index(None)


# --- the sheet


def test_the_sheet_says_who_was_here_when_that_was_known_and_whom_to_call() -> None:
    board = blind(ordinary())
    said = texts(downtime.panel(board, READER))
    assert said[1] == "Last known: 24 Nov 2026, 14:30"
    assert "sheet of 24 Nov 2026, 14:34" in said
    assert f"Downtime procedure: call {CALL}" in said
    table = rows(downtime.panel(board, READER))
    assert table[0] == "Unit | Beds | Present | Free | By hand"
    assert table[1].startswith(f"Emergency department | {board.now.capacity_spaces} | {board.now.present} | {UNKNOWN}")
    units = [f"{u.name_en} | {u.beds} | {u.census} | {u.free}" for u in board.units if None not in (u.beds, u.free)]
    assert [row for row in table if any(row.startswith(unit) for unit in units)]
    assert len([row for row in table[1:] if not row.replace("|", "").strip()]) == downtime.LINES


def test_the_counts_of_a_dead_feed_stand_on_the_sheet_though_the_wall_has_taken_them_away() -> None:
    said = texts(downtime.panel(blind(off()), READER))
    assert str(off().now.present) in said
    assert said[1].startswith("Last known: ")


def test_the_time_on_the_sheet_is_never_later_than_the_last_message_or_than_what_was_complete() -> None:
    board = ordinary()
    issued_at = board.cycle.issued_at
    assert issued_at is not None
    early = issued_at - timedelta(minutes=50)
    assert downtime.known_at(board) == issued_at
    assert downtime.known_at(replace(board, feed=replace(board.feed, heard_at=early))) == early
    assert downtime.known_at(replace(board, cycle=replace(board.cycle, begins_at=early))) == early
    assert downtime.known_at(before_first()) is None


@pytest.mark.parametrize("reader", [READER, FRENCH])
def test_before_anything_is_known_the_sheet_is_still_there_to_write_on(reader: Reader) -> None:
    nothing = Now(None, None, None, None, None, None, None, None, None)
    panel = downtime.panel(replace(before_first(), now=nothing, units=()), reader)
    assert len(rows(panel)) == downtime.LINES + 1
    assert not any("None" in text or text == "0" for text in texts(panel))
    assert any("downtime_call" in text for text in texts(panel))


def test_the_shipped_catalogue_names_units_as_the_wall_does() -> None:
    assert rows(downtime.panel(ordinary(), FRENCH))[0] == "Service | Lits | Présents | Libres | À la main"


def test_the_sheet_is_a_page_beside_the_wall() -> None:
    here = build_app(ordinary, WallSettings()).server.test_client()
    filled = refresh(here, {**SCREEN, "path": "/downtime", "number": 1})
    assert (filled["wall"]["className"], filled["page"]["className"]) == ("elsewhere", "page")
    assert refresh(here, {**SCREEN, "path": "/downtime", "number": 1}, filled["version"]["data"]).keys() == {"beat"}
    said = texts(beside(ordinary(), READER, Place("downtime")))
    assert said[0] == "Downtime sheet"
