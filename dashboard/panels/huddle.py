"""What do we tell at the huddle? The sheet of the last huddle hour, to read, to download, and those before it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.huddle_words import Block, Cell, Row, told
from dashboard.parts import absent, card, heading, marked, scrolled, sentence
from dashboard.words import Reader
from forecast.pages import HuddleView
from forecast.sheet import Sheet

COMMAND = "edtwin huddle"


def panel(view: HuddleView, reader: Reader, number: int = 1) -> Component:
    """The sheet asked for, the newest being the first; and the ways to the others."""
    if not view.sheets:
        nothing = html.Div(absent(_none_yet(view, reader)), className="card")
        return html.Section([_faults(view, reader), nothing, _older(view, reader)], className="huddle")
    number = min(number, len(view.sheets))
    sheet = view.sheets[number - 1]
    parts = [_faults(view, reader), *_sheet(sheet, reader), _turning(view, number, reader), _older(view, reader)]
    return html.Section(parts, className="huddle")


def _none_yet(view: HuddleView, reader: Reader) -> str:
    if not view.hours:
        return reader.say("No huddle hours are set (huddle_at): no sheet is made.")
    hours = ", ".join(reader.time_of_day(hour) for hour in view.hours)
    return reader.say("No sheet has been made yet; they come at {hours}, after the first forecast.", hours=hours)


def _faults(view: HuddleView, reader: Reader) -> Component:
    if view.fault is None:
        return html.Div()
    said = reader.say("The last sheet could not be made: {fault}", fault=view.fault)
    return html.Div(marked("bad", said), className="card")


def _sheet(sheet: Sheet, reader: Reader) -> list[Component]:
    words = told(sheet, reader)
    first, *others = words.lines
    downloads = [html.A(label, href=_file(sheet, form, reader), className="way")
                 for form, label in (("pdf", "PDF"), ("xlsx", reader.say("Spreadsheet")))]  # fmt: skip
    head = [
        html.Div([html.H2(words.title, className="question"), html.Div(downloads, className="downloads")],
                 className="huddle-title"),
        marked(words.tone, first, "huddle-state"), *(sentence(line) for line in others),
    ]  # fmt: skip
    return [
        html.Div(head, className="card huddle-head"),
        _wards(words.wards, reader),
        html.Div([_block(words.department), _block(words.changes)], className="huddle-pair"),
        html.P(words.is_not, className="huddle-not"),
    ]


def _file(sheet: Sheet, form: str, reader: Reader) -> str:
    return _address(sheet.name, form, reader)


def _address(name: str, form: str, reader: Reader) -> str:
    return f"/huddle/{reader.language}/{name}.{form}"


def _wards(block: Block, reader: Reader) -> Component:
    """One table; on a telephone three, each with the names of the wards: beds, who comes, who leaves."""
    if not reader.narrow:
        return _block(block)
    ends = [sum(n for _, n in block.over[:heads]) for heads in (4, len(block.over) - 2, len(block.over))]
    tables = [_table(_columns(block, first, end)) for first, end in pairwise([1, *ends])]
    note = html.P(block.note, className="huddle-note")
    return card("huddle-wards", block.title, *tables, note)


def _columns(block: Block, first: int, end: int) -> Block:
    """The names and some columns of a block, with the heads above them."""
    over, place = [], 0
    for text, n in block.over:
        inside = len(range(max(place, first), min(place + n, end)))
        over += [(text, inside)] if inside else []
        place += n
    rows = tuple(Row((row.cells[0], *row.cells[first:end]), row.kind) for row in block.rows)
    return Block(block.name, block.title, (block.head[0], *block.head[first:end]), rows, (("", 1), *over))


def _block(block: Block) -> Component:
    parts = [heading(block.title), *([_table(block)] if block.rows else [])]
    if block.note:
        parts.append(html.P(block.note, className="huddle-note"))
    return html.Div(parts, className=f"card huddle-{block.name}")


def _table(block: Block) -> Component:
    over = [_head(text, colSpan=n, className="over") for text, n in block.over]
    head = [_head(text, scope="col", className="figure" if at else "") for at, text in enumerate(block.head)]
    rows = [*([html.Tr(over)] if over else []), html.Tr(head)]
    body = [html.Tr([_cell(at, cell) for at, cell in enumerate(row.cells)], className=row.kind) for row in block.rows]
    table = html.Table([html.Thead(rows), html.Tbody(body)], className="huddle-table")
    return scrolled(table, block.title, "huddle-scroll")


def _head(text: str, **said: Any) -> Component:
    """A head; an empty one heads nothing."""
    said = said if text else {name: value for name, value in said.items() if name != "scope"}
    return html.Th(text, **said) if text else html.Td(**said)


def _cell(at: int, cell: Cell) -> Component:
    if at == 0:
        return html.Th(cell.text, scope="row")
    return html.Td(marked("warn", cell.text) if cell.tone else cell.text, className="figure")


def _turning(view: HuddleView, number: int, reader: Reader) -> Component:
    """The ways to the sheets before and after."""
    ways = [
        html.A(reader.moment(sheet.due_at), href=f"/huddle?lang={reader.language}&page={at}",
               className="way" + (" here" if at == number else ""))
        for at, sheet in enumerate(view.sheets, start=1)
    ]  # fmt: skip
    return html.Nav(ways, className="turning huddle-turning")


def _older(view: HuddleView, reader: Reader) -> Component:
    shown = {sheet.name for sheet in view.sheets}
    older = [name for name in view.names if name not in shown]
    said = html.P([reader.say("Made now, or of a past hour:"), " ", html.Code(COMMAND)], className="source-said")
    if not older:
        return html.Div([said], className="card")
    links = [html.A(name.replace("T", " "), href=_address(name, "pdf", reader)) for name in older]
    files = html.Details([html.Summary(reader.count("{n} older sheet", "{n} older sheets", len(older))), *links])
    return html.Div([said, files], className="card huddle-older")
