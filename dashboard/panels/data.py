"""The figures behind every chart, as files: page by page, for who wants to go on with them elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from dash import html
from dash.development.base_component import Component

from dashboard.data_page import DataView, Listed, ListedPart
from dashboard.data_ways import WALL, data_ways
from dashboard.parts import heading
from dashboard.words import UNKNOWN, Reader

OPEN_UP_TO = 4
"""Charts of one kind that are listed at once; more are behind a line that opens."""


def panel(view: DataView, reader: Reader, names: Mapping[str, str]) -> Component:
    """How to read a file; then a card a page. `names` are those of the pages."""
    pages = [
        _page(name, list(mine), reader, names) for name, mine in groupby(view.charts, key=lambda one: one.chart.page)
    ]
    return html.Section([_about(reader), *pages], className="data-all")


def _about(reader: Reader) -> Component:
    said = [
        reader.say(
            "A file has what the chart draws, a row a figure: where it stands along the chart (times with their "
            "offset), the series, the value, the unit."
        ),
        reader.say("The charts of “What if?” have theirs below the answer."),
        reader.say("Whole tables of the past, such as visits or forecasts, come from the command:"),
    ]
    told = [*(html.P(text) for text in said[:-1]), html.P([said[-1], " ", html.Code("edtwin export --list")])]
    api = html.P(
        [
            reader.say("Programs ask the API, which describes itself at:"), " ",
            html.A("/api/v1/openapi.json", href="/api/v1/openapi.json", className="data-way"),
        ]
    )  # fmt: skip
    return html.Div([heading(reader.say("How are these files read?")), *told, api], className="card data-about")


def _page(name: str, charts: list[Listed], reader: Reader, names: Mapping[str, str]) -> Component:
    href = f"/{'' if name == WALL else name}?lang={reader.language}"
    title = html.H2(html.A(names[name], href=href, className="quiet-link"), className="question")
    return html.Div([title, *(_chart(one, reader) for one in charts)], className="card data-page-card", id=name)


def _chart(one: Listed, reader: Reader) -> Component:
    title = html.H3(one.chart.title(reader))
    if one.state != "drawn":
        return html.Div([title, _why(one, reader)], className="data-chart")
    if one.parts[0].key == "":
        ways = data_ways(one.chart.page, one.chart.name, reader)
        return html.Div(html.Div([title, ways], className="data-row"), className="data-chart")
    rows = [_part(one, part, reader) for part in one.parts]
    if len(rows) <= OPEN_UP_TO:
        return html.Div([title, *rows], className="data-chart")
    summary = reader.count("{n} chart", "{n} charts", len(rows))
    return html.Div([title, html.Details([html.Summary(summary), *rows])], className="data-chart")


def _why(one: Listed, reader: Reader) -> Component:
    """Why there is no file: nothing is there now, or its page has to be asked."""
    if one.state == "asks":
        said = reader.say("It depends on what is asked: the files are beside the chart, on its page.")
        return html.P(html.A(said, href=f"/{one.chart.page}?lang={reader.language}", className="data-way"))
    nothing = reader.say("Nothing is drawn now.") if one.state == "empty" else reader.say("Its page shows nothing yet.")
    return html.P([html.Span(UNKNOWN), " ", nothing], className="data-none")


def _part(one: Listed, part: ListedPart, reader: Reader) -> Component:
    ways = data_ways(one.chart.page, one.chart.name, reader, part=part.key)
    return html.Div([html.Span(reader.choice(part.fr, part.en), className="data-name"), ways], className="data-row")
