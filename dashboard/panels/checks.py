"""Is the model right? What it measured of itself beside what it should have, check by check."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.check_words import bound_words, check_words, figure_words, group_words
from dashboard.data_ways import data_ways
from dashboard.parts import absent, card, marked, sentence
from dashboard.theme import FONT, palette
from dashboard.tidy import Tidy, line
from dashboard.words import Reader
from forecast.pages import ModelChecks
from twin.check_values import Check

COMMAND = "edtwin check"


def panel(view: ModelChecks, reader: Reader) -> Component:
    """How the last run went and how old it is; then a card a group, a row a check."""
    groups = list(dict.fromkeys(check.group for check in view.checks))
    cards = [_group(group, view, reader) for group in groups]
    return html.Section([_head(view, reader), *cards], className="checks")


def _head(view: ModelChecks, reader: Reader) -> Component:
    return html.Div([*_verdict(view, reader), *_progress(view, reader), _how(reader)], className="card checks-head")


def _verdict(view: ModelChecks, reader: Reader) -> list[Component]:
    if view.ran_at is None:
        return [absent(reader.say("The model has not been checked here yet."))]
    fallen = sum(not check.holds for check in view.checks)
    n = len(view.checks)
    if fallen:
        said = reader.count("{n} check does not hold", "{n} checks do not hold", fallen)
    else:
        said = reader.count("The {n} check holds", "All {n} checks hold", n)
    ago = reader.ago(max(view.made_at - view.ran_at, timedelta(0)))
    when = reader.say("Checked {ago} ({moment}), version {version}", ago=ago, moment=reader.moment(view.ran_at),
                      version=view.version)  # fmt: skip
    return [html.H2(marked("bad" if fallen else "good", said), className="question"), sentence(when)]


def _progress(view: ModelChecks, reader: Reader) -> list[Component]:
    if view.done is None:
        return []
    said = reader.say("A run is on: {done} of {of} parts are done.", done=view.done, of=view.of)
    bar = html.Progress(value=str(view.done), max=str(view.of), className="checks-bar")
    return [html.Div([html.Span(said), bar], className="checks-progress", role="status")]


def _how(reader: Reader) -> Component:
    said = reader.say("The house checks the model every week, when it has been up for ten minutes. To do it now:")
    return html.P([said, " ", html.Code(COMMAND)], className="source-said")


def _group(group: str, view: ModelChecks, reader: Reader) -> Component:
    mine = [check for check in view.checks if check.group == group]
    title, why = group_words(group, reader)
    head = [reader.say("measured"), reader.say("should be"), reader.say("verdict")]
    rows = [_row(check, reader) for check in mine]
    table = html.Table(
        [html.Thead(html.Tr([html.Td(), *(html.Th(text, scope="col") for text in head)])), html.Tbody(rows)],
        className="checks-table",
    )
    plots = [_plot(check, reader) for check in mine if check.curve is not None]
    return card(f"checks-group {group}", title, sentence(why), table, *plots)


def _row(check: Check, reader: Reader) -> Component:
    verdict = marked("good", reader.say("holds")) if check.holds else marked("bad", reader.say("does not hold"))
    said = [html.Span(check_words(check.name, reader)), html.Small(check.source)]
    return html.Tr(
        [
            html.Th(said, scope="row"),
            html.Td(figure_words(check.measured, check.unit, reader)),
            html.Td(bound_words(check, reader)),
            html.Td(verdict, className="verdict"),
        ],
        className="holds" if check.holds else "falls",
    )


def _plot(check: Check, reader: Reader) -> Component:
    """What was measured beside what it should be, along whatever the check follows."""
    config: Any = {"staticPlot": True, "displayModeBar": False}
    graph = dcc.Graph(figure=figure(check, reader), responsive=True, config=config, className="graph")
    return html.Figure(
        [
            html.Figcaption(check_words(f"{check.name}:curve", reader)),
            html.Div(graph, className="checks-chart"),
            data_ways("checks", "curve", reader, part=check.name),
        ],
        className="checks-plot",
    )


def curve_data(check: Check) -> Tidy:
    """The figures of the two lines of a check's curve."""
    curve = check.curve
    if curve is None:
        return Tidy("along", ())
    told = (("expected", curve.expected), ("measured", curve.measured))
    return Tidy("along", tuple(p for name, values in told for p in line(name, curve.along, values, check.unit)))


def figure(check: Check, reader: Reader) -> go.Figure:
    """The two lines of a check's curve."""
    curve, colours = check.curve, palette(reader.theme)
    lines = go.Figure()
    if curve is None:
        return lines
    for values, name, colour, dash in (
        (curve.expected, reader.say("should be"), colours.usual, "dot"),
        (curve.measured, reader.say("measured"), colours.forecast, "solid"),
    ):
        line = {"color": colour, "width": 0.15 * reader.rem_px, "dash": dash}
        lines.add_scatter(x=list(curve.along), y=list(values), mode="lines", name=name, line=line)
    axis: Any = {"gridcolor": colours.line, "zeroline": False, "color": colours.muted, "fixedrange": True}
    lines.update_layout(
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", xaxis=axis, yaxis={**axis, "rangemode": "tozero"},
        margin={"l": 3 * reader.rem_px, "r": reader.rem_px, "t": 0.5 * reader.rem_px, "b": 2 * reader.rem_px},
        font={"family": FONT, "size": 0.9 * reader.rem_px, "color": colours.text},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0.0}, separators=reader.separators,
        template="none",
    )  # fmt: skip
    return lines
