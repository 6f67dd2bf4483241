"""Where ward beds are free now and will be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.data_ways import WALL, data_ways, every_file
from dashboard.parts import Content, absent, bar, card, marked, row_head
from dashboard.states import forecast_shown, numbers_shown
from dashboard.terms import label
from dashboard.tidy import Point, Tidy, interval
from dashboard.words import UNKNOWN, Reader
from forecast.board import Board, UnitNow
from forecast.units import BEDS, PATIENTS
from ingest.clock import local

ROWS_SHOWN = 6
SOON_MIN = 240
MORNING_HOUR = 8
LATER_MIN = 720
"""The second lead is that of eight in the morning, or this one where no lead falls on it."""


def panel(board: Board, reader: Reader) -> Component:
    """Units, the fullest first: beds and people, free beds now and at two leads with the 80 % interval."""
    question = reader.say("Where are beds free?")
    if not board.units or not numbers_shown(board):
        why = reader.say("no data") if board.units else reader.say("no ward in the data received")
        return card("wards", question, absent(why))
    leads = chosen_leads(board) if forecast_shown(board) else ()
    units = sorted(board.units, key=_fullness)
    shown = units[:ROWS_SHOWN]
    table = dmc.Table([_head(board, leads, reader), _body(board, shown, leads, reader)], className="table wards-table")
    ways = [data_ways(WALL, "wards", reader)] if reader.narrow else []
    return card("wards", question, table, *ways, basis=_rest(units[len(shown) :], reader), href=every_file(reader))


def wards_data(board: Board) -> Tidy:
    """The figures of every ward, also of those that the wall has no room for: people, beds, free now and ahead."""
    if not numbers_shown(board):
        return Tidy("unit_name", ())
    leads = chosen_leads(board) if forecast_shown(board) else ()
    return Tidy(
        "unit_name", tuple(p for unit in sorted(board.units, key=_fullness) for p in _figures(board, unit, leads))
    )


def _figures(board: Board, unit: UnitNow, leads: Sequence[int]) -> list[Point]:
    """Those of one ward; of one whose count cannot be, nothing is forecast, and free beds are not told."""
    broken = f"unit:{unit.unit}" in {check.tile for check in board.checks}
    name = unit.unit
    now = [
        Point(name, "census", unit.census, PATIENTS),
        Point(name, "beds", unit.beds, BEDS),
        Point(name, "free", None if broken else unit.free, BEDS),
    ]
    ahead = [
        point
        for lead in leads
        if lead in unit.free_ahead and not broken
        for low, middle, high in [[max(0.0, value) for value in unit.free_ahead[lead]]]
        for point in interval(f"free_in_{lead}_min", [name], [(middle, low, high)], BEDS)
    ]
    return now + ahead


def chosen_leads(board: Board) -> tuple[int, ...]:
    """Two leads that the units' forecasts have: about four hours, and eight in the morning if there is one."""
    known = sorted({lead for unit in board.units for lead in unit.free_ahead})
    if not known:
        return ()
    soon = min(known, key=lambda lead: abs(lead - SOON_MIN))
    mornings = [lead for lead in known if lead > soon and _is_morning(board, lead)]
    later = mornings[0] if mornings else min(known, key=lambda lead: abs(lead - LATER_MIN))
    return (soon,) if later == soon else (soon, later)


def _is_morning(board: Board, lead_min: int) -> bool:
    at = local((board.cycle.issued_at or board.made_at) + timedelta(minutes=lead_min), board.zone)
    return abs(at.hour * 60 + at.minute - MORNING_HOUR * 60) <= 15


def _fullness(unit: UnitNow) -> tuple[bool, int]:
    return unit.free is None, unit.free or 0


def _head(board: Board, leads: Sequence[int], reader: Reader) -> Component:
    issued_at = board.cycle.issued_at or board.made_at
    times = [reader.clock(issued_at + timedelta(minutes=lead)) for lead in leads]
    cells = [
        dmc.TableTh(reader.say("Unit")),
        dmc.TableTh(label("beds_taken", reader.say("Beds taken"), reader), className="taken-column"),
        dmc.TableTh(label("free_beds", reader.say("Free now"), reader), className="figure"),
        *(
            dmc.TableTh(label("free_ahead", reader.say("Free at {time}", time=time), reader), className="figure")
            for time in times
        ),
    ]
    return dmc.TableThead(dmc.TableTr(cells))


def _body(board: Board, units: Sequence[UnitNow], leads: Sequence[int], reader: Reader) -> Component:
    broken = {check.tile for check in board.checks}
    return dmc.TableTbody([_row(unit, leads, reader, is_broken=f"unit:{unit.unit}" in broken) for unit in units])


def _row(unit: UnitNow, leads: Sequence[int], reader: Reader, *, is_broken: bool) -> Component:
    """A unit whose count cannot be is to be checked, and nothing is forecast of it."""
    if is_broken:
        unit = replace(unit, free_ahead={})
    cells: list[Content] = [
        row_head(_name(unit, reader)),
        dmc.TableTd(_taken(unit, reader), className="taken-column"),
        dmc.TableTd(
            marked("warn", reader.say("check")) if is_broken else _free_now(unit, reader), className="figure strong"
        ),
        *(dmc.TableTd(_free_ahead(unit, lead, reader), className="figure") for lead in leads),
    ]
    return dmc.TableTr(cells)


def _name(unit: UnitNow, reader: Reader) -> str:
    return reader.choice(unit.name_fr, unit.name_en)


def _taken(unit: UnitNow, reader: Reader) -> Content:
    """People over beds, with a bar that is as full as the unit."""
    text = f"{reader.number(unit.census)} / {reader.number(unit.beds)}"
    if unit.census is None or not unit.beds:
        return html.Div(text, className="taken")
    share = min(100.0, 100 * unit.census / unit.beds)
    tone = "full" if unit.census >= unit.beds else ""
    return html.Div([html.Div(text), bar(share, tone)], className="taken")


def _free_now(unit: UnitNow, reader: Reader) -> Content:
    if unit.free is None:
        return UNKNOWN
    if unit.free < 0:
        return marked("bad", reader.say("{n} over", n=reader.number(-unit.free)))
    return marked("bad", reader.say("FULL")) if unit.free == 0 else reader.number(unit.free)


def _free_ahead(unit: UnitNow, lead_min: int, reader: Reader) -> Content:
    if lead_min not in unit.free_ahead:
        return UNKNOWN
    # free beds below zero are people who are expected without a bed: for the reader the unit is full
    low, middle, high = (max(0.0, value) for value in unit.free_ahead[lead_min])
    interval = html.Span(f"{reader.number(low)}–{reader.number(high)}", className="interval")
    if round(middle) == 0:
        return [marked("bad", reader.say("full")), interval]
    return [html.Span(reader.number(middle), className="strong"), interval]


def _rest(units: Sequence[UnitNow], reader: Reader) -> str | None:
    if not units:
        return None
    others = reader.count("and {n} other unit", "and {n} other units", len(units))
    free = [max(0, unit.free) for unit in units if unit.free is not None]
    if not free:
        return others
    return reader.say("{units}: {beds}", units=others, beds=reader.count("{n} bed free", "{n} beds free", sum(free)))
