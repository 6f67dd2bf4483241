"""How many beds will be free in the hospital."""

from __future__ import annotations

import plotly.graph_objects as go
from dash.development.base_component import Component

from dashboard.panels.outlook import chart, words
from dashboard.words import Reader
from forecast.board import Board

MEASURE = "beds_free"
WIDE = False


def panel(board: Board, reader: Reader) -> Component:
    """Free beds of all wards whose beds are known; which wards they are in stands in the table of the wards."""
    nobody_knows = all(unit.beds is None for unit in board.units)
    return words(
        board,
        reader,
        name="free_beds",
        measure=MEASURE,
        question=reader.say("How many free beds?"),
        said=reader.text("8 chances in 10: {low} to {high} at {time}."),
        wide=WIDE,
        unknown=reader.say("no ward has known beds") if nobody_knows else None,
    )


def figure(board: Board, reader: Reader) -> go.Figure | None:
    """The fan below the words."""
    return chart(board, reader, measure=MEASURE, wide=WIDE)
