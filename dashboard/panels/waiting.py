"""How many patients will wait to be seen."""

from __future__ import annotations

import plotly.graph_objects as go
from dash.development.base_component import Component

from dashboard.panels.outlook import chart, words
from dashboard.words import Reader
from forecast.board import Board

MEASURE = "ed_waiting"
WIDE = False


def panel(board: Board, reader: Reader) -> Component:
    """Those who have come and have not met a practitioner yet, now and ahead."""
    return words(
        board,
        reader,
        name="waiting",
        measure=MEASURE,
        question=reader.say("How many wait to be seen?"),
        said=reader.text("8 chances in 10: {low} to {high} at {time}."),
        wide=WIDE,
    )


def figure(board: Board, reader: Reader) -> go.Figure | None:
    """The fan below the words."""
    return chart(board, reader, measure=MEASURE, wide=WIDE)
