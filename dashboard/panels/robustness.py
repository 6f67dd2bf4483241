"""The robustness map: which crisis breaks which service, what breaks first, and what moves the criteria."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.compare_words import LEVELS, RARELY, digits, level_of, level_said, limit_said, name_of, with_unit
from dashboard.data_ways import data_ways
from dashboard.parts import Content, absent, heading, marked, scrolled
from dashboard.terms import label
from dashboard.tidy import Point, Tidy
from dashboard.words import Reader
from forecast.compare_view import CellView, CrisisView, MovedView, MoverView, Named, RobustnessView

MARKED = 0.05
"""Share of the members in which a service breaks because of the crisis, from which on the cell is marked."""
SHAPES = {"never": "", "rarely": "\N{WHITE CIRCLE}", "sometimes": "\N{BLACK UP-POINTING TRIANGLE}",
          "often": "\N{BLACK SQUARE}"}  # fmt: skip
NARROW_ROWS = 12


def panel(view: RobustnessView, reader: Reader) -> Component:
    """What was run; the map; several at once; what moves what."""
    parts = [_run(view, reader)]
    if view.rows:
        parts += [_map(view, reader), *_pairs(view, reader), _moved(view, reader)]
    return html.Section(parts, className="robust-all")


# --- running --------------------------------------------------------------------------------------------------------


def _run(view: RobustnessView, reader: Reader) -> Component:
    said = [html.P(text) for text in _said(view, reader)]
    parts: list[Content] = [heading(reader.say("From what is this known?")), *said]
    if view.done is not None:
        parts.append(_progress(view, reader))
    return html.Div([*parts, _button(view, reader)], className="card robust-run")


def _said(view: RobustnessView, reader: Reader) -> list[str]:
    if view.rows and view.as_of is not None:
        yield_ = [reader.say(
            "{n} combinations of scenarios, {members} runs each on the same luck, {hours} h from {moment}.",
            n=reader.number(view.combinations), members=reader.number(view.members),
            hours=reader.number(view.hours), moment=reader.moment(view.as_of),
        )]  # fmt: skip
    else:
        yield_ = [reader.say("Nothing was run yet. A run takes some minutes beside the forecasts, which go first.")]
    if view.cancelled and view.done is None:
        yield_.append(reader.say("The last run was stopped before its end; a new one from the same present goes on."))
    if view.fault is not None:
        yield_.append(reader.say("It could not be computed: {fault}", fault=view.fault))
    return yield_


def _progress(view: RobustnessView, reader: Reader) -> Component:
    share = (view.done or 0) / max(view.of, 1)
    said = reader.say("{done} of {of} runs of each", done=reader.number(view.done or 0), of=reader.number(view.of))
    bar = html.Div(html.I(style={"width": f"{100 * share:.1f}%"}), className="bar")
    return html.Div([bar, html.Span(said)], className="robust-progress", role="status")


def _button(view: RobustnessView, reader: Reader) -> Component:
    if view.done is not None:
        return html.Button(reader.say("Stop"), className="grid-act", type="button", **_act("cancel"))
    word = reader.say("Run anew from now") if view.rows else reader.say("Run")
    return html.Button(
        word, className="grid-act", type="button", disabled=not view.ready, **_act("start")
    )  # fmt: skip


def _act(act: str) -> dict[str, Any]:
    return {"data-act": act}


# --- the map --------------------------------------------------------------------------------------------------------


def _map(view: RobustnessView, reader: Reader) -> Component:
    shown = _broken(view)
    holds = [name_of(one, reader) for one in view.services if one not in shown]
    question = reader.say("Which crisis breaks which service?")
    body = _cards(view, shown, reader) if reader.narrow else scrolled(
        _table(view, shown, reader), question, "robust-scroll"
    )  # fmt: skip
    notes = [html.P(_how_to_read(reader), className="small")]
    if holds:
        notes.append(html.P(reader.say("Never broken: {services}.", services=", ".join(holds)), className="small"))
    ways = data_ways("robustness", "map", reader)
    return html.Div(
        [heading(question), _key(reader), body, *notes, _limits(view, shown, reader), ways], className="card"
    )


def map_data(view: RobustnessView) -> Tidy:
    """The figures of the map: by service, a series a scenario, and beside it `:because` and `:margin`."""
    points = []
    for row in view.rows:
        for one in _broken(view):
            cell = _cell(row, one)
            points += [
                Point(one.name, row.name, cell.p_breaks, "share"),
                Point(one.name, f"{row.name}:because", cell.p_because, "share"),
                Point(one.name, f"{row.name}:margin", cell.margin, ""),
            ]
    return Tidy("service", tuple(points))


def _broken(view: RobustnessView) -> list[Named]:
    """The services that the map has a column for."""
    return [one for one in view.services if any(_cell(row, one).p_breaks >= RARELY for row in view.rows)]


def _how_to_read(reader: Reader) -> str:
    return reader.say(
        "Runs in 100 in which the service breaks; a plus: in so many of them it would have held as usual. "
        "Margin: how much more it would have taken, or, below zero, how far it went beyond."
    )


def _key(reader: Reader) -> Component:
    items = [
        html.Span([html.I(SHAPES[level] or "\N{MIDDLE DOT}", className=f"level {level}"), level_said(level, reader)])
        for level in LEVELS
    ]
    return html.Div(items, className="key")


def _cell(row: CrisisView, service: Named) -> CellView:
    return row.cells.get(service.name, CellView(0.0, 0.0, None, None))


def _table(view: RobustnessView, shown: Sequence[Named], reader: Reader) -> Component:
    head = [
        dmc.TableTh(label("scenario", reader.say("Scenario"), reader), className="name"),
        dmc.TableTh(label("broken", reader.say("First to break"), reader)),
        *(dmc.TableTh(html.Span(name_of(one, reader)), className="service") for one in shown),
    ]  # fmt: skip
    rows = [_row(row, shown, view, reader, usual=k == 0) for k, row in enumerate(view.rows)]
    return dmc.Table([dmc.TableThead(dmc.TableTr(head)), dmc.TableTbody(rows)], className="table robust-table")


def _row(row: CrisisView, shown: Sequence[Named], view: RobustnessView, reader: Reader, *, usual: bool) -> Component:
    cells = [_td(_cell(row, one), reader) for one in shown]
    first = dmc.TableTd("" if usual else _first(row, view, reader), className="first")
    return dmc.TableTr([dmc.TableTd(reader.choice(row.fr, row.en), className="name"), first, *cells])


def _td(cell: CellView, reader: Reader) -> Component:
    level = level_of(cell)
    parts: list[Content] = [
        html.Span([html.Span(SHAPES[level], className="mark"), reader.number(100 * cell.p_breaks)], className="strong")
    ]
    if cell.p_because >= MARKED:
        parts.append(html.Span(f"+{reader.number(100 * cell.p_because)}", className="because"))
    if cell.margin is not None:
        margin = reader.signed(cell.margin, digits(cell.margin))
        parts.append(html.Small(reader.say("margin {n}", n=margin)))
    return dmc.TableTd(html.Div(parts, className=f"level {level}"), className="cell")


def _first(row: CrisisView, view: RobustnessView, reader: Reader) -> Content:
    """What most often breaks first because of the crisis, and when."""
    service = next((one for one in view.services if one.name == row.first), None)
    if service is None:
        return reader.say("nothing more than as usual")
    after = row.cells[service.name].after_min
    when = reader.say("in {n} runs of 100", n=reader.number(100 * row.p_first))
    if after is not None:
        when = reader.say("{when}, after {duration}", when=when, duration=reader.duration(after))
    return html.Div([html.Span(name_of(service, reader), className="strong"), html.Small(when)])


def _cards(view: RobustnessView, shown: Sequence[Named], reader: Reader) -> Component:
    """On a telephone: each crisis with what breaks in it."""
    out = []
    for k, row in enumerate(view.rows[:NARROW_ROWS]):
        broken = sorted((one for one in shown if _cell(row, one).p_breaks >= RARELY),
                        key=lambda one: -_cell(row, one).p_breaks)  # fmt: skip
        lines = [
            html.Div([html.Span(name_of(one, reader)), html.Span([
                html.Span(SHAPES[level_of(_cell(row, one))], className="mark"),
                level_said(level_of(_cell(row, one)), reader), " ",
                reader.number(100 * _cell(row, one).p_breaks),
            ], className=f"level {level_of(_cell(row, one))}")], className="robust-line")
            for one in broken
        ]  # fmt: skip
        first = [] if k == 0 else [html.Div([reader.say("First to break:"), " ", _first(row, view, reader)],
                                            className="first")]  # fmt: skip
        parts = [html.H3(reader.choice(row.fr, row.en)), *first]
        summary = html.Summary(reader.count("{n} service breaks", "{n} services break", len(broken)))
        out.append(html.Div([*parts, html.Details([summary, *lines])], className="robust-crisis"))
    return html.Div(out)


def _limits(view: RobustnessView, shown: Sequence[Named], reader: Reader) -> Component:
    said = [
        html.Li(reader.say("{what}: {words}", what=name_of(one, reader), words=limit_said(limit, reader)))
        for one in shown
        if (limit := view.limits.get(one.name))
    ]
    return html.Details([html.Summary(reader.say("When does a service count as broken?")), html.Ul(said)])


# --- several at once, and what moves what ----------------------------------------------------------------------------


def _pairs(view: RobustnessView, reader: Reader) -> list[Component]:
    rows = [row for row in view.pairs if row.first is not None]
    if not rows:
        return []
    lines = [
        html.Li([html.Div(reader.choice(row.fr, row.en)), html.Div(_first(row, view, reader), className="first")])
        for row in rows
    ]
    question = reader.say("Two at once: what breaks first?")
    return [html.Div([heading(question), html.Ul(lines, className="robust-pairs")], className="card")]


def _moved(view: RobustnessView, reader: Reader) -> Component:
    points = [
        html.A(name_of(one, reader), href=f"?lang={reader.language}&view={one.name}",
               className="chip on" if one.name == view.view else "chip")
        for one in view.views
    ]  # fmt: skip
    rows = [_mover_row(one, reader) for one in view.moved]
    body: Content = html.Div(rows, className="movers") if rows else absent(reader.say("nothing to tell"))
    note = reader.say(
        "From the lowest to the highest level of each, all others as they come; in brackets the share of the "
        "differences between combinations that it explains by itself."
    )
    return html.Div(
        [heading(reader.say("What moves what most?")), html.Div(points, className="chips"), body,
         html.P(note, className="small")], className="card robust-moved",
    )  # fmt: skip


def _mover_row(one: MovedView, reader: Reader) -> Component:
    said = [html.Li(_mover(mover, one, reader)) for mover in one.movers]
    body: Content = html.Ol(said) if said else html.P(reader.say("Nothing that was varied moves it surely."))
    return html.Div([html.H3(name_of(one.criterion, reader)), body], className="mover")


def _mover(mover: MoverView, one: MovedView, reader: Reader) -> Content:
    good = (mover.effect < 0) == (one.criterion.better == "less")
    effect = with_unit(reader.signed(mover.effect, digits(mover.effect)), one.criterion, reader)
    share = reader.percent(mover.variance_share)
    tone = marked("good" if good else "bad", f"{effect} ({share})")
    return [tone, " ", reader.choice(mover.fr, mover.en)]
