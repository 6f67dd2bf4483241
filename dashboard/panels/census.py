"""How many patients the department will hold."""

from __future__ import annotations

import plotly.graph_objects as go
from dash.development.base_component import Component

from dashboard.panels.outlook import chart, words
from dashboard.words import Reader
from forecast.board import Board

MEASURE = "ed_census"
WIDE = True


def panel(board: Board, reader: Reader) -> Component:
    """The words on census; its chart has the past, the coming day, what was forecast earlier and what is usual."""
    return words(
        board,
        reader,
        measure=MEASURE,
        question=reader.say("How many patients in the coming hours?"),
        said=reader.text("8 chances in 10 of having {low} to {high} patients at {time}."),
        wide=WIDE,
    )


def figure(board: Board, reader: Reader) -> go.Figure | None:
    """The fan below the words."""
    return chart(board, reader, measure=MEASURE, wide=WIDE)
