"""How many patients will come."""

from __future__ import annotations

import plotly.graph_objects as go
from dash.development.base_component import Component

from dashboard.panels.outlook import chart, words
from dashboard.words import Reader
from forecast.board import Board

MEASURE = "ed_arrivals"
WIDE = False


def panel(board: Board, reader: Reader) -> Component:
    """Arrivals in the hour before each time, against what is usual."""
    return words(
        board,
        reader,
        name="arrivals",
        measure=MEASURE,
        question=reader.say("Arrivals an hour?"),
        said=reader.text("8 chances in 10: {low} to {high} at {time}."),
        wide=WIDE,
    )


def figure(board: Board, reader: Reader) -> go.Figure | None:
    """The fan below the words."""
    return chart(board, reader, measure=MEASURE, wide=WIDE)
