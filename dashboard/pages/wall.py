"""The wall: one page, read from four metres, that nobody touches.

The frame is laid out once and never again; each new board fills its slots and gives its charts new figures, so that
nothing flickers or moves when numbers change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.panels import (
    alarms,
    arrivals,
    banner,
    boarding,
    census,
    footer,
    free_beds,
    header,
    now,
    scenarios,
    trust,
    waiting,
    wards,
)
from dashboard.parts import absent
from dashboard.settings import WALL_CHARTS, WallChart
from dashboard.states import forecast_state
from dashboard.words import Reader
from forecast.board import Board

Panel = Callable[[Board, Reader], Component]
Figure = Callable[[Board, Reader], go.Figure | None]
Charts = tuple[WallChart, ...]
"""Those below the census, from left to right."""

PANELS: dict[str, Panel] = {
    "header": header.panel,
    "banners": banner.panel,
    "alarms": alarms.panel,
    "now": now.panel,
    "census": census.panel,
    "wards": wards.panel,
    "scenarios": scenarios.panel,
    "trust": trust.panel,
    "footer": footer.panel,
}
"""Slot to the panel that fills it, of those that every wall has."""

BELOW: dict[WallChart, tuple[Panel, Figure]] = {
    "waiting": (waiting.panel, waiting.figure),
    "boarding": (boarding.panel, boarding.figure),
    "free_beds": (free_beds.panel, free_beds.figure),
    "arrivals": (arrivals.panel, arrivals.figure),
}
"""What may stand below the census: the words, and the chart below them in the same card."""


@dataclass(frozen=True)
class Filling:
    """What a board puts into the frame.

    `panels` by slot; `figures` by slot, None where a card has no chart now; `state` as class names of the whole page.
    """

    panels: dict[str, Component]
    figures: dict[str, go.Figure | None]
    state: str


def panels_of(charts: Charts) -> dict[str, Panel]:
    """Slot to the panel that fills it."""
    return {**PANELS, **{name: BELOW[name][0] for name in charts}}


def figures_of(charts: Charts) -> dict[str, Figure]:
    """Slot to the chart that stands below the words of its panel."""
    return {"census": census.figure, **{name: BELOW[name][1] for name in charts}}


def frame(charts: Charts = WALL_CHARTS) -> list[Component]:
    """The empty wall, laid out once."""
    ahead = html.Div([_card(name) for name in figures_of(charts)], className="ahead")
    aside = html.Div([_slot(name) for name in ("wards", "scenarios", "trust")], className="aside")
    above = html.Div([_slot("banners"), _slot("alarms")], className="above")
    return [_slot("header"), above, _slot("now"), ahead, aside, _slot("footer")]


def filling(board: Board | None, reader: Reader, charts: Charts = WALL_CHARTS) -> Filling:
    """What fills the frame; before the first board, a page that says so."""
    panels, figures = panels_of(charts), figures_of(charts)
    if board is None:
        waiting = absent(reader.say("The twin is waking up: the first board is being made."))
        waking = html.Div([header.switch(reader), waiting], className="wake")
        return Filling({**{name: html.Div() for name in panels}, "header": waking}, dict.fromkeys(figures), "waking")
    return Filling(
        panels={name: panel(board, reader) for name, panel in panels.items()},
        figures={name: figure(board, reader) for name, figure in figures.items()},
        state=_state(board),
    )


def first_sight(board: Board, reader: Reader) -> Component:
    """The head, the alarms and the figures of now, for a page to show before its scripts have filled the frame."""
    above = html.Div([banner.panel(board, reader), alarms.panel(board, reader)], className="above")
    parts = [header.panel(board, reader), above, now.panel(board, reader)]
    return html.Div(parts, id="first-sight", className=f"wall {_state(board)}", lang=reader.language)


def _state(board: Board) -> str:
    return f"feed-{board.feed.state} forecast-{forecast_state(board)}"


def _slot(name: str) -> Component:
    return html.Div(id=f"slot-{name}", className="slot")


def _card(name: str) -> Component:
    config: Any = {"staticPlot": True, "displayModeBar": False}
    graph = dcc.Graph(id=f"chart-{name}", responsive=True, config=config, className="graph")
    chart = html.Div(graph, id=f"place-{name}", className="chart none")
    return html.Div([_slot(name), chart], className=f"card {name}")
