"""How many beds will be free in the hospital."""

from __future__ import annotations

from dash.development.base_component import Component

from dashboard.panels.outlook import words
from dashboard.words import Reader
from forecast.board import Board

MEASURE = "beds_free"


def panel(board: Board, reader: Reader) -> Component:
    """Free beds of all wards whose beds are known; which wards they are in stands in the table of the wards."""
    return words(
        board,
        reader,
        name="free_beds",
        measure=MEASURE,
        question=reader.say("How many beds will be free?"),
        said=reader.text("8 chances in 10: {low} to {high} at {time}."),
        wide=False,
    )
