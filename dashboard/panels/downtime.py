"""The sheet to go on with by hand: who was here when it was last known, and lines to write on. Made to be printed."""

from __future__ import annotations

from datetime import datetime

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.parts import Content, absent, heading, marked
from dashboard.words import UNKNOWN, Reader
from forecast.board import Board, UnitNow

LINES = 20
"""Empty ones: with the table of the wards two sheets of paper."""


def panel(board: Board, reader: Reader) -> Component:
    """What was last known with its time, whom to call, and empty lines."""
    parts = [_head(board, reader), _present(board, reader), _by_hand(reader)]
    return html.Section(parts, className="sheet")


def known_at(board: Board) -> datetime | None:
    """The instant that the counts are of: of the last cycle, and never later than the last message."""
    counted_at = board.cycle.begins_at or board.cycle.issued_at
    if counted_at is None or board.feed.heard_at is None:
        return None
    return min(counted_at, board.feed.heard_at)


def call(board: Board, reader: Reader) -> str:
    """Whom to call while the board is blind."""
    if board.call is None:
        return reader.say("No number is set (downtime_call): call the switchboard.")
    return reader.say("Downtime procedure: call {number}", number=board.call)


def _head(board: Board, reader: Reader) -> Component:
    at = known_at(board)
    last = (
        reader.say("nothing is known yet") if at is None else reader.say("Last known: {time}", time=reader.moment(at))
    )
    made = reader.say("sheet of {time}", time=reader.moment(board.made_at))
    print_it = html.Button(reader.say("Print"), className="print")  # assets/print.js listens
    paper = html.A(reader.say("As a PDF"), href="/downtime/sheet.pdf", className="print to-pdf", target="_blank")
    lines = [
        html.Div([marked("warn", last, "stamp"), html.Span(made, className="made")], className="sheet-line"),
        html.Div([html.B(call(board, reader), className="call"), html.Span([paper, print_it])], className="sheet-line"),
    ]
    return html.Div(lines, className="card sheet-head")


def _present(board: Board, reader: Reader) -> Component:
    question = heading(reader.say("Who was here?"))
    if board.now.present is None and not board.units:
        return html.Div([question, absent(reader.say("no count is known yet"))], className="card")
    head = [reader.say("Unit"), reader.say("Beds"), reader.say("Present"), reader.say("Free"), reader.say("By hand")]
    now = board.now
    rows = [
        _row(reader.say("Emergency department"), now.capacity_spaces, now.present, None, reader),
        _row(reader.say("of them not yet seen"), None, now.waiting, None, reader, name="part"),
        _row(reader.say("of them waiting for a bed"), None, now.boarders, None, reader, name="part"),
        *(_unit(unit, reader) for unit in board.units),
    ]
    return html.Div([question, _table(head, rows, "present")], className="card")


def _unit(unit: UnitNow, reader: Reader) -> Component:
    name = reader.choice(unit.name_fr, unit.name_en)
    return _row(name, unit.beds, unit.census, unit.free, reader)


def _row(
    label: str, beds: int | None, present: int | None, free: int | None, reader: Reader, *, name: str = ""
) -> Component:
    figures = [UNKNOWN if count is None else reader.number(count) for count in (beds, present, free)]
    cells: list[Content] = [dmc.TableTd(label, className="name")]
    cells += [dmc.TableTd(figure, className="figure") for figure in figures]
    return dmc.TableTr([*cells, dmc.TableTd("", className="write")], className=name)


def _by_hand(reader: Reader) -> Component:
    head = [
        reader.say("Time"), reader.say("Patient (label)"), reader.say("From"), reader.say("To, bed"),
        reader.say("Initials"),
    ]  # fmt: skip
    rows = [dmc.TableTr([dmc.TableTd("", className="write") for _ in head]) for _ in range(LINES)]
    question = heading(reader.say("What happens from here on: arrivals, moves, departures"))
    return html.Div([question, _table(head, rows, "by-hand")], className="card")


def _table(head: list[str], rows: list[Component], name: str) -> Component:
    cells = [dmc.TableTh(text, className="figure" if name == "present" and i in (1, 2, 3) else "")
             for i, text in enumerate(head)]  # fmt: skip
    return dmc.Table([dmc.TableThead(dmc.TableTr(cells)), dmc.TableTbody(rows)], className=f"table {name}")
